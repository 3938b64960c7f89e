"""The Service that stands for a Gateway among other Services (Gateway API: GatewayInfrastructure; GEP-1762).

Nothing of the traffic depends on it. It tells people and programs that look at Services where a Gateway is reached, and
carries the labels and annotations that the Gateway asks for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.gatewayapi.resources import GATEWAY_GROUP, Key, Resource
from proxy.snapshot.listeners import BindKey

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "gatehouse"
GATEWAY_NAME: Final = f"{GATEWAY_GROUP}/gateway-name"
CLASS_NAME: Final = f"{GATEWAY_GROUP}/gateway-class-name"
LOAD_BALANCER_CLASS: Final = "gatehouse.dev/gateway"

_LABEL_LIMIT: Final = 63
"""Characters in a label's value, and in a Service's name."""

_SERVICE_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DIGEST: Final = 8

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GatewayService:
    """The Service as wanted. gateway, uid: whose it is; ports: (transport, number) pairs, sorted."""

    key: Key
    gateway: Key
    uid: str
    labels: Pairs
    annotations: Pairs
    ports: tuple[tuple[str, int], ...]


def gateway_service(gateway: Resource, sockets: Iterable[BindKey]) -> GatewayService | None:
    """sockets: of the Gateway's Listeners, those of ListenerSets included. None: there is nothing to reach."""
    ports = tuple(sorted({(socket.transport, socket.port) for socket in sockets}))
    uid = gateway.body["metadata"].get("uid", "")
    if not ports:
        return None
    asked = gateway.spec.get("infrastructure") or {}
    class_name = gateway.spec["gatewayClassName"]
    labels = {
        **(asked.get("labels") or {}),
        GATEWAY_NAME: _short(gateway.name),
        CLASS_NAME: _short(class_name),
        MANAGED_BY: MANAGER,
    }
    return GatewayService(
        Key("Service", gateway.namespace, service_name(gateway.name, class_name)),
        gateway.key,
        uid,
        tuple(sorted(labels.items())),
        tuple(sorted((asked.get("annotations") or {}).items())),
        ports,
    )


def service_name(gateway: str, class_name: str) -> str:
    """GATEWAY-CLASS, as GEP-1762 would have it; where that is no name for a Service, one made of it and its digest."""
    plain = f"{gateway}-{class_name}"
    if len(plain) <= _LABEL_LIMIT and _SERVICE_NAME.fullmatch(plain):
        return plain
    letters = re.sub("[^a-z0-9]+", "-", plain).strip("-")
    start = "" if letters[:1].isalpha() else "gateway-"
    return f"{start}{letters}"[: _LABEL_LIMIT - _DIGEST - 1].rstrip("-") + f"-{_digest(plain)}"


def _short(name: str) -> str:
    """A name as a label's value: Gateways may have longer ones than labels."""
    if len(name) <= _LABEL_LIMIT:
        return name
    return name[: _LABEL_LIMIT - _DIGEST - 1].rstrip("-.") + f"-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def manifest(service: GatewayService) -> dict[str, Any]:
    """The Service as an object of the API."""
    owner = {
        "apiVersion": f"{GATEWAY_GROUP}/v1",
        "kind": "Gateway",
        "name": service.gateway.name,
        "uid": service.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata: dict[str, Any] = {
        "name": service.key.name,
        "namespace": service.key.namespace,
        "labels": dict(service.labels),
        "ownerReferences": [owner],
    }
    if service.annotations:
        metadata["annotations"] = dict(service.annotations)
    ports = [
        {"name": f"{transport}-{port}", "port": port, "protocol": transport.upper(), "targetPort": port}
        for transport, port in service.ports
    ]
    spec = {
        "type": "LoadBalancer",
        "loadBalancerClass": LOAD_BALANCER_CLASS,
        "allocateLoadBalancerNodePorts": False,
        "ports": ports,
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def ingress(status: Mapping[str, Any]) -> list[dict[str, str]]:
    """Where a Gateway is reached, as a Service says it; status: of the Gateway. Nowhere, until it is programmed."""
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    if conditions.get("Programmed") != "True":
        return []
    fields = {"IPAddress": "ip", "Hostname": "hostname"}
    return [{fields[a["type"]]: a["value"]} for a in status.get("addresses") or () if a["type"] in fields]
