"""What a Gateway asks of clients that reach it by TLS (Gateway API: FrontendTLSConfig; GEP-91).

A port's own configuration stands in place of the default, also when it asks for nothing. It holds for every Listener
that ends TLS on the port, whether HTTP or a stream is inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.gatewayapi.conditions import Condition, good
from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.problems import Problem, worst
from appliance.gatewayapi.resources import Json, Objects, Resource
from appliance.gatewayapi.trust import ParsedTrust, authorities
from proxy.snapshot.listeners import ClientValidation

_LENIENT = "AllowInsecureFallback"


@dataclass(frozen=True, slots=True)
class ClientCheck:
    """validation: None asks clients for nothing. unacceptable: the Listener cannot be served, for what is asked cannot
    be checked; unresolved: for ResolvedRefs."""

    validation: ClientValidation | None = None
    unacceptable: Problem | None = None
    unresolved: tuple[Problem, ...] = ()


def client_check(gateway: Resource, port: int, objects: Objects, memo: Cache[ParsedTrust]) -> ClientCheck:
    """What clients of a port where TLS ends must show."""
    validation = _validation(_frontend(gateway), port)
    if not validation:
        return ClientCheck()
    refs = validation["caCertificateRefs"]
    found = authorities(gateway, refs, objects, memo, "InvalidCACertificateKind")
    if found.trust is None:
        reason = worst(found.problems)
        message = f"client certificates cannot be validated: {reason.message if reason else 'nobody is trusted'}"
        return ClientCheck(None, Problem("NoValidCACertificate", message), found.problems)
    check = ClientValidation(found.trust, required=validation.get("mode") != _LENIENT)
    return ClientCheck(check, None, found.problems)


def insecure_mode(gateway: Resource) -> tuple[Condition, ...]:
    """The warning that the API wants while any client may get in, certificate or not."""
    frontend = _frontend(gateway)
    ports = [entry["port"] for entry in frontend.get("perPort") or () if _is_lenient(entry.get("tls"))]
    where = [f"port {port}" for port in ports]
    if _is_lenient(frontend.get("default")):
        where.insert(0, "ports without a configuration of their own")
    if not where:
        return ()
    message = f"clients get in without a valid certificate (AllowInsecureFallback): {', '.join(where)}"
    return (good("InsecureFrontendValidationMode", "ConfigurationChanged", message),)


def _frontend(gateway: Resource) -> Json:
    return (gateway.spec.get("tls") or {}).get("frontend") or {}


def _validation(frontend: Json, port: int) -> Json:
    chosen = next((entry.get("tls") for entry in frontend.get("perPort") or () if entry["port"] == port), None)
    return ((chosen if chosen is not None else frontend.get("default")) or {}).get("validation") or {}


def _is_lenient(config: Json | None) -> bool:
    return ((config or {}).get("validation") or {}).get("mode") == _LENIENT
