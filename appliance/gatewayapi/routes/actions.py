"""The action of a rule of an HTTPRoute or a GRPCRoute: its JSON in, what the proxy does on a match out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from appliance.gatewayapi.clusters import Answer, BackendRef
from appliance.gatewayapi.durations import parse_duration_s
from appliance.gatewayapi.filters.chain import ON_BACKENDS, Chain, filter_chain, replaces_prefix
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.retries import retry
from appliance.gatewayapi.routes.backends import Backends, weighted_backends
from appliance.gatewayapi.routes.compiled import Resolve
from appliance.gatewayapi.sessions import named, session_persistence
from proxy.snapshot.filters import RequestRedirect
from proxy.snapshot.routes import HttpAction, HttpMatch, Refusal

NO_BACKEND: Final = Refusal(500, "no_backend")
UNSUPPORTED: Final = Refusal(500, "unsupported_rule")


@dataclass(frozen=True, slots=True)
class Ruling:
    """An action, the problems of its references, and why a part of it cannot be carried (which then answers 500)."""

    action: HttpAction
    unresolved: tuple[Problem, ...]
    invalid: Problem | None


def rule_action(
    route: Resource,
    label: str,
    rule: Json,
    matches: Iterable[HttpMatch],
    resolve: Resolve,
    *,
    backend_filters: Iterable[str] = ON_BACKENDS,
    grpc: bool = False,
) -> Ruling:
    """matches: the rule's, as the proxy sees them; backend_filters: the types that backendRefs of the kind may have."""

    def refer(ref: Json, speaks: str) -> Answer:
        return resolve(BackendRef.read(ref, route.key.kind, route.namespace, relayed=False, speaks=speaks))

    chain = filter_chain(rule.get("filters") or (), refer)
    found = weighted_backends(route, label, rule.get("backendRefs") or (), resolve, filters=backend_filters)
    unresolved = (*chain.unresolved, *found.unresolved)
    name = f"{route.namespace}/{route.name}"
    invalid = chain.invalid or _prefix_problem(chain, found, matches)
    settings: dict[str, Any] = {}
    try:
        settings = _settings(rule, f"{route.key}/{label}")
    except ValueError as error:
        invalid = invalid or Problem("UnsupportedValue", str(error))
    if invalid is not None:
        return Ruling(HttpAction(name, label, refusal=UNSUPPORTED, grpc=grpc), unresolved, invalid)
    served = any(backend.weight > 0 for backend in found.backends)
    answers_itself = any(isinstance(f, RequestRedirect) for f in chain.filters)
    refusal = chain.refusal or (None if served or answers_itself else NO_BACKEND)
    backends = found.backends if served else ()
    if "session" in settings:  # the rule's goes before those of policies (GEP-1619)
        backends = tuple(replace(backend, session=None) for backend in backends)
    action = HttpAction(name, label, chain.filters, backends, refusal, grpc=grpc, **settings)
    return Ruling(action, unresolved, found.invalid)


def _prefix_problem(chain: Chain, found: Backends, matches: Iterable[HttpMatch]) -> Problem | None:
    replacing = replaces_prefix(chain.filters) or any(replaces_prefix(each.filters) for each in found.backends)
    if replacing and any(match.path_kind != "prefix" for match in matches):
        return Problem("UnsupportedValue", "ReplacePrefixMatch needs a PathPrefix in every match of its rule")
    return None


def _settings(rule: Json, owner: str) -> dict[str, Any]:
    """The fields of HttpAction that stand beside filters and backends. Raises ValueError."""
    settings: dict[str, Any] = _timeouts(rule.get("timeouts") or {})
    if rule.get("retry") is not None:
        settings["retry"] = retry(rule["retry"])
    if rule.get("sessionPersistence") is not None:
        settings["session"] = named(session_persistence(rule["sessionPersistence"]), owner)
    return settings


def _timeouts(body: Json) -> dict[str, float | None]:
    """GEP-1742: zero is no limit. Raises ValueError."""
    request = parse_duration_s(body["request"]) if body.get("request") else 0.0
    backend = parse_duration_s(body["backendRequest"]) if body.get("backendRequest") else 0.0
    if request and backend > request:
        raise ValueError("timeouts.backendRequest cannot be longer than timeouts.request")
    return {"request_timeout_s": request or None, "backend_timeout_s": backend or None}
