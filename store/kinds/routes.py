"""What all kinds of routes share: their status, the default Gateways, session persistence, names of rules."""

from __future__ import annotations

from typing import Any

from store.kinds.columns import AGE
from store.kinds.conditions import conditions
from store.kinds.fields import items, record, string
from store.kinds.kind import Column, Kind, Version
from store.kinds.names import controller_name, duration, hostname
from store.kinds.references import GATEWAY_API, parent_reference
from store.schema.structural import Rule, Schema

USE_DEFAULT_GATEWAYS = string("Whether default Gateways are parents as well.", one_of=("All", "None"))

_PARENT_STATUS = record(
    "What became of the route at one parent.",
    {
        "conditions": conditions("State of the route at this parent.", at_least=1),
        "controllerName": controller_name("Controller that wrote this."),
        "parentRef": parent_reference("The parent, as the route names it."),
    },
    required=("conditions", "controllerName", "parentRef"),
)
ROUTE_STATUS = record(
    "What became of the route.",
    {"parents": items("State of the route at each parent.", _PARENT_STATUS, at_most=32)},
    required=("parents",),
)


def hostnames(
    description: str, *, at_least: int | None = None, at_most: int = 16, rules: tuple[Rule, ...] = ()
) -> Schema:
    """The host names that a route is for."""
    return items(
        description, hostname("A host name, perhaps with a wildcard."), at_least=at_least, at_most=at_most, rules=rules
    )


def _names_unique(rules: list[dict[str, Any]], _: Any) -> bool:
    names = [rule["name"] for rule in rules if "name" in rule]
    return len(set(names)) == len(names)


RULE_NAMES_UNIQUE = Rule("Rule name must be unique within the route", _names_unique)


def _few_matches(rules: list[dict[str, Any]], _: Any) -> bool:
    return sum(len(rule.get("matches", ())) for rule in rules) <= 128


FEW_MATCHES = Rule(
    "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route "
    "must be less than 128",
    _few_matches,
)


def _permanent_cookie_ends(persistence: dict[str, Any], _: Any) -> bool:
    cookie = persistence.get("cookieConfig", {})
    return cookie.get("lifetimeType") != "Permanent" or "absoluteTimeout" in persistence


def _cookie_config_for_cookies(persistence: dict[str, Any], _: Any) -> bool:
    return "cookieConfig" not in persistence or persistence["type"] == "Cookie"


SESSION_PERSISTENCE = record(
    "How a client stays with the backend that it was first sent to.",
    {
        "absoluteTimeout": duration("Time after which a session ends in any case."),
        "cookieConfig": record(
            "Settings of the cookie.",
            {
                "lifetimeType": string(
                    "Whether the cookie outlives the browser.", one_of=("Permanent", "Session"), default="Session"
                )
            },
        ),
        "sessionName": string("Name of the cookie or header.", at_most=128),
        "type": string("What carries the session.", one_of=("Cookie", "Header"), default="Cookie"),
    },
    rules=(
        Rule("AbsoluteTimeout must be specified when cookie lifetimeType is Permanent", _permanent_cookie_ends),
        Rule("cookieConfig can only be set with type Cookie", _cookie_config_for_cookies),
    ),
)


def route_schema(description: str, spec: Schema) -> Schema:
    """The whole object of a route."""
    return record(description, {"spec": spec, "status": ROUTE_STATUS}, required=("spec",))


def route_kind(name: str, *versions: Version) -> Kind:
    """A kind of routes."""
    return Kind(
        group=GATEWAY_API,
        name=name,
        plural=f"{name.lower()}s",
        singular=name.lower(),
        categories=("gateway-api",),
        subresources=("status",),
        versions=versions,
    )


def outdated(kind: str, name: str, schema: Schema) -> Version:
    """An old version of a kind of routes, still served with a warning."""
    deprecation = (
        f"The {name} version of {kind} has been deprecated and will be removed in a future release of the API. "
        "Please upgrade to v1."
    )
    return Version(name, schema, (AGE,), deprecation=deprecation)


HOSTNAMES_COLUMN = Column("Hostnames", "string", ".spec.hostnames")
