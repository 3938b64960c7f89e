"""What a Listener's status says before the sockets have spoken, in a Gateway and in a ListenerSet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.gatewayapi.conditions import Condition, bad, good, judged
from appliance.gatewayapi.drafts import ListenerDraft
from appliance.gatewayapi.gateways import GatewayPlan, GatewayPlans
from appliance.gatewayapi.listeners import ListenerPlan
from appliance.gatewayapi.problems import Problem, worst
from proxy.snapshot.listeners import BindKey


@dataclass(frozen=True, slots=True)
class Findings:
    """All that statuses of Listeners tell. attached: accepted routes, keys: sockets, both by listener key."""

    plans: GatewayPlans
    attached: Mapping[str, int]
    keys: Mapping[str, tuple[BindKey, ...]]


def gateway_listeners(plan: GatewayPlan, findings: Findings) -> tuple[ListenerDraft, ...]:
    """The Listeners of a Gateway (Gateway API: ListenerStatus)."""
    drafts = []
    for listener in plan.listeners:
        problem = findings.plans.listener_problem(listener)
        bound = plan.refused is None and bool(findings.keys.get(listener.admission.key))
        reason = plan.refused or problem or worst(listener.unresolved) or plan.addressing.problem
        refused = None if bound else Problem("Invalid", reason.message if reason else _NOWHERE)
        drafts.append(_draft(listener, problem, refused, findings))
    return tuple(drafts)


def added_listeners(
    plan: GatewayPlan, listeners: Iterable[ListenerPlan], findings: Findings
) -> tuple[ListenerDraft, ...]:
    """The Listeners that a ListenerSet adds to a Gateway (Gateway API: ListenerEntryStatus).

    Unlike those of a Gateway they are not accepted where nothing of them can be served, and Programmed repeats why
    (GEP-1713, conformance details).
    """
    drafts = []
    for listener in listeners:
        problem = added_problem(listener, findings.plans)
        bound = bool(findings.keys.get(listener.admission.key))
        reason = problem or findings.plans.refusals.get(plan.gateway.key) or plan.addressing.problem
        if reason is None:
            reason = Problem("Invalid", _NOWHERE)
        elif reason is not problem:
            reason = Problem("Invalid", f"{plan.gateway.key}: {reason.message}")
        drafts.append(_draft(listener, problem, None if bound else reason, findings))
    return tuple(drafts)


_NOWHERE = "there is no address to listen on"


def added_problem(listener: ListenerPlan, plans: GatewayPlans) -> Problem | None:
    """Why a Listener of a ListenerSet is not accepted."""
    problem = plans.listener_problem(listener)
    if problem is not None or listener.servable:
        return problem
    unresolved = worst(listener.unresolved)
    return Problem("Invalid", unresolved.message if unresolved else "nothing of it can be served")


def _draft(
    listener: ListenerPlan, problem: Problem | None, refused: Problem | None, findings: Findings
) -> ListenerDraft:
    key = listener.admission.key
    conflict = findings.plans.conflict(listener)
    unresolved = worst(listener.unresolved)
    remarks = "; ".join(listener.certificates.remarks)
    conditions: list[Condition] = [
        judged("Accepted", problem),
        bad("ResolvedRefs", unresolved) if unresolved else good("ResolvedRefs", message=remarks),
        good("Conflicted", conflict.reason, conflict.message)
        if conflict
        else bad("Conflicted", Problem("NoConflicts", "")),
    ]
    if overlap := findings.plans.overlaps.get(key):
        conditions.append(good("OverlappingTLSConfig", overlap.reason, overlap.message))
    return ListenerDraft(
        name=listener.admission.name,
        supported_kinds=listener.admission.kinds,
        attached_routes=findings.attached.get(key, 0),
        conditions=tuple(conditions),
        binds=findings.keys.get(key, ()) if refused is None else (),
        refused=refused,
    )
