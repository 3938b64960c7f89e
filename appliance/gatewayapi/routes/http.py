"""HTTPRoute (Gateway API: HTTPRouteSpec)."""

from __future__ import annotations

from appliance.gatewayapi.precedence import Rank, rank
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.routes.actions import rule_action
from appliance.gatewayapi.routes.compiled import HttpRules, Resolve, Verdicts
from appliance.gatewayapi.routes.matches import http_match
from proxy.snapshot.routes import HttpMatch, HttpRule


def compile_http(route: Resource, resolve: Resolve) -> HttpRules:
    """The rules of a route in their order of precedence, and what is wrong with them."""
    ranked: list[tuple[Rank, HttpRule]] = []
    unresolved: list[Problem] = []
    invalid: list[tuple[str, Problem]] = []
    rules = route.spec.get("rules") or [{}]
    for index, rule in enumerate(rules):
        label = rule.get("name") or str(index)
        matches, problem = _matches(rule)
        ruling = rule_action(route, label, rule, matches, resolve)
        unresolved += ruling.unresolved
        if problem := problem or ruling.invalid:
            invalid.append((label, problem))
        ranked += [(rank(match, route, index, i), HttpRule(match, ruling.action)) for i, match in enumerate(matches)]
    ranked.sort(key=lambda pair: pair[0])
    return HttpRules(tuple(ranked), Verdicts(len(rules), tuple(unresolved), tuple(invalid)))


def _matches(rule: Json) -> tuple[list[HttpMatch], Problem | None]:
    """The matches that can be understood; one that cannot is left out, for nobody knows what it would match."""
    matches: list[HttpMatch] = []
    problem = None
    for body in rule.get("matches") or [{}]:
        try:
            matches.append(http_match(body))
        except ValueError as error:
            problem = problem or Problem("UnsupportedValue", str(error))
    return matches, problem
