"""Matches of HTTPRoutes and GRPCRoutes: JSON in, `HttpMatch` out (Gateway API: HTTPRouteMatch, GRPCRouteMatch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeVar

import re2

from appliance.gatewayapi.resources import Json
from proxy.snapshot.routes import REGEX_MEMORY_BYTES, HttpMatch, ValueMatch

_PATHS: Final[dict[str, Literal["exact", "prefix", "regex"]]] = {
    "Exact": "exact",
    "PathPrefix": "prefix",
    "RegularExpression": "regex",
}
_VALUES: Final[dict[str, Literal["exact", "regex"]]] = {"Exact": "exact", "RegularExpression": "regex"}
T = TypeVar("T")


def http_match(body: Json) -> HttpMatch:
    """Raises ValueError for a match type that is not known and for an expression that RE2 does not take."""
    path = body.get("path") or {}
    kind = _known(_PATHS, path.get("type") or "PathPrefix", "path")
    value = path.get("value") or "/"
    if kind == "regex":
        _check(value)
    elif kind == "prefix":
        value = value.rstrip("/") or "/"  # "/abc" and "/abc/" are the same prefix
    return HttpMatch(
        kind,
        value,
        body.get("method"),
        _values(body.get("headers") or (), "header", lower=True),
        _values(body.get("queryParams") or (), "query parameter", lower=False),
    )


def grpc_match(body: Json) -> HttpMatch:
    """As http_match. Without a method every gRPC request matches."""
    method = body.get("method") or {}
    kind = _known(_VALUES, method.get("type") or "Exact", "method")
    service, name = method.get("service") or "", method.get("method") or ""
    headers = _values(body.get("headers") or (), "header", lower=True)
    if kind == "regex":
        for part in filter(None, (service, name)):
            _check(part)  # each by itself, or they could end each other's groups
        return HttpMatch("regex", f"/{_group(service)}/{_group(name)}", "POST", headers)
    if service and name:
        return HttpMatch("exact", f"/{service}/{name}", "POST", headers)
    if name:
        return HttpMatch("regex", f"/{_group('')}/{re2.escape(name)}", "POST", headers)
    return HttpMatch("prefix", f"/{service}", "POST", headers)


def _group(pattern: str) -> str:
    """A part of a path that an expression matches; none matches any."""
    return f"(?:{pattern})" if pattern else "[^/]+"


def _values(entries: Sequence[Json], what: str, *, lower: bool) -> tuple[ValueMatch, ...]:
    """Of entries with equal names the first counts, as the API says."""
    first: dict[str, ValueMatch] = {}
    for entry in entries:
        name = entry["name"].lower() if lower else entry["name"]
        kind = _known(_VALUES, entry.get("type") or "Exact", what)
        if kind == "regex":
            _check(entry["value"])
        first.setdefault(name, ValueMatch(kind, name, entry["value"]))
    return tuple(first.values())


def _known(table: dict[str, T], name: str, what: str) -> T:
    if name not in table:
        raise ValueError(f"{what} match type {name} is not supported")
    return table[name]


def _check(pattern: str) -> None:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_MEMORY_BYTES
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"{pattern!r} is no RE2 expression: {reason}") from error
