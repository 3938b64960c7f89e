"""TLSRoute (gateway.networking.k8s.io): TLS connections by the name in their handshake, to backends."""

from __future__ import annotations

import ipaddress
from typing import Any

from store.kinds.columns import AGE
from store.kinds.kind import Version
from store.kinds.l4routes import ONE_RULE, SEVERAL_RULES, spec
from store.kinds.names import SUBDOMAIN
from store.kinds.routes import hostnames, outdated, route_kind, route_schema
from store.schema.scalars import matcher
from store.schema.structural import Rule

_is_subdomain = matcher(SUBDOMAIN)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _no_ip(names: list[str], _: Any) -> bool:
    return not any(_is_ip(name) for name in names)


def _precise_names_valid(names: list[str], _: Any) -> bool:
    return all(_is_subdomain(name) for name in names if "*" not in name)


def _wildcards_valid(names: list[str], _: Any) -> bool:
    return all(name.startswith("*.") and _is_subdomain(name[2:]) for name in names if "*" in name)


_DESCRIPTION = "Where TLS connections go, by the server name that they ask for."
_HOSTNAMES = hostnames(
    "Server names that connections may ask for.",
    at_least=1,
    at_most=1024,
    rules=(
        Rule("Hostnames cannot contain an IP", _no_ip),
        Rule("Hostnames must be valid based on RFC-1123", _precise_names_valid),
        Rule(
            "Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123",
            _wildcards_valid,
        ),
    ),
)
_SCHEMA = route_schema(_DESCRIPTION, spec(ONE_RULE, required=("hostnames", "rules"), hostnames=_HOSTNAMES))
_ANY_NAME = hostnames("Server names that connections may ask for; any if unset.", at_most=1024)

TLS_ROUTE = route_kind(
    "TLSRoute",
    Version("v1", _SCHEMA, (AGE,), storage=True),
    outdated("TLSRoute", "v1alpha2", route_schema(_DESCRIPTION, spec(SEVERAL_RULES, hostnames=_ANY_NAME))),
    outdated("TLSRoute", "v1alpha3", _SCHEMA),
)
