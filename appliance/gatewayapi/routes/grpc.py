"""GRPCRoute (Gateway API: GRPCRouteSpec).

A gRPC request is a POST for "/SERVICE/METHOD" (gRPC over HTTP/2, "Requests"), so that its matches are matches of paths.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.gatewayapi.precedence import Rank, grpc_rank
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.routes.actions import rule_action
from appliance.gatewayapi.routes.compiled import HttpRules, Resolve, Verdicts
from appliance.gatewayapi.routes.matches import grpc_match
from proxy.snapshot.routes import HttpAction, HttpRule, Refusal, WeightedBackend


def compile_grpc(route: Resource, resolve: Resolve) -> HttpRules:
    """The rules of a route in their order of precedence, and what is wrong with them."""
    ranked: list[tuple[Rank, HttpRule]] = []
    unresolved: list[Problem] = []
    invalid: list[tuple[str, Problem]] = []
    rules = route.spec.get("rules") or [{}]
    for index, rule in enumerate(rules):
        label = rule.get("name") or str(index)
        ruling = rule_action(route, label, rule, (), resolve, grpc=True)
        unresolved += ruling.unresolved
        found, problem = _matches(route, index, rule, _unavailable(ruling.action))
        ranked += found
        if problem := problem or ruling.invalid:
            invalid.append((label, problem))
    ranked.sort(key=lambda pair: pair[0])
    return HttpRules(tuple(ranked), Verdicts(len(rules), tuple(unresolved), tuple(invalid)))


def _matches(
    route: Resource, index: int, rule: Json, action: HttpAction
) -> tuple[list[tuple[Rank, HttpRule]], Problem | None]:
    """The matches that can be understood; one that cannot is left out, for nobody knows what it would match."""
    found: list[tuple[Rank, HttpRule]] = []
    problem = None
    for position, body in enumerate(rule.get("matches") or [{}]):
        try:
            match = grpc_match(body)
        except ValueError as error:
            problem = problem or Problem("UnsupportedValue", str(error))
            continue
        rank = grpc_rank(body.get("method") or {}, len(match.headers), route, index, position)
        found.append((rank, HttpRule(match, action)))
    return found, problem


def _unavailable(action: HttpAction) -> HttpAction:
    """What falls to a backend that is not there is UNAVAILABLE (GRPCRouteRule.backendRefs), which HTTP calls 503."""
    backends = tuple(replace(backend, target=_refusal(backend)) for backend in action.backends)
    refusal = action.refusal
    if refusal is not None and refusal.reason == "no_backend":
        refusal = Refusal(503, refusal.reason)
    return replace(action, backends=backends, refusal=refusal)


def _refusal(backend: WeightedBackend) -> str | Refusal:
    if isinstance(backend.target, str) or backend.target.reason == "unsupported_filter":
        return backend.target
    return Refusal(503, backend.target.reason)
