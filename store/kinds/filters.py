"""Filters of HTTPRoutes and GRPCRoutes: what happens to a request or response on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from store.kinds.fields import boolean, distinct, int32, integer, items, keyed, record, string
from store.kinds.names import (
    CORS_ORIGIN,
    HEADER_NAME,
    HEADER_VALUE,
    URL_PATH,
    port_number,
    precise_hostname,
)
from store.kinds.references import backend_object_reference, local_reference
from store.schema.structural import Rule, Schema

Filter = dict[str, Any]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


def header_name(description: str = "Name of the header.") -> Schema:
    """The name of a header, as RFC 9110 spells tokens."""
    return string(description, pattern=HEADER_NAME, at_least=1, at_most=256)


def header_value(description: str = "Value of the header.") -> Schema:
    """A value that may stand in a header."""
    return string(description, pattern=HEADER_VALUE, at_least=1, at_most=4096)


def _header_modifier(description: str) -> Schema:
    header = record("A header.", {"name": header_name(), "value": header_value()}, required=("name", "value"))
    return record(
        description,
        {
            "add": keyed("Headers to add to whatever values are there.", header, "name", at_most=16),
            "remove": distinct("Names of headers to remove.", string(), at_most=16),
            "set": keyed("Headers to set in place of other values.", header, "name", at_most=16),
        },
    )


def _numerator_fits(fraction: dict[str, Any], _: Any) -> bool:
    return bool(fraction["numerator"] <= fraction["denominator"])


_REQUEST_MIRROR = record(
    "A copy of each request goes elsewhere, and its answer nowhere.",
    {
        "backendRef": backend_object_reference("Backend that gets the copies."),
        "fraction": record(
            "Share of requests to copy, as a fraction.",
            {
                "denominator": int32("The lower number.", at_least=1, default=100),
                "numerator": int32("The upper number.", at_least=0),
            },
            required=("numerator",),
            rules=(Rule("numerator must be less than or equal to denominator", _numerator_fits),),
        ),
        "percent": int32("Share of requests to copy, in percent.", at_least=0, at_most=100),
    },
    required=("backendRef",),
    rules=(
        Rule(
            "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter",
            lambda mirror, _: not ("percent" in mirror and "fraction" in mirror),
        ),
    ),
)


def goes_with(member: str, discriminator: str, value: str) -> tuple[Rule, ...]:
    """A member is set exactly when the discriminator has its value."""
    return (
        Rule(
            f"{member} must be specified when {discriminator} is set to '{value}'",
            lambda union, _: union[discriminator] != value or member in union,
        ),
        Rule(
            f"{discriminator} must be '{value}' when {member} is set",
            lambda union, _: member not in union or union[discriminator] == value,
        ),
    )


_PATH_MODIFIER = record(
    "What the path becomes.",
    {
        "replaceFullPath": string("The whole new path.", at_most=1024),
        "replacePrefixMatch": string("What stands in place of the matched prefix.", at_most=1024),
        "type": string("How much is replaced.", one_of=("ReplaceFullPath", "ReplacePrefixMatch")),
    },
    required=("type",),
    rules=(
        *goes_with("replaceFullPath", "type", "ReplaceFullPath"),
        *goes_with("replacePrefixMatch", "type", "ReplacePrefixMatch"),
    ),
)
_REQUEST_REDIRECT = record(
    "The client is sent elsewhere.",
    {
        "hostname": precise_hostname("Host to send it to; the request's own if unset."),
        "path": _PATH_MODIFIER,
        "port": port_number("Port to send it to."),
        "scheme": string("Scheme to send it to; the request's own if unset.", one_of=("http", "https")),
        "statusCode": integer("Status of the answer.", one_of=(301, 302, 303, 307, 308), default=302),
    },
)
_URL_REWRITE = record(
    "The backend sees another host or path.",
    {"hostname": precise_hostname("Host that the backend sees."), "path": _PATH_MODIFIER},
)


def _star_alone(message: str) -> tuple[Rule, ...]:
    return (Rule(message, lambda names, _: "*" not in names or len(names) == 1),)


_CORS = record(
    "Answers for scripts of other origins (the Fetch standard's CORS protocol).",
    {
        "allowCredentials": boolean("Whether credentials may be sent."),
        "allowHeaders": distinct(
            "Request headers that scripts may set.",
            header_name("A header, or *."),
            at_most=64,
            rules=_star_alone("AllowHeaders cannot contain '*' alongside other methods"),
        ),
        "allowMethods": distinct(
            "Methods that scripts may use.",
            string("A method, or *.", one_of=(*METHODS, "*")),
            at_most=9,
            rules=_star_alone("AllowMethods cannot contain '*' alongside other methods"),
        ),
        "allowOrigins": distinct(
            "Origins whose scripts may read answers.",
            string("An origin, perhaps with wildcards, or *.", pattern=CORS_ORIGIN, at_least=1, at_most=253),
            at_most=64,
            rules=_star_alone("AllowOrigins cannot contain '*' alongside other origins"),
        ),
        "exposeHeaders": distinct(
            "Response headers that scripts may read.", header_name("A header, or *."), at_most=64
        ),
        "maxAge": int32("Seconds that the answer to a preflight may be kept.", at_least=1, default=5),
    },
)


def _header_set(description: str) -> Schema:
    return distinct(description, string(), at_most=64)


_EXTERNAL_AUTH = record(
    "Another server decides whether a request may pass.",
    {
        "backendRef": backend_object_reference("The server that decides."),
        "forwardBody": record(
            "Whether the server sees bodies.", {"maxSize": integer("Most bytes of a body that it sees; 0 is none.")}
        ),
        "grpc": record(
            "Settings for servers that speak gRPC.",
            {"allowedHeaders": _header_set("Headers of the request that the server sees.")},
        ),
        "http": record(
            "Settings for servers that speak HTTP.",
            {
                "allowedHeaders": _header_set("Further headers of the request that the server sees."),
                "allowedResponseHeaders": _header_set("Headers of its answer that go on to the backend."),
                "path": string("Path before the request's own.", pattern=URL_PATH, at_most=1024),
            },
        ),
        "protocol": string("How the server is asked.", one_of=("HTTP", "GRPC")),
    },
    required=("backendRef", "protocol"),
    rules=(*goes_with("grpc", "protocol", "GRPC"), *goes_with("http", "protocol", "HTTP")),
)

# Member of the filter union: its type and its schema.
_MEMBERS: Mapping[str, tuple[str, Schema]] = {
    "cors": ("CORS", _CORS),
    "requestHeaderModifier": ("RequestHeaderModifier", _header_modifier("Headers of the request to change.")),
    "responseHeaderModifier": ("ResponseHeaderModifier", _header_modifier("Headers of the response to change.")),
    "requestMirror": ("RequestMirror", _REQUEST_MIRROR),
    "requestRedirect": ("RequestRedirect", _REQUEST_REDIRECT),
    "urlRewrite": ("URLRewrite", _URL_REWRITE),
    "extensionRef": ("ExtensionRef", local_reference("A filter of the implementation's own.")),
    "externalAuth": ("ExternalAuth", _EXTERNAL_AUTH),
}
_ONCE = ("CORS", "RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite")


def _member_rules(member: str, type_: str) -> tuple[Rule, ...]:
    return (
        Rule(
            f"filter.{member} must be nil if the filter.type is not {type_}",
            lambda one, _: member not in one or one["type"] == type_,
        ),
        Rule(
            f"filter.{member} must be specified for {type_} filter.type",
            lambda one, _: member in one or one["type"] != type_,
        ),
    )


def _at_most_once(type_: str) -> Callable[[list[Filter], Any], bool]:
    return lambda filters, _: len(filters) < 2 or sum(one["type"] == type_ for one in filters) <= 1


_NOT_BOTH = Rule(
    "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both",
    lambda filters, _: len(filters) < 2 or not {"RequestRedirect", "URLRewrite"} <= {one["type"] for one in filters},
)


def filters(description: str, types: tuple[str, ...]) -> Schema:
    """A list of filters of these types."""
    members = {member: made for member, made in _MEMBERS.items() if made[0] in types}
    one = record(
        "A filter: its type, and the member that goes with it.",
        {member: schema for member, (_, schema) in members.items()}
        | {"type": string("What the filter does.", one_of=types)},
        required=("type",),
        rules=tuple(rule for member, (type_, _) in members.items() for rule in _member_rules(member, type_)),
    )
    once = [Rule(f"{type_} filter cannot be repeated", _at_most_once(type_)) for type_ in _ONCE if type_ in types]
    both = [_NOT_BOTH] if "URLRewrite" in types else []
    return items(description, one, at_most=16, rules=(*both, *once))
