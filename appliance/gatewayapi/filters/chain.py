"""The filters of a rule or of a backendRef, in their order; one line per filter of the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from appliance.gatewayapi.clusters import Answer
from appliance.gatewayapi.filters.cors import cors
from appliance.gatewayapi.filters.external_auth import external_auth
from appliance.gatewayapi.filters.header_modifier import request_header_modifier, response_header_modifier
from appliance.gatewayapi.filters.request_mirror import request_mirror
from appliance.gatewayapi.filters.request_redirect import request_redirect
from appliance.gatewayapi.filters.url_rewrite import url_rewrite
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import HttpFilter, PathModifier, RequestRedirect, URLRewrite
from proxy.snapshot.routes import Refusal

Refer = Callable[[Json, str], Answer]
"""A backendRef of a filter, and what is spoken with it ("" as the backend says, or "http2"), to what it leads to."""

_MAKERS: Final[Mapping[str, tuple[str, Callable[[Json], HttpFilter]]]] = {
    "RequestHeaderModifier": ("requestHeaderModifier", request_header_modifier),
    "ResponseHeaderModifier": ("responseHeaderModifier", response_header_modifier),
    "RequestRedirect": ("requestRedirect", request_redirect),
    "URLRewrite": ("urlRewrite", url_rewrite),
    "CORS": ("cors", cors),
}
_REFERRING: Final[Mapping[str, tuple[str, Callable[[Json, str], HttpFilter]]]] = {
    "RequestMirror": ("requestMirror", request_mirror),
    "ExternalAuth": ("externalAuth", external_auth),
}
"""Those with a backendRef of their own."""

_REPEATABLE: Final = frozenset({"RequestMirror", "ExternalAuth"})
ON_BACKENDS: Final = frozenset(
    {"RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "RequestMirror", "CORS"}
)
"""The types that the API supports on a backendRef."""


class Chain(NamedTuple):
    """What filters say.

    unresolved: for ResolvedRefs. refusal: the answer in place of a filter that guards and whose reference does not
    resolve; one that only copies is left out. invalid: why they cannot be honoured; then there are no filters.
    """

    filters: tuple[HttpFilter, ...] = ()
    unresolved: tuple[Problem, ...] = ()
    refusal: Refusal | None = None
    invalid: Problem | None = None


def filter_chain(filters: Sequence[Json], refer: Refer, *, only: Iterable[str] = ()) -> Chain:
    """only: the types that are allowed in this place, a backendRef; none given allows every supported one."""
    made: list[HttpFilter] = []
    unresolved: list[Problem] = []
    refusal: Refusal | None = None
    for entry in filters:
        problem = _misplaced(entry, only)
        if problem is not None:
            return Chain(unresolved=tuple(unresolved), invalid=problem)
        try:
            if entry["type"] in _MAKERS:
                field, make = _MAKERS[entry["type"]]
                made.append(make(entry[field]))
                continue
            field, make_referring = _REFERRING[entry["type"]]
            answer = refer(entry[field]["backendRef"], "http2" if entry[field].get("protocol") == "GRPC" else "")
            if answer.problem is not None:
                unresolved.append(answer.problem)
            if isinstance(answer.target, str):
                made.append(make_referring(entry[field], answer.target))
            elif entry["type"] == "ExternalAuth":
                refusal = refusal or answer.target
        except ValueError as error:
            return Chain(unresolved=tuple(unresolved), invalid=Problem("UnsupportedValue", str(error)))
    if (problem := _incompatible([entry["type"] for entry in filters])) is not None:
        return Chain(unresolved=tuple(unresolved), invalid=problem)
    return Chain(tuple(made), tuple(unresolved), refusal)


def _misplaced(entry: Json, only: Iterable[str]) -> Problem | None:
    known = _MAKERS.get(entry["type"]) or _REFERRING.get(entry["type"])
    if known is None:
        return Problem("UnsupportedValue", f"filter {entry['type']} is not supported by this version")
    if only and entry["type"] not in only:
        return Problem("UnsupportedValue", f"filter {entry['type']} is not supported on a backendRef")
    if known[0] not in entry:
        return Problem("UnsupportedValue", f"filter {entry['type']} lacks its field {known[0]}")
    return None


def _incompatible(types: Sequence[str]) -> Problem | None:
    if repeated := sorted(name for name, count in Counter(types).items() if count > 1 and name not in _REPEATABLE):
        return Problem("IncompatibleFilters", f"filter {repeated[0]} is given more than once")
    if {"RequestRedirect", "URLRewrite"} <= set(types):
        return Problem("IncompatibleFilters", "RequestRedirect and URLRewrite exclude each other")
    return None


def replaces_prefix(chain: Iterable[HttpFilter]) -> bool:
    """Whether a filter replaces the matched path prefix, so that every match of the rule must have one."""
    paths: list[PathModifier | None] = [f.path for f in chain if isinstance(f, RequestRedirect | URLRewrite)]
    return any(path is not None and path.kind == "prefix" for path in paths)
