"""What Kubernetes refuses in a Service, in its words (pkg/apis/core/validation, ValidateService)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.errors import Cause
from store.kinds.spellings import (
    complaints,
    ip_errors,
    label_errors,
    label_value_errors,
    port_name_errors,
    port_number_errors,
    qualified_name_errors,
    subdomain_errors,
)
from store.schema.causes import cause, duplicate, required, unsupported

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_LONGEST_AFFINITY_S = 86400


def judge(value: dict[str, Any], old: dict[str, Any] | None) -> Iterator[Cause]:
    """Everything that is wrong with a Service whose defaults are filled in."""
    spec = value.get("spec") or {}
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    type_ = spec.get("type", "ClusterIP")
    if not ports and not headless and type_ != "ExternalName":
        yield required("spec.ports")
    if headless and type_ in ("LoadBalancer", "NodePort"):
        detail = f"may not be set to 'None' for {type_} services"
        yield cause("FieldValueInvalid", "spec.clusterIPs[0]", "None", detail)
    if type_ == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(ports)
    for key, label in (spec.get("selector") or {}).items():
        yield from complaints("spec.selector", key, qualified_name_errors(key))
        yield from complaints("spec.selector", label, label_value_errors(label))
    yield from _affinity(spec)
    yield from _addresses(spec, old)
    if type_ not in TYPES:
        yield unsupported("spec.type", type_, TYPES)
    yield from _node_ports(ports, type_)
    yield from _repeated_ports(ports)
    yield from _load_balancer(spec, type_)
    yield from _traffic_policies(spec)


def _external_name(spec: dict[str, Any]) -> Iterator[Cause]:
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield cause("FieldValueForbidden", f"spec.{field}", detail="may not be set for ExternalName services")
    if name := spec.get("externalName", "").removesuffix("."):
        yield from complaints("spec.externalName", name, subdomain_errors(name))
    else:
        yield required("spec.externalName")


def _ports(ports: list[dict[str, Any]]) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name = f"spec.ports[{index}]", port.get("name", "")
        if name:
            yield from complaints(f"{where}.name", name, label_errors(name))
            if name in names:
                yield duplicate(f"{where}.name", name)
            names.add(name)
        elif len(ports) > 1:
            yield required(f"{where}.name")
        number = port.get("port", 0)
        yield from complaints(f"{where}.port", number, port_number_errors(number))
        if port["protocol"] not in PROTOCOLS:
            yield unsupported(f"{where}.protocol", port["protocol"], PROTOCOLS)
        target = port.get("targetPort", 0)
        errors = port_name_errors(target) if isinstance(target, str) else port_number_errors(target)
        yield from complaints(f"{where}.targetPort", target, errors)
        if "appProtocol" in port:
            app_protocol = port["appProtocol"]
            yield from complaints(f"{where}.appProtocol", app_protocol, qualified_name_errors(app_protocol))


def _affinity(spec: dict[str, Any]) -> Iterator[Cause]:
    affinity = spec.get("sessionAffinity", "None")
    if affinity not in AFFINITIES:
        yield unsupported("spec.sessionAffinity", affinity, AFFINITIES)
    elif affinity == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        timeout = client.get("timeoutSeconds", 0)
        if not 0 < timeout <= _LONGEST_AFFINITY_S:
            where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
            detail = f"must be greater than 0 and less than {_LONGEST_AFFINITY_S}"
            yield cause("FieldValueInvalid", where, timeout, detail)


def _addresses(spec: dict[str, Any], old: dict[str, Any] | None) -> Iterator[Cause]:
    addresses, first = spec.get("clusterIPs") or [], spec.get("clusterIP", "")
    if addresses and addresses[0] != first:
        yield cause("FieldValueInvalid", "spec.clusterIPs", addresses, "first value must match `clusterIP`")
    for index, address in enumerate(addresses):
        if address != "None":
            yield from complaints(f"spec.clusterIPs[{index}]", address, ip_errors(address))
        elif len(addresses) > 1:
            detail = "'None' must be the first and only value"
            yield cause("FieldValueInvalid", f"spec.clusterIPs[{index}]", address, detail)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        yield from complaints(f"spec.externalIPs[{index}]", address, ip_errors(address))
    before = ((old or {}).get("spec") or {}).get("clusterIP", "")
    if before and first != before and spec.get("type") != "ExternalName":
        yield cause("FieldValueInvalid", "spec.clusterIPs[0]", first, "may not change once set")


def _node_ports(ports: list[dict[str, Any]], type_: str) -> Iterator[Cause]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        if not (node_port := port.get("nodePort", 0)):
            continue
        where = f"spec.ports[{index}].nodePort"
        if type_ == "ClusterIP":
            yield cause("FieldValueForbidden", where, detail="may not be used when `type` is 'ClusterIP'")
        elif not 30000 <= node_port <= 32767:
            detail = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            yield cause("FieldValueInvalid", where, node_port, detail)
        if (port["protocol"], node_port) in seen:
            yield duplicate(where, node_port)
        seen.add((port["protocol"], node_port))


def _repeated_ports(ports: list[dict[str, Any]]) -> Iterator[Cause]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        protocol, number = port["protocol"], port.get("port", 0)
        if (protocol, number) in seen:
            # Kubernetes shows the internal struct that it compares; its zero fields are part of the sentence.
            shown = (
                f'{{"Name":"","Protocol":"{protocol}","AppProtocol":null,"Port":{number},"TargetPort":0,"NodePort":0}}'
            )
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"spec.ports[{index}]")
        seen.add((protocol, number))


def _load_balancer(spec: dict[str, Any], type_: str) -> Iterator[Cause]:
    if type_ == "LoadBalancer":
        return
    for field, where in (
        ("loadBalancerSourceRanges", "LoadBalancerSourceRanges"),
        ("allocateLoadBalancerNodePorts", "allocateLoadBalancerNodePorts"),
        ("loadBalancerClass", "loadBalancerClass"),
    ):
        if field in spec and spec[field] != []:
            detail = "may only be used when `type` is 'LoadBalancer'"
            yield cause("FieldValueForbidden", f"spec.{where}", detail=detail)


def _traffic_policies(spec: dict[str, Any]) -> Iterator[Cause]:
    for field in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if (policy := spec.get(field)) is not None and policy not in POLICIES:
            yield unsupported(f"spec.{field}", policy, POLICIES)
