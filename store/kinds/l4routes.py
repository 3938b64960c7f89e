"""What the routes of TLS, TCP and UDP share: rules that only name backends."""

from __future__ import annotations

from collections.abc import Mapping

from store.kinds.columns import AGE
from store.kinds.fields import items, record
from store.kinds.kind import Kind, Version
from store.kinds.names import section_name
from store.kinds.references import PARENT_REFS, backend_reference
from store.kinds.routes import RULE_NAMES_UNIQUE, USE_DEFAULT_GATEWAYS, outdated, route_kind, route_schema
from store.schema.structural import Schema

_RULE = record(
    "Where matching traffic goes.",
    {
        "backendRefs": items("Backends that share the traffic.", backend_reference(), at_least=1, at_most=16),
        "name": section_name("Name of the rule."),
    },
    required=("backendRefs",),
)
ONE_RULE = items("The rule of the route.", _RULE, at_least=1, at_most=1)
SEVERAL_RULES = items("Rules of the route.", _RULE, at_least=1, at_most=16, rules=(RULE_NAMES_UNIQUE,))


def spec(rules: Schema, *, required: tuple[str, ...] = ("rules",), **more: Schema) -> Schema:
    """The spec of such a route."""
    fields: Mapping[str, Schema] = {
        **more,
        "parentRefs": PARENT_REFS,
        "rules": rules,
        "useDefaultGateways": USE_DEFAULT_GATEWAYS,
    }
    return record("The route as wanted.", fields, required=required)


def transport_route(name: str, description: str) -> Kind:
    """A route that knows nothing but the listener it is attached to."""
    return route_kind(
        name,
        Version("v1", route_schema(description, spec(ONE_RULE)), (AGE,), storage=True),
        outdated(name, "v1alpha2", route_schema(description, spec(SEVERAL_RULES))),
    )
