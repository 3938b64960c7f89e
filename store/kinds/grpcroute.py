"""GRPCRoute (gateway.networking.k8s.io): gRPC calls by service, method and header, to backends."""

from __future__ import annotations

from typing import Any

from store.kinds.columns import AGE
from store.kinds.fields import items, keyed, record, string
from store.kinds.filters import filters, header_name
from store.kinds.kind import Version
from store.kinds.names import section_name
from store.kinds.references import PARENT_REFS, backend_reference
from store.kinds.routes import (
    FEW_MATCHES,
    HOSTNAMES_COLUMN,
    RULE_NAMES_UNIQUE,
    SESSION_PERSISTENCE,
    USE_DEFAULT_GATEWAYS,
    hostnames,
    route_kind,
    route_schema,
)
from store.schema.scalars import matcher
from store.schema.structural import Rule, Schema

_FILTER_TYPES = ("ResponseHeaderModifier", "RequestHeaderModifier", "RequestMirror", "ExtensionRef")
_SERVICE = r"^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$"
_METHOD = r"^[A-Za-z_][A-Za-z_0-9]*$"


def _match_type() -> Schema:
    return string("How values are compared.", one_of=("Exact", "RegularExpression"), default="Exact")


def _spelt_well(member: str, pattern: str) -> Rule:
    matches = matcher(pattern)

    def check(method: dict[str, Any], _: Any) -> bool:
        return method.get("type", "Exact") != "Exact" or member not in method or matches(method[member])

    return Rule(f"{member} must only contain valid characters (matching {pattern})", check)


_METHOD_MATCH = record(
    "What is called.",
    {
        "method": string("The method.", at_most=1024),
        "service": string("The service.", at_most=1024),
        "type": _match_type(),
    },
    rules=(
        Rule(
            "One or both of 'service' or 'method' must be specified",
            lambda method, _: "type" not in method or "service" in method or "method" in method,
        ),
        _spelt_well("service", _SERVICE),
        _spelt_well("method", _METHOD),
    ),
)
_HEADER = record(
    "A header that must be there.",
    {
        "name": header_name(),
        "type": _match_type(),
        "value": string("What its value must be.", at_least=1, at_most=4096),
    },
    required=("name", "value"),
)
_MATCH = record(
    "Calls that are meant; all parts must match.",
    {
        "headers": keyed("Headers that must match.", _HEADER, "name", at_most=16),
        "method": _METHOD_MATCH,
    },
)
_RULE = record(
    "Calls that are meant, what happens to them, and where they go.",
    {
        "backendRefs": items(
            "Backends that share the calls.",
            backend_reference(filters("What happens to calls for this backend.", _FILTER_TYPES)),
            at_most=16,
        ),
        "filters": filters("What happens to the calls.", _FILTER_TYPES),
        "matches": items("Calls that are meant; one must match, and any does if unset.", _MATCH, at_most=64),
        "name": section_name("Name of the rule."),
        "sessionPersistence": SESSION_PERSISTENCE,
    },
)
_SPEC = record(
    "The route as wanted.",
    {
        "hostnames": hostnames("Hosts that calls may be for; those of the listener if unset."),
        "parentRefs": PARENT_REFS,
        "rules": items("Rules of the route.", _RULE, at_most=16, rules=(FEW_MATCHES, RULE_NAMES_UNIQUE)),
        "useDefaultGateways": USE_DEFAULT_GATEWAYS,
    },
)

GRPC_ROUTE = route_kind(
    "GRPCRoute",
    Version("v1", route_schema("Where gRPC calls go.", _SPEC), (HOSTNAMES_COLUMN, AGE), storage=True),
)
