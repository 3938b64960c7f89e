"""The status of a route: one entry per parentRef to a Gateway of ours (Gateway API: RouteStatus)."""

from __future__ import annotations

from typing import Any, Final

from appliance.gatewayapi.attachment import Attachment, ParentOutcome
from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.conditions import Condition, bad, good, judged
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.problems import MESSAGE_LIMIT, Problem, worst
from appliance.gatewayapi.resources import Resource
from appliance.gatewayapi.routes.compiled import Verdicts

PARENTS_LIMIT: Final = 32
"""Entries that the API allows; a route may name as many parents, and ask for default Gateways beside them."""


def route_status(route: Resource, attachment: Attachment, verdicts: Verdicts) -> Status:
    """The finished status; routes have nothing that depends on the sockets."""
    parents: list[dict[str, Any]] = []
    for outcome in attachment.outcomes[:PARENTS_LIMIT]:
        conditions = _conditions(outcome, verdicts)
        parents.append(
            {
                "parentRef": dict(outcome.ref),
                "controllerName": CONTROLLER_NAME,
                "conditions": [condition.body(route.generation) for condition in conditions],
            }
        )
    return Status(route.key, route.generation, {"parents": parents})


def rejection(verdicts: Verdicts) -> Problem | None:
    """Why the route as a whole cannot be accepted: every one of its rules."""
    if len(verdicts.invalid) < verdicts.rules or not verdicts.invalid:
        return None
    return Problem(verdicts.invalid[0][1].reason, _sentence(verdicts))


def _conditions(outcome: ParentOutcome, verdicts: Verdicts) -> tuple[Condition, ...]:
    refused = outcome.problem or rejection(verdicts)
    accepted = judged("Accepted", refused)
    if refused is None and outcome.defaulted:  # GEP-3793
        accepted = good("Accepted", message="the route is bound to a default Gateway")
    unresolved = worst(verdicts.unresolved)
    resolved = bad("ResolvedRefs", unresolved) if unresolved else good("ResolvedRefs")
    if refused is not None or not verdicts.invalid:
        return accepted, resolved
    # The API wants this prefix where rules that cannot be carried are left out; ours answer 500.
    message = f"Dropped Rule: {_sentence(verdicts)}"[:MESSAGE_LIMIT]
    return accepted, resolved, good("PartiallyInvalid", verdicts.invalid[0][1].reason, message)


def _sentence(verdicts: Verdicts) -> str:
    parts = [f"rule {label}: {problem.message}" for label, problem in verdicts.invalid]
    return "; ".join(parts)[:MESSAGE_LIMIT]
