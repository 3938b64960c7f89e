"""Listeners, as a Gateway and a ListenerSet both have them (Gateway API v1.6, GEP-1713)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from store.kinds.conditions import conditions
from store.kinds.fields import int32, items, keyed, mapping, record, string
from store.kinds.names import PROTOCOL, group, hostname, kind, port_number, section_name
from store.kinds.references import GATEWAY_API, secret_reference
from store.kinds.selectors import label_selector
from store.schema.structural import Rule, Schema

Listener = dict[str, Any]


def _each(holds: Callable[[Listener], bool]) -> Callable[[list[Listener], Any], bool]:
    return lambda listeners, _: all(holds(listener) for listener in listeners)


def _unique(keys: Iterable[Any]) -> bool:
    known = list(keys)
    return len(set(known)) == len(known)


def _terminates_https(listener: Listener) -> bool:
    return listener["protocol"] != "HTTPS" or "tls" not in listener or listener["tls"]["mode"] in ("", "Terminate")


def _tls_has_mode(listener: Listener) -> bool:
    return listener["protocol"] != "TLS" or bool(listener.get("tls", {}).get("mode"))


LISTENER_RULES = (
    Rule(
        "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
        _each(lambda one: one["protocol"] not in ("HTTP", "TCP", "UDP") or "tls" not in one),
    ),
    Rule("tls mode must be Terminate for protocol HTTPS", _each(_terminates_https)),
    Rule("tls mode must be set for protocol TLS", _each(_tls_has_mode)),
    Rule(
        "hostname must not be specified for protocols ['TCP', 'UDP']",
        _each(lambda one: one["protocol"] not in ("TCP", "UDP") or not one.get("hostname")),
    ),
    Rule(
        "Listener name must be unique within the Gateway",
        lambda listeners, _: _unique(one["name"] for one in listeners),
    ),
    Rule(
        "Combination of port, protocol and hostname must be unique for each listener",
        lambda listeners, _: _unique((one["port"], one["protocol"], one.get("hostname")) for one in listeners),
    ),
)


def _certificates_when_terminating(tls: dict[str, Any], _: Any) -> bool:
    return tls["mode"] != "Terminate" or bool(tls.get("certificateRefs") or tls.get("options"))


def tls_options() -> Schema:
    """Settings that an implementation understands and the API does not."""
    return mapping("Settings of the implementation's own.", string(at_least=0, at_most=4096), at_most=16)


_TLS = record(
    "How TLS is handled; for protocols HTTPS and TLS.",
    {
        "certificateRefs": items(
            "Certificates to serve.", secret_reference("A Secret with certificate and key."), at_most=64
        ),
        "mode": string(
            "Whether TLS ends here, or goes through to the backend.",
            one_of=("Terminate", "Passthrough"),
            default="Terminate",
        ),
        "options": tls_options(),
    },
    rules=(
        Rule("certificateRefs or options must be specified when mode is Terminate", _certificates_when_terminating),
    ),
)


def route_kinds(description: str) -> Schema:
    """Kinds of routes."""
    one = record("A kind of route.", {"group": group(default=GATEWAY_API), "kind": kind()}, required=("kind",))
    return items(description, one, at_most=8)


def allowed_namespaces(description: str, choices: tuple[str, ...], default: str) -> Schema:
    """Namespaces from which something may attach."""
    return record(
        description,
        {
            "from": string("How the namespaces are chosen.", one_of=choices, default=default),
            "selector": label_selector("Labels of the namespaces, when from is Selector."),
        },
        default={"from": default},
    )


_ALLOWED_ROUTES = record(
    "Routes that may attach.",
    {
        "kinds": route_kinds("Kinds of routes that may attach; those of the protocol if unset."),
        "namespaces": allowed_namespaces("Namespaces whose routes may attach.", ("All", "Selector", "Same"), "Same"),
    },
    default={"namespaces": {"from": "Same"}},
)

LISTENER = record(
    "A port, a protocol and perhaps a host name that traffic is accepted for.",
    {
        "allowedRoutes": _ALLOWED_ROUTES,
        "hostname": hostname("Host name that traffic must be for; any if unset."),
        "name": section_name("Name of the listener, unique among its neighbours."),
        "port": port_number("Port to listen on."),
        "protocol": string(
            "Protocol to expect: HTTP, HTTPS, TLS, TCP or UDP.", pattern=PROTOCOL, at_least=1, at_most=255
        ),
        "tls": _TLS,
    },
    required=("name", "port", "protocol"),
)


def listeners(description: str) -> Schema:
    """The listeners of a Gateway or ListenerSet."""
    return keyed(description, LISTENER, "name", at_least=1, at_most=64, rules=LISTENER_RULES)


LISTENER_STATUSES = keyed(
    "What became of each listener.",
    record(
        "What became of a listener.",
        {
            "attachedRoutes": int32("How many routes are attached."),
            "conditions": conditions("State of the listener."),
            "name": section_name("Name of the listener."),
            "supportedKinds": route_kinds("Kinds of routes that can attach."),
        },
        required=("attachedRoutes", "conditions", "name"),
    ),
    "name",
    at_most=64,
)
