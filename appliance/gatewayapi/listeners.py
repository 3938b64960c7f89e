"""A Listener by itself: protocol, kinds, hostname, TLS; whatever other Listeners there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from appliance.gatewayapi.certificates import CertificateMemo, Certificates, certificates, client_certificate
from appliance.gatewayapi.frontend import ClientCheck, client_check
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import GATEWAY_GROUP, Json, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings
from certs.bundle import Bundle
from proxy.snapshot.listeners import ClientValidation

Family = Literal["http", "tls", "tcp", "udp"]

PROTOCOLS: Final[dict[str, tuple[Family, tuple[str, ...]]]] = {
    "HTTP": ("http", ("HTTPRoute", "GRPCRoute")),
    "HTTPS": ("tls", ("HTTPRoute", "GRPCRoute")),
    "TLS": ("tls", ("TLSRoute",)),
    "TCP": ("tcp", ("TCPRoute",)),
    "UDP": ("udp", ("UDPRoute",)),
}
"""Each protocol with the family whose Listeners can share a socket, and the kinds of routes that it takes."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Which routes may attach. kinds: of routes; selector: for namespaces "Selector"; passthrough: TLS is relayed."""

    key: str
    name: str
    port: int
    hostname: str
    kinds: tuple[str, ...]
    namespaces: str
    selector: Json | None
    passthrough: bool = False


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """A Listener, read. unacceptable: a value that cannot be carried; unresolved: for ResolvedRefs.

    client_validation: what clients must show where TLS ends; backend_certificate: what backends are shown.
    """

    admission: Admission
    protocol: str
    certificates: Certificates
    unacceptable: Problem | None
    unresolved: tuple[Problem, ...]
    client_validation: ClientValidation | None = None
    backend_certificate: Bundle | None = None

    @property
    def family(self) -> Family | None:
        """None: the protocol is not supported."""
        known = PROTOCOLS.get(self.protocol)
        return known[0] if known else None

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        return "udp" if self.protocol == "UDP" else "tcp"

    @property
    def terminates(self) -> bool:
        return self.family == "tls" and not self.admission.passthrough

    @property
    def servable(self) -> bool:
        """Whether a socket can be given to it as far as itself is concerned."""
        return self.unacceptable is None and (not self.terminates or bool(self.certificates.usable))


def listener_key(gateway: Resource, owner: Resource, name: str) -> str:
    """What names a Listener everywhere; owner: the Gateway itself, or the ListenerSet that adds it."""
    own = f"{gateway.namespace}/{gateway.name}/{name}"
    return own if owner is gateway else f"{own}@{owner.namespace}/{owner.name}"


def read_listener(
    gateway: Resource, owner: Resource, body: Json, objects: Objects, surroundings: Surroundings, memo: CertificateMemo
) -> ListenerPlan:
    """Everything about a Listener that its Gateway, its owner (as in listener_key) and what these refer to say."""
    protocol = body["protocol"]
    tls = body.get("tls") or {}
    hostname = (body.get("hostname") or "").lower() if protocol in ("HTTP", "HTTPS", "TLS") else ""
    passthrough = protocol == "TLS" and tls.get("mode") == "Passthrough"
    found, check = Certificates(), ClientCheck()
    if protocol in ("HTTPS", "TLS") and tls.get("mode") != "Passthrough":
        refs = tls.get("certificateRefs") or ()
        found = certificates(owner, refs, hostname, objects, surroundings.now, memo.bundles)
        check = client_check(gateway, body["port"], objects, memo.trusts)
    kinds, kind_problem = _kinds(body, protocol)
    namespaces = (body.get("allowedRoutes") or {}).get("namespaces") or {}
    admission = Admission(
        key=listener_key(gateway, owner, body["name"]),
        name=body["name"],
        port=body["port"],
        hostname=hostname,
        kinds=kinds,
        namespaces=namespaces.get("from") or "Same",
        selector=namespaces.get("selector"),
        passthrough=passthrough,
    )
    shown = client_certificate(gateway, objects, memo.bundles)
    return ListenerPlan(
        admission,
        protocol,
        found,
        _unacceptable(body, surroundings) or check.unacceptable,
        (*found.problems, *check.unresolved, *((kind_problem,) if kind_problem else ())),
        check.validation,
        shown if isinstance(shown, Bundle) else None,
    )


def _kinds(body: Json, protocol: str) -> tuple[tuple[str, ...], Problem | None]:
    """The kinds of routes that the Listener takes, and what is wrong with those it asks for."""
    if protocol not in PROTOCOLS:
        return (), None
    served = PROTOCOLS[protocol][1]
    asked = (body.get("allowedRoutes") or {}).get("kinds") or ()
    if not asked:
        return served, None
    pairs = [(entry.get("group", GATEWAY_GROUP), entry["kind"]) for entry in asked]
    wrong = [
        kind if group == GATEWAY_GROUP else f"{kind}.{group}"
        for group, kind in pairs
        if group != GATEWAY_GROUP or kind not in served
    ]
    kinds = tuple(dict.fromkeys(kind for group, kind in pairs if group == GATEWAY_GROUP and kind in served))
    if not wrong:
        return kinds, None
    return kinds, Problem(
        "InvalidRouteKinds", f"{', '.join(wrong)} cannot attach to a listener with protocol {protocol}"
    )


def _unacceptable(body: Json, surroundings: Surroundings) -> Problem | None:
    protocol, port, tls = body["protocol"], body["port"], body.get("tls") or {}
    if protocol not in PROTOCOLS:
        return Problem("UnsupportedProtocol", f"protocol {protocol} is not supported; there are {', '.join(PROTOCOLS)}")
    if protocol != "UDP" and port in surroundings.reserved_ports:
        return Problem("PortUnavailable", f"port {port} belongs to {surroundings.reserved_ports[port]}")
    if protocol == "HTTPS" and tls.get("mode") == "Passthrough":
        return Problem("UnsupportedValue", "protocol HTTPS cannot have tls.mode Passthrough; use protocol TLS")
    if tls.get("options"):
        return Problem("UnsupportedValue", f"tls.options {', '.join(sorted(tls['options']))} are not supported")
    return None
