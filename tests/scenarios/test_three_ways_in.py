"""curl with a token, the Python client and the folder: the same objects, the same snapshot, the same statuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml

from tests.scenarios.appliance import ApiError, Appliance, free_port
from tests.scenarios.certificates import TestAuthority
from tests.scenarios.objects import collection, documents, path
from tests.scenarios.waiting import wait_for

pytestmark = pytest.mark.needs("curl")

Way = Callable[[Appliance, list[dict[str, Any]], Path], None]


def by_curl(appliance: Appliance, objects: list[dict[str, Any]], folder: Path) -> None:
    """POST each object, with the token."""
    for obj in objects:
        command = ["curl", "-sS", "--fail-with-body", "--cacert", str(appliance.ca)]
        command += ["-H", f"Authorization: Bearer {appliance.token}", "-H", "Content-Type: application/json"]
        command += ["-d", json.dumps(obj), appliance.url + collection(obj)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def by_python(appliance: Appliance, objects: list[dict[str, Any]], folder: Path) -> None:
    """The official client, from the kubeconfig."""
    with kubernetes.config.new_client_from_config(str(appliance.kubeconfig)) as client:
        cache = str(folder / "discovery.json")
        dynamic = kubernetes.dynamic.DynamicClient(client, cache_file=cache)
        for obj in objects:
            resource = dynamic.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            resource.create(body=obj, namespace=obj["metadata"].get("namespace"))


def by_folder(appliance: Appliance, objects: list[dict[str, Any]], folder: Path) -> None:
    """One file with all of them."""
    (folder / "manifests" / "all.yaml").write_text(yaml.safe_dump_all(objects))


def objects_of_the_story(ports: dict[str, int], certificate: str) -> list[dict[str, Any]]:
    """Every kind that makes a gateway."""
    tls = "{certificateRefs: [{name: a}]}"
    listeners = f"""
  - {{name: http, port: {ports["http"]}, protocol: HTTP, allowedRoutes: {{namespaces: {{from: All}}}}}}
  - {{name: https, port: {ports["tls"]}, protocol: HTTPS, hostname: a.example.com, tls: {tls}}}
  - {{name: tls, port: {ports["tls"]}, protocol: TLS, hostname: b.example.com, tls: {{mode: Passthrough}}}}
  - {{name: tcp, port: {ports["tcp"]}, protocol: TCP}}
  - {{name: udp, port: {ports["udp"]}, protocol: UDP}}
"""
    return documents(f"""
apiVersion: v1
kind: Namespace
metadata: {{name: team}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: team}}
spec: {{ports: [{{name: http, port: 80, targetPort: web}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-1, namespace: team, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: [{{name: http, port: 18080}}]
endpoints: [{{addresses: [127.0.0.1]}}, {{addresses: [127.0.0.2]}}]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: machine, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: 18081}}, {{ip: 127.0.0.1, port: 18082, weight: 3}}]}}
---
{certificate}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gateway, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners:{listeners}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {{name: to-machine, namespace: default}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: team}}]
  to: [{{group: gatehouse.dev, kind: Backend}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: web, namespace: team}}
spec:
  parentRefs: [{{name: gateway, namespace: default, sectionName: http}}]
  hostnames: [web.example.com]
  rules:
  - matches: [{{path: {{type: PathPrefix, value: /api}}, headers: [{{name: X-Version, value: "2"}}]}}]
    filters: [{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: /}}}}}}]
    backendRefs:
    - {{name: web, port: 80, weight: 9}}
    - {{group: gatehouse.dev, kind: Backend, name: machine, namespace: default}}
  - backendRefs: [{{name: missing, port: 80}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: secure, namespace: default}}
spec:
  parentRefs: [{{name: gateway, sectionName: https}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: machine}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {{name: through, namespace: default}}
spec:
  parentRefs: [{{name: gateway, sectionName: tls}}]
  hostnames: [b.example.com]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: machine}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: stream, namespace: default}}
spec:
  parentRefs: [{{name: gateway, sectionName: tcp}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: machine}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: datagrams, namespace: default}}
spec:
  parentRefs: [{{name: gateway, sectionName: udp}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: machine}}]}}]
""")


def without_times(status: Any) -> Any:
    """A status without the moments of its transitions."""
    if isinstance(status, dict):
        return {k: without_times(v) for k, v in status.items() if k != "lastTransitionTime"}
    return [without_times(item) for item in status] if isinstance(status, list) else status


def outcome(way: Way, objects: list[dict[str, Any]], folder: Path) -> tuple[bytes, dict[str, Any]]:
    """A fresh appliance, the objects by one way; its snapshot and statuses when everything is settled."""
    (folder / "manifests").mkdir(parents=True)
    options = ["--manifests", str(folder / "manifests"), "--access-log", "off"]
    with Appliance(folder / "data", *options) as appliance:
        way(appliance, objects, folder)
        with_status = [o for o in objects if o["kind"] == "Gateway" or o["kind"].endswith("Route")]
        gateway = next(o for o in objects if o["kind"] == "Gateway")

        def settled() -> bool:
            listeners = _status(appliance, gateway).get("listeners", [])
            programmed = [c["status"] for x in listeners for c in x["conditions"] if c["type"] == "Programmed"]
            return [x["attachedRoutes"] for x in listeners] == [1] * 5 and programmed == ["True"] * 5

        wait_for(f"five programmed listeners with a route each, {way.__doc__}", settled, deadline_s=20)
        wait_for("every route has a status", lambda: all(_status(appliance, o).get("parents") for o in with_status[1:]))
        snapshot = json.dumps(appliance.request("GET", "/debug/snapshot")).encode()
        return snapshot, {path(o): without_times(_status(appliance, o)) for o in with_status}


def _status(appliance: Appliance, obj: dict[str, Any]) -> dict[str, Any]:
    """Empty when there is none, or no object yet."""
    try:
        status: dict[str, Any] = appliance.request("GET", path(obj)).get("status", {})
    except ApiError as error:
        assert error.status == 404
        return {}
    return status


def test_three_ways_give_the_same_gateway(tmp_path: Path) -> None:
    """Byte-identical snapshots, the same statuses."""
    names = ("http", "tls", "tcp", "udp")
    ports = {name: free_port() for name in names}
    objects = objects_of_the_story(ports, TestAuthority().issue("a.example.com").secret("a"))
    ways = {"curl": by_curl, "python": by_python, "folder": by_folder}
    outcomes = {name: outcome(way, objects, tmp_path / name) for name, way in ways.items()}
    snapshot, statuses = outcomes["curl"]
    assert len(json.loads(snapshot)["binds"]) == 4
    assert statuses[path(objects[-1])]["parents"][0]["conditions"]
    for name, (other_snapshot, other_statuses) in outcomes.items():
        assert other_snapshot == snapshot, name
        assert other_statuses == statuses, name
