"""The endpoints behind a Service or a Backend.

A bare machine has no pods: the endpoints of a Service are those of its EndpointSlices, whoever wrote them; a Service
without slices has none, and its rules answer 503.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.surroundings import Surroundings
from proxy.snapshot.clusters import Endpoint

_UNIX_PATH_LIMIT: Final = 107
"""Bytes in sockaddr_un.sun_path on Linux, less the closing NUL (unix(7))."""


def service_endpoints(service: Resource, port: Json, slices: tuple[Resource, ...]) -> tuple[Endpoint, ...]:
    """The sorted endpoints of one port of a Service.

    ExternalName: the name itself, at the port's targetPort when that is a number, else at the port. Otherwise every
    ready endpoint of its slices at the slice's port of the same name; where none is ready, those that still serve
    while they terminate (discovery.k8s.io/v1 EndpointConditions).
    """
    if service.spec.get("type") == "ExternalName":
        name = (service.spec.get("externalName") or "").rstrip(".").lower()
        return (_endpoint("FQDN", name, _number(port)),) if name else ()
    protocol = port.get("protocol") or "TCP"
    found = [entry for piece in slices for entry in _slice_endpoints(piece, port, protocol)]
    ready = {endpoint for endpoint, state in found if state.get("ready", True) is not False}
    serving = {endpoint for endpoint, state in found if state.get("serving") and state.get("terminating")}
    return tuple(sorted(ready or serving, key=_order))


def _slice_endpoints(piece: Resource, port: Json, protocol: str) -> Iterator[tuple[Endpoint, Json]]:
    ports = piece.body.get("ports") or ()
    numbers = [
        p.get("port") or _number(port)
        for p in ports
        if (p.get("name") or "") == (port.get("name") or "") and (p.get("protocol") or "TCP") == protocol
    ]
    for number in numbers:
        for entry in piece.body.get("endpoints") or ():
            # Addresses of one endpoint are interchangeable and consumers may use the first alone, as kube-proxy does.
            if addresses := entry.get("addresses"):
                yield (
                    _endpoint(piece.body.get("addressType") or "IPv4", addresses[0], number),
                    entry.get("conditions") or {},
                )


def _number(port: Json) -> int:
    target = port.get("targetPort")
    return target if isinstance(target, int) and target else int(port["port"])


def _endpoint(address_type: str, host: str, port: int, weight: int = 1) -> Endpoint:
    if address_type == "FQDN":
        return Endpoint("name", host, port, weight)
    return Endpoint("ip", str(ip_address(host)), port, weight)


def _order(endpoint: Endpoint) -> tuple[str, str, int, int]:
    return (endpoint.kind, endpoint.host, endpoint.port, endpoint.weight)


def backend_endpoints(backend: Resource, ref_port: int) -> tuple[tuple[Endpoint, ...], str]:
    """The sorted endpoints of a Backend, and a sentence on what is wrong with it or "".

    An endpoint without a port takes the backendRef's; one with weight 0 is left out.
    """
    endpoints: set[Endpoint] = set()
    for index, entry in enumerate(backend.spec.get("endpoints") or ()):
        weight = entry.get("weight", 1)
        port = entry.get("port") or ref_port
        if path := entry.get("unix"):
            if not path.startswith("/") or len(path.encode()) > _UNIX_PATH_LIMIT:
                return (), f"endpoint {index}: {path} is no absolute path of at most {_UNIX_PATH_LIMIT} bytes"
            endpoint = Endpoint("unix", path, 0, max(weight, 1))
        elif not port:
            return (), f"endpoint {index} has no port and the backendRef gives none"
        elif ip := entry.get("ip"):
            try:
                endpoint = _endpoint("IP", ip, port, max(weight, 1))
            except ValueError:
                return (), f"endpoint {index}: {ip} is no IP address"
        elif hostname := entry.get("hostname"):
            endpoint = _endpoint("FQDN", hostname.rstrip(".").lower(), port, max(weight, 1))
        else:
            return (), f"endpoint {index} has none of ip, hostname and unix"
        if weight > 0:
            endpoints.add(endpoint)
    return tuple(sorted(endpoints, key=_order)), ""


def denied(endpoint: Endpoint, surroundings: Surroundings) -> bool:
    """Whether the appliance may not connect there: link-local, multicast and unspecified addresses, and what the
    settings deny. Names are judged by the proxy when it has resolved them."""
    if endpoint.kind != "ip":
        return False
    address = ip_address(endpoint.host)
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (endpoint.host, endpoint.port) in surroundings.denied_endpoints
        or any(address.version == net.version and address in net for net in surroundings.denied_networks)
    )
