"""The EndpointSlices that a Service's selector means. Pure: a Service and Pods come in, slices go out.

As kube-controller-manager's EndpointSlice controller makes them (discovery.k8s.io/v1): one group of slices for every
address family and every set of port numbers, since a port's name can mean another number in each Pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

Json = dict[str, Any]

MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME: Final = "kubernetes.io/service-name"
HEADLESS: Final = "service.kubernetes.io/headless"
OURS: Final = "gatehouse-endpoints"
ENDPOINTS_LIMIT: Final = 100
"""Endpoints in one slice; as many as Kubernetes puts there."""


def selects(service: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Whether a Pod of the Service's namespace is one of its endpoints. A Service without a selector selects none."""
    spec = service.get("spec") or {}
    selector = spec.get("selector") or {}
    labels = pod["metadata"].get("labels") or {}
    return (
        bool(selector)
        and spec.get("type") != "ExternalName"
        and all(labels.get(key) == value for key, value in selector.items())
    )


def slices(service: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> list[Json]:
    """The slices of a Service, without their names; pods: those that it selects. A Service without Pods has none."""
    groups: dict[tuple[str, str], tuple[list[Json], list[Json]]] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        ports = list(_ports(service, pod))
        for family, address in _addresses(pod):
            _, endpoints = groups.setdefault((family, repr(ports)), (ports, []))
            endpoints.append(_endpoint(service, pod, address))
    return [
        _slice(service, family, ports, endpoints[start : start + ENDPOINTS_LIMIT])
        for (family, _), (ports, endpoints) in sorted(groups.items())
        for start in range(0, len(endpoints), ENDPOINTS_LIMIT)
    ]


def _slice(service: Mapping[str, Any], family: str, ports: Sequence[Json], endpoints: Sequence[Json]) -> Json:
    metadata = service["metadata"]
    labels = {MANAGED_BY: OURS, SERVICE_NAME: metadata["name"]}
    if (service.get("spec") or {}).get("clusterIP") == "None":
        labels[HEADLESS] = ""
    owner = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [owner],
        },
        "addressType": family,
        "endpoints": list(endpoints),
        "ports": list(ports),
    }


def _ports(service: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[Json]:
    """The Service's ports as numbers of this Pod; a name that the Pod does not have is left out."""
    for port in (service.get("spec") or {}).get("ports") or ():
        protocol = port.get("protocol") or "TCP"
        target = port.get("targetPort") or port["port"]
        number = target if isinstance(target, int) else _named(pod, target, protocol)
        if number:
            found = {"name": port.get("name") or "", "port": number, "protocol": protocol}
            yield found | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {})


def _named(pod: Mapping[str, Any], name: str, protocol: str) -> int:
    for container in (pod.get("spec") or {}).get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == name and (port.get("protocol") or "TCP") == protocol:
                return int(port["containerPort"])
    return 0


def _addresses(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Address family and address, one of each family at most."""
    status = pod.get("status") or {}
    found = [entry.get("ip") for entry in status.get("podIPs") or ()] or [status.get("podIP")]
    seen: set[str] = set()
    for text in filter(None, found):
        try:
            family = f"IPv{ip_address(text).version}"
        except ValueError:
            continue  # whoever wrote the status wrote no address
        if family not in seen:
            seen.add(family)
            yield family, text


def _endpoint(service: Mapping[str, Any], pod: Mapping[str, Any], address: str) -> Json:
    metadata = pod["metadata"]
    conditions = (pod.get("status") or {}).get("conditions") or ()
    serving = any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)
    terminating = "deletionTimestamp" in metadata
    unready_too = bool((service.get("spec") or {}).get("publishNotReadyAddresses"))
    ready = unready_too or (serving and not terminating)
    reference = {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    endpoint: Json = {
        "addresses": [address],
        "conditions": {"ready": ready, "serving": unready_too or serving, "terminating": terminating},
        "targetRef": reference,
    }
    if node := (pod.get("spec") or {}).get("nodeName"):
        endpoint["nodeName"] = node
    return endpoint


def same(old: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a stored slice says what is wanted."""
    return (
        all(old.get(name) == wanted[name] for name in ("addressType", "endpoints", "ports"))
        and old["metadata"].get("labels") == wanted["metadata"]["labels"]
        and old["metadata"].get("ownerReferences") == wanted["metadata"]["ownerReferences"]
    )


def assign(existing: Iterable[Json], wanted: Iterable[Json]) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """Which slices to (replace, by what), to create and to delete. Those that are right stay; addressType never
    changes, so only a slice of the same family is replaced."""
    left = sorted(existing, key=lambda piece: str(piece["metadata"]["name"]))
    missing = []
    for piece in wanted:
        match = next((old for old in left if same(old, piece)), None)
        if match is None:
            missing.append(piece)
        else:
            left.remove(match)
    replace, create = [], []
    for piece in missing:
        match = next((old for old in left if old["addressType"] == piece["addressType"]), None)
        if match is None:
            create.append(piece)
        else:
            left.remove(match)
            replace.append((match, piece))
    return replace, create, left
