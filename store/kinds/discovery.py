"""The discovery group: EndpointSlice."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.columns import AGE, text
from store.kinds.fields import boolean, distinct, int32, items, mapping, record, string
from store.kinds.kind import Column, Kind, Version
from store.kinds.spellings import complaints, ip_errors, label_errors, qualified_name_errors, subdomain_errors
from store.schema.causes import cause, duplicate, required, too_many, unsupported

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_SHOWN = 3
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_PORTS = 1000, 100, 20000


def _judge(value: dict[str, Any], old: dict[str, Any] | None) -> Iterator[Cause]:
    type_ = value.get("addressType", "")
    if not type_:
        yield required("addressType")
    elif type_ not in _ADDRESS_TYPES:
        yield unsupported("addressType", type_, _ADDRESS_TYPES)
    yield from _judge_ports(value.get("ports") or [])
    endpoints = value.get("endpoints") or []
    if old is None or endpoints != (old.get("endpoints") or []):
        yield from _judge_endpoints(endpoints, type_)


def _judge_ports(ports: list[dict[str, Any]]) -> Iterator[Cause]:
    if len(ports) > _MOST_PORTS:
        yield too_many("ports", len(ports), _MOST_PORTS)
        return
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name, protocol = f"ports[{index}]", port["name"], port["protocol"]
        if name:
            yield from complaints(f"{where}.name", name, label_errors(name))
        if name in names:
            yield duplicate(f"{where}.name", name)
        names.add(name)
        if protocol not in _PROTOCOLS:
            yield unsupported(f"{where}.protocol", protocol, _PROTOCOLS)
        if "appProtocol" in port:
            app_protocol = port["appProtocol"]
            yield from complaints(f"{where}.appProtocol", app_protocol, qualified_name_errors(app_protocol))


def _judge_endpoints(endpoints: list[dict[str, Any]], type_: str) -> Iterator[Cause]:
    if len(endpoints) > _MOST_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), _MOST_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        where, addresses = f"endpoints[{index}]", endpoint.get("addresses") or []
        if not addresses:
            yield required(f"{where}.addresses", "must contain at least 1 address")
        elif len(addresses) > _MOST_ADDRESSES:
            yield too_many(f"{where}.addresses", len(addresses), _MOST_ADDRESSES)
        for place, address in enumerate(addresses):
            yield from _judge_address(f"{where}.addresses[{place}]", address, type_)
        if "hostname" in endpoint:
            name = endpoint["hostname"]
            yield from complaints(f"{where}.hostname", name, label_errors(name))
        if "nodeName" in endpoint:
            name = endpoint["nodeName"]
            yield from complaints(f"{where}.nodeName", name, subdomain_errors(name))


def _judge_address(where: str, address: str, type_: str) -> Iterator[Cause]:
    """Loopback is welcome: on a machine without a cluster the backend is often next door."""
    if type_ == "FQDN":
        name = address.removesuffix(".")
        wrong = list(complaints(where, address, subdomain_errors(name)))
        if not wrong and "." not in name:
            detail = "should be a domain with at least two segments separated by dots"
            wrong = [cause("FieldValueInvalid", where, address, detail)]
        yield from wrong
        return
    wrong = list(complaints(where, address, ip_errors(address)))
    yield from wrong
    if wrong or type_ not in _ADDRESS_TYPES:
        return
    parsed = ipaddress.ip_address(address)
    if f"IPv{parsed.version}" != type_:
        article = "an IPv4" if type_ == "IPv4" else "an IPv6"
        yield cause("FieldValueInvalid", where.rpartition("[")[0], address, f"must be {article} address")
    if parsed.is_unspecified:
        yield cause("FieldValueInvalid", where, address, f"may not be unspecified ({address})")
    if parsed.is_link_local:
        detail = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield cause("FieldValueInvalid", where, address, detail)
    if parsed.is_multicast and (str(parsed).startswith("224.0.0.") or str(parsed).startswith("ff02:")):
        detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        yield cause("FieldValueInvalid", where, address, detail)


def _shortened(shown: list[str]) -> str:
    if not shown:
        return "<unset>"
    more = f" + {len(shown) - _SHOWN} more..." if len(shown) > _SHOWN else ""
    return ",".join(shown[:_SHOWN]) + more


def _ports(value: dict[str, Any]) -> str:
    ports = value.get("ports") or []
    return _shortened([str(port["port"] if "port" in port else port.get("name", "*")) for port in ports])


def _addresses(value: dict[str, Any]) -> str:
    endpoints = value.get("endpoints") or []
    return _shortened([address for endpoint in endpoints for address in endpoint.get("addresses") or []])


_HINT = record("A zone or node.", {"name": string("Its name.")}, stated_required=("name",))
_ENDPOINT = record(
    "Something that serves.",
    {
        "addresses": distinct("Addresses of the endpoint; clients use the first.", string()),
        "conditions": record(
            "State of the endpoint.",
            {
                "ready": boolean("Whether it takes new connections."),
                "serving": boolean("Whether it serves, ending or not."),
                "terminating": boolean("Whether it is about to end."),
            },
            default={},
        ),
        "deprecatedTopology": mapping("Topology in the old form.", string()),
        "hints": record(
            "Where the endpoint should be used.",
            {"forNodes": items("Nodes.", _HINT), "forZones": items("Zones.", _HINT)},
        ),
        "hostname": string("Host name of the endpoint."),
        "nodeName": string("Node that the endpoint is on."),
        "targetRef": record(
            "Object that stands for the endpoint.",
            {
                "apiVersion": string("Group and version."),
                "fieldPath": string("Part of the object."),
                "kind": string("Kind."),
                "name": string("Name."),
                "namespace": string("Namespace."),
                "resourceVersion": string("Revision."),
                "uid": string("Identity."),
            },
            atomic=True,
        ),
        "zone": string("Zone that the endpoint is in."),
    },
    stated_required=("addresses",),
)
_PORT = record(
    "A port of every endpoint.",
    {
        "appProtocol": string("Protocol above TCP or UDP."),
        "name": string("Name of the port.", default=""),
        "port": int32("Number of the port; all ports if unset."),
        "protocol": string("TCP, UDP or SCTP.", stated_one_of=_PROTOCOLS, default="TCP"),
    },
    atomic=True,
)
_SCHEMA = replace(
    record(
        "Some of the endpoints of a Service.",
        {
            "addressType": string("IPv4, IPv6 or FQDN: what all addresses are.", stated_one_of=_ADDRESS_TYPES),
            "endpoints": items("The endpoints.", _ENDPOINT),
            "ports": items("Ports of all endpoints.", _PORT),
        },
        stated_required=("addressType",),
    ),
    judge=_judge,
)

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    name="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    custom=False,
    generation=True,
    versions=(
        Version(
            "v1",
            _SCHEMA,
            (
                text("AddressType", ".addressType"),
                Column("Ports", "string", cell=_ports),
                Column("Endpoints", "string", cell=_addresses),
                AGE,
            ),
            storage=True,
            status=False,
        ),
    ),
)
