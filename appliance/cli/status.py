"""`gatehouse status`: what a running appliance says of itself.

A data folder comes in; a summary of gateways, listener sets, routes, backends and files goes out, read from the API
like any client would: with the kubeconfig that lies in the folder.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from appliance.problems import StartError

_TIMEOUT_S = 10
_GATEWAY = "/apis/gateway.networking.k8s.io"
_ROUTES = (
    ("HTTPRoute", f"{_GATEWAY}/v1/httproutes"),
    ("GRPCRoute", f"{_GATEWAY}/v1/grpcroutes"),
    ("TLSRoute", f"{_GATEWAY}/v1/tlsroutes"),
    ("TCPRoute", f"{_GATEWAY}/v1alpha2/tcproutes"),
    ("UDPRoute", f"{_GATEWAY}/v1alpha2/udproutes"),
)
_POLICIES = (
    ("BackendTLSPolicy", f"{_GATEWAY}/v1/backendtlspolicies"),
    ("XBackendTrafficPolicy", "/apis/gateway.networking.x-k8s.io/v1alpha1/xbackendtrafficpolicies"),
)
_BACKENDS = ("/apis/gatehouse.dev/v1alpha1/backends", "/apis/gateway.networking.x-k8s.io/v1alpha1/xbackends")
_FILES = "/apis/gatehouse.dev/v1alpha1/manifestfiles"
_PARTS = ("gateways", "listener_sets", "routes", "policies", "backends", "endpoints", "files")
# Conditions that say something is wrong by being True.
_INVERTED = frozenset({"Conflicted", "InsecureFrontendValidationMode", "PartiallyInvalid", "OverlappingTLSConfig"})

# The status of a route does not tell of this: on a cluster it is how a Service of no Pods looks.
_EMPTY = "it has no endpoints that may be connected to: requests are answered 503 (no_endpoint)"
_SLICES = (
    "; a Service has those of the EndpointSlices that have its label kubernetes.io/service-name and a port with the "
    "name of its own"
)


class Api:
    """The API of the appliance that has this data folder. Raises StartError where it does not answer."""

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / "kubeconfig"
        try:
            config = yaml.safe_load(path.read_text())
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode("ascii")
            self.server: str = cluster["server"]
            self._token: str = user["token"]
        except FileNotFoundError:
            raise StartError(f"{path} is not there; name the appliance's data folder with --data-dir") from None
        except PermissionError:
            raise StartError(f"{path} cannot be read by this user; run as the appliance's user or as root") from None
        except (KeyError, IndexError, TypeError, ValueError, yaml.YAMLError):
            raise StartError(f"{path} is not as the appliance writes it; restart the appliance") from None
        self._context = ssl.create_default_context(cadata=authority)

    def items(self, path: str) -> list[dict[str, Any]]:
        """All objects of a collection."""
        items: list[dict[str, Any]] = json.loads(self.get(path))["items"]
        return items

    def get(self, path: str, *, failures: bool = False) -> str:
        """The text of an answer; with `failures`, also of one that says 500."""
        request = urllib.request.Request(self.server + path, headers={"Authorization": f"Bearer {self._token}"})
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=_TIMEOUT_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            if failures and error.code == 500:
                return text
            raise StartError(f"{self.server}{path} answers {error.code}: {text[:200]}") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise StartError(f"no appliance answers at {self.server} ({reason}); is it running?") from None


def fetch(data_dir: Path) -> dict[str, Any]:
    """The summary, as JSON-able data. Every entry has "problems": texts, empty when all is well."""
    api = Api(data_dir)
    routes = [_route(kind, item) for kind, path in _ROUTES for item in api.items(path)]
    return {
        "server": api.server,
        "ready": api.get("/readyz?verbose", failures=True).strip().splitlines(),
        "gateways": [_gateway(item) for item in api.items(f"{_GATEWAY}/v1/gateways")],
        "listener_sets": [_listener_set(item) for item in api.items(f"{_GATEWAY}/v1/listenersets")],
        "routes": routes,
        "policies": [_policy(kind, item) for kind, path in _POLICIES for item in api.items(path)],
        "backends": [_backend(item) for path in _BACKENDS for item in api.items(path)],
        "endpoints": _endpoints(json.loads(api.get("/debug/endpoints"))),
        "files": [_file(item) for item in api.items(_FILES)],
    }


def problems(summary: Mapping[str, Any]) -> int:
    """How many problems a summary tells of."""
    entries = [entry for part in _PARTS for entry in summary[part]]
    owners = [*summary["gateways"], *summary["listener_sets"]]
    listeners = [listener for owner in owners for listener in owner["listeners"]]
    return sum(len(entry["problems"]) for entry in [*entries, *listeners])


def _gateway(obj: Mapping[str, Any]) -> dict[str, Any]:
    class_name = obj["spec"]["gatewayClassName"]
    unserved = f"GatewayClass {class_name} does not exist or is another controller's; the appliance's is gatehouse"
    return {
        "name": _name(obj),
        "class": class_name,
        "addresses": [address["value"] for address in (obj.get("status") or {}).get("addresses") or ()],
        "problems": _unclaimed(obj, unserved) or _wrong((obj.get("status") or {}).get("conditions") or ()),
        "listeners": _listeners(obj),
    }


def _listener_set(obj: Mapping[str, Any]) -> dict[str, Any]:
    gateway = _parent(obj["spec"]["parentRef"], obj)
    unserved = f"{gateway} is another controller's, or no Gateway"
    return {
        "name": _name(obj),
        "gateway": gateway,
        "problems": _unclaimed(obj, unserved) or _wrong((obj.get("status") or {}).get("conditions") or ()),
        "listeners": _listeners(obj),
    }


def _listeners(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_name = {listener["name"]: listener for listener in (obj.get("status") or {}).get("listeners") or ()}
    return [_listener(spec, by_name.get(spec["name"]) or {}) for spec in obj["spec"].get("listeners") or ()]


def _unclaimed(obj: Mapping[str, Any], why: str) -> list[str]:
    """What to say of what has the API's first conditions still: no controller has taken notice of it."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    if any(condition["reason"] != "Pending" or condition["type"] != "Accepted" for condition in conditions[:1]):
        return []
    return [f"nobody serves it: {why}"]


