"""HTTPRoute (gateway.networking.k8s.io): HTTP requests by host, path, header and more, to backends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from store.kinds.columns import AGE
from store.kinds.durations import seconds
from store.kinds.fields import distinct, integer, items, keyed, record, string
from store.kinds.filters import METHODS, Filter, filters, header_name, header_value
from store.kinds.kind import Version
from store.kinds.names import URL_PATH, duration, section_name
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

_is_url_path = matcher(URL_PATH)
_ANY_PATH = {"type": "PathPrefix", "value": "/"}
_FILTER_TYPES = (
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "URLRewrite",
    "ExtensionRef",
    "CORS",
    "ExternalAuth",
)


def _literal(holds: Callable[[str], bool]) -> Callable[[dict[str, Any], Any], bool]:
    """What must hold for paths that are not regular expressions."""
    return lambda path, _: path["type"] not in ("Exact", "PathPrefix") or holds(path["value"])


def _without(part: str) -> Rule:
    message = f"must not contain '{part}' when type one of ['Exact', 'PathPrefix']"
    return Rule(message, _literal(lambda value: part not in value))


def _not_ending(part: str) -> Rule:
    message = f"must not end with '{part}' when type one of ['Exact', 'PathPrefix']"
    return Rule(message, _literal(lambda value: not value.endswith(part)))


_PATH = record(
    "What the path must be.",
    {
        "type": string(
            "How the value is compared.", one_of=("Exact", "PathPrefix", "RegularExpression"), default="PathPrefix"
        ),
        "value": string("What the path is compared with.", at_most=1024, default="/"),
    },
    default=_ANY_PATH,
    rules=(
        Rule(
            "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
            _literal(lambda value: value.startswith("/")),
        ),
        *map(_without, ("//", "/./", "/../", "%2f", "%2F", "#")),
        *map(_not_ending, ("/..", "/.")),
        Rule(
            "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
            lambda path, _: path["type"] in ("Exact", "PathPrefix", "RegularExpression"),
        ),
        Rule(
            f"must only contain valid characters (matching {URL_PATH}) for types ['Exact', 'PathPrefix']",
            _literal(_is_url_path),
        ),
    ),
)


def _pair(description: str, name: Schema, value: Schema) -> Schema:
    type_ = string("How the value is compared.", one_of=("Exact", "RegularExpression"), default="Exact")
    return record(description, {"name": name, "type": type_, "value": value}, required=("name", "value"))


_HEADER = _pair("A header that must be there.", header_name(), header_value("What its value must be."))
_PARAMETER = _pair(
    "A query parameter that must be there.",
    header_name("Name of the parameter."),
    string("What its value must be.", at_least=1, at_most=1024),
)
_MATCH = record(
    "Requests that are meant; all parts must match.",
    {
        "headers": keyed("Headers that must match.", _HEADER, "name", at_most=16),
        "method": string("The method.", one_of=METHODS),
        "path": _PATH,
        "queryParams": keyed("Query parameters that must match.", _PARAMETER, "name", at_most=16),
    },
)


def _backend_request_shorter(timeouts: dict[str, str], _: Any) -> bool:
    whole, one = timeouts.get("request"), timeouts.get("backendRequest")
    return whole is None or one is None or seconds(whole) == 0 or seconds(one) <= seconds(whole)


_TIMEOUTS = record(
    "How long things may take; 0s is for ever.",
    {
        "backendRequest": duration("Time for one attempt at one backend."),
        "request": duration("Time from the request to the whole answer."),
    },
    rules=(Rule("backendRequest timeout cannot be longer than request timeout", _backend_request_shorter),),
)
_RETRY = record(
    "When a request is tried again.",
    {
        "attempts": integer("How often at most.", at_least=1),
        "backoff": duration("Time to wait before."),
        "codes": distinct("Answers after which it is tried again.", integer("A status.", at_least=400, at_most=599)),
    },
)


def _no_backends_beside_redirect(rule: dict[str, Any], _: Any) -> bool:
    return not rule.get("backendRefs") or not any("requestRedirect" in one for one in rule.get("filters", ()))


def _replaces_prefix(filter_: Filter, member: str) -> bool:
    if member not in filter_:
        return False
    path = filter_[member].get("path", {})
    return path.get("type") == "ReplacePrefixMatch" and "replacePrefixMatch" in path


def _one_prefix_match(rule: dict[str, Any]) -> bool:
    matches = rule["matches"]
    return len(matches) == 1 and matches[0].get("path", {}).get("type") == "PathPrefix"


def _exactly_one(found: Iterable[bool]) -> bool:
    return sum(found) == 1


def _prefix_known(member: str) -> Callable[[dict[str, Any], Any], bool]:
    """A filter that replaces the matched prefix needs one."""
    return lambda rule, _: (
        not _exactly_one(_replaces_prefix(one, member) for one in rule.get("filters", ())) or _one_prefix_match(rule)
    )


def _prefix_known_to_backend(member: str) -> Callable[[dict[str, Any], Any], bool]:
    def uses(backend: dict[str, Any]) -> bool:
        return "filters" in backend and _exactly_one(_replaces_prefix(one, member) for one in backend["filters"])

    return lambda rule, _: (
        not _exactly_one(uses(backend) for backend in rule.get("backendRefs", ())) or _one_prefix_match(rule)
    )


_WANTED = "filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified"
_RULE = record(
    "Requests that are meant, what happens to them, and where they go.",
    {
        "backendRefs": items(
            "Backends that share the requests.",
            backend_reference(filters("What happens to requests for this backend.", _FILTER_TYPES)),
            at_most=16,
        ),
        "filters": filters("What happens to the requests.", _FILTER_TYPES),
        "matches": items("Requests that are meant; one must match.", _MATCH, at_most=64, default=[{"path": _ANY_PATH}]),
        "name": section_name("Name of the rule."),
        "retry": _RETRY,
        "sessionPersistence": SESSION_PERSISTENCE,
        "timeouts": _TIMEOUTS,
    },
    rules=(
        Rule("RequestRedirect filter must not be used together with backendRefs", _no_backends_beside_redirect),
        Rule(f"When using RequestRedirect {_WANTED}", _prefix_known("requestRedirect")),
        Rule(f"When using URLRewrite {_WANTED}", _prefix_known("urlRewrite")),
        Rule(f"Within backendRefs, when using RequestRedirect {_WANTED}", _prefix_known_to_backend("requestRedirect")),
        Rule(f"Within backendRefs, When using URLRewrite {_WANTED}", _prefix_known_to_backend("urlRewrite")),
    ),
)
_SPEC = record(
    "The route as wanted.",
    {
        "hostnames": hostnames("Hosts that requests may be for; those of the listener if unset."),
        "parentRefs": PARENT_REFS,
        "rules": items(
            "Rules of the route.",
            _RULE,
            at_least=1,
            at_most=16,
            default=[{"matches": [{"path": _ANY_PATH}]}],
            rules=(FEW_MATCHES, RULE_NAMES_UNIQUE),
        ),
        "useDefaultGateways": USE_DEFAULT_GATEWAYS,
    },
)
_SCHEMA = route_schema("Where HTTP requests go.", _SPEC)
_COLUMNS = (HOSTNAMES_COLUMN, AGE)

HTTP_ROUTE = route_kind(
    "HTTPRoute",
    Version("v1", _SCHEMA, _COLUMNS, storage=True),
    Version("v1beta1", _SCHEMA, _COLUMNS),
)