def _listener(spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": spec["name"],
        "protocol": spec["protocol"],
        "port": spec["port"],
        "hostname": spec.get("hostname", "*"),
        "routes": status.get("attachedRoutes", 0),
        "problems": _wrong(status.get("conditions") or ()),
    }


def _route(kind: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    parents = (obj.get("status") or {}).get("parents") or ()
    wrong = [
        f"{_parent(parent['parentRef'], obj)}: {text}"
        for parent in parents
        for text in _wrong(parent.get("conditions") or ())
    ]
    answered = {_parent(parent["parentRef"], obj) for parent in parents}
    asked = {_parent(ref, obj): ref.get("kind") or "Gateway" for ref in obj["spec"].get("parentRefs") or ()}
    wrong += [f"{name}: the appliance serves no {asked[name]} of this name" for name in asked if name not in answered]
    if not parents and not asked:
        wrong = ["it names no Gateway in parentRefs"]
    return {
        "kind": kind,
        "name": _name(obj),
        "hostnames": obj["spec"].get("hostnames") or [],
        "parents": [_parent(parent["parentRef"], obj) for parent in parents],
        "backends": sorted(_backend_refs(obj)),
        "problems": wrong,
    }


def _policy(kind: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    ancestors = (obj.get("status") or {}).get("ancestors") or ()
    unused = ["no route of a Gateway of the appliance leads to what it targets"]
    wrong = [
        f"{_parent(ancestor['ancestorRef'], obj)}: {text}"
        for ancestor in ancestors
        for text in _wrong(ancestor.get("conditions") or ())
    ]
    return {
        "kind": kind,
        "name": _name(obj),
        "targets": [_target(ref) for ref in obj["spec"].get("targetRefs") or ()],
        "problems": wrong if ancestors else unused,
    }


def _target(ref: Mapping[str, Any]) -> str:
    return f"{ref['kind']} {ref['name']}" + (f":{ref['sectionName']}" if ref.get("sectionName") else "")


def _parent(ref: Mapping[str, Any], obj: Mapping[str, Any]) -> str:
    section = f"/{ref['sectionName']}" if ref.get("sectionName") else ""
    kind = "" if ref.get("kind", "Gateway") == "Gateway" else f"{ref['kind']} "
    return f"{kind}{ref.get('namespace') or obj['metadata'].get('namespace')}/{ref['name']}{section}"


def _backend_refs(obj: Mapping[str, Any]) -> set[str]:
    refs = [ref for rule in obj["spec"].get("rules") or () for ref in rule.get("backendRefs") or ()]
    return {
        f"{ref.get('kind') or 'Service'} {ref.get('namespace') or obj['metadata'].get('namespace')}/{ref['name']}"
        + (f":{ref['port']}" if ref.get("port") else "")
        for ref in refs
    }


def _backend(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A Backend with its own conditions, or an XBackend with those towards each Gateway."""
    status = obj.get("status") or {}
    wrong = _wrong(status.get("conditions") or ())
    for parent in status.get("parents") or ():
        wrong += [f"{_parent(parent['parentRef'], obj)}: {text}" for text in _wrong(parent.get("conditions") or ())]
    return {"name": _name(obj), "problems": wrong}


def _endpoints(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What serves nothing: endpoints that refuse connections, and backends of rules that have no endpoint at all."""
    down = [
        {
            "backend": entry["cluster"],
            "address": entry["address"],
            "problems": [f"takes no connections ({entry['error']}); it is left out, and tried again now and then"],
        }
        for entry in found["down"]
    ]
    empty = [
        {
            "backend": name,
            "address": "none",
            "problems": [_EMPTY + (_SLICES if name.startswith("service/") else "")],
        }
        for name in found["empty"]
    ]
    return down + empty


def _file(obj: Mapping[str, Any]) -> dict[str, Any]:
    status = obj.get("status") or {}
    conditions = status.get("conditions") or ()
    return {
        "path": obj.get("spec", {}).get("path", ""),
        "objects": len(status.get("objects") or ()),
        "problems": [condition["message"] for condition in conditions if condition["status"] != "True"],
    }


def _wrong(conditions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The conditions that are not as one wishes, as texts."""
    return [
        f"{condition['type']}={condition['status']} ({condition['reason']}): {condition['message']}"
        for condition in conditions
        if (condition["status"] == "True") == (condition["type"] in _INVERTED)
    ]


def _name(obj: Mapping[str, Any]) -> str:
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else str(metadata["name"])
