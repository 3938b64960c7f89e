"""What the statuses of Gateways and ListenerSets say before the sockets have spoken.

(Gateway API: GatewayStatus, ListenerSetStatus; GEP-1713.)
"""

from __future__ import annotations

from appliance.gatewayapi.conditions import Condition, bad, good, judged
from appliance.gatewayapi.drafts import GatewayDraft, ListenerDraft, ListenerSetDraft
from appliance.gatewayapi.frontend import insecure_mode
from appliance.gatewayapi.gateways import GatewayPlan, GatewayPlans
from appliance.gatewayapi.infrastructure import gateway_service
from appliance.gatewayapi.listener_drafts import Findings, added_listeners, added_problem, gateway_listeners
from appliance.gatewayapi.listener_sets import ListenerSetPlan
from appliance.gatewayapi.problems import Problem, listed


def gateway_draft(plan: GatewayPlan, findings: Findings, since: int) -> GatewayDraft:
    """since: the serial of the snapshot that the draft speaks of."""
    refused = findings.plans.refusals.get(plan.gateway.key)
    sockets = (key for listener in plan.all_listeners for key in findings.keys.get(listener.admission.key, ()))
    return GatewayDraft(
        key=plan.gateway.key,
        generation=plan.gateway.generation,
        since=since,
        conditions=(
            _accepted(plan, findings.plans, refused),
            _resolved(plan),
            *insecure_mode(plan.gateway),
            *_default(plan),
        ),
        addresses=() if plan.refused else plan.addressing.shown,
        listeners=gateway_listeners(plan, findings),
        attached_sets=sum(1 for added in plan.sets if set_problem(added, plan, findings.plans) is None),
        refused=refused and Problem("Invalid", refused.message),
        address_problem=plan.addressing.problem,
        service=gateway_service(plan.gateway, sockets),
    )


def _accepted(plan: GatewayPlan, plans: GatewayPlans, refused: Problem | None) -> Condition:
    if refused is not None:
        return bad("Accepted", refused)
    invalid = [p.admission.name for p in plan.listeners if plans.listener_problem(p) is not None]
    if invalid:
        accepted = ", ".join(p.admission.name for p in plan.listeners if p.admission.name not in invalid)
        return good("Accepted", "ListenersNotValid", f"not accepted: {', '.join(invalid)}; accepted: {accepted}")
    return good("Accepted")


def _resolved(plan: GatewayPlan) -> Condition:
    """Of the Gateway's own references, and a summary of its Listeners'."""
    if plan.unresolved is not None:
        return bad("ResolvedRefs", plan.unresolved)
    if names := [p.admission.name for p in plan.listeners if p.unresolved]:
        return bad("ResolvedRefs", Problem("ListenersNotResolved", f"references do not resolve in: {', '.join(names)}"))
    return good("ResolvedRefs")


def _default(plan: GatewayPlan) -> tuple[Condition, ...]:
    """Said by default Gateways only (GEP-3793)."""
    scope = plan.gateway.spec.get("defaultScope") or "None"
    return () if scope == "None" else (good("DefaultGateway", message=f"Gateway has default scope {scope}"),)


def set_problem(added: ListenerSetPlan, plan: GatewayPlan, plans: GatewayPlans) -> Problem | None:
    """Why a ListenerSet is not accepted: by itself, for its Gateway, or for its Listeners."""
    if added.refused is not None:
        return added.refused
    if (parent := plans.refusals.get(plan.gateway.key)) is not None:
        return Problem("ParentNotAccepted", f"{plan.gateway.key} is not accepted: {parent.message}")
    invalid = [p.admission.name for p in added.listeners if added_problem(p, plans) is not None]
    if len(invalid) < len(added.listeners):
        return None
    return Problem("ListenersNotValid", f"no listener can be accepted: {listed(invalid)}")


def listener_set_draft(added: ListenerSetPlan, plan: GatewayPlan, findings: Findings, since: int) -> ListenerSetDraft:
    """since: as in gateway_draft."""
    problem = set_problem(added, plan, findings.plans)
    listeners = added_listeners(plan, added.listeners, findings)
    accepted = judged("Accepted", problem)
    if problem is None and (invalid := _not_accepted(listeners)):
        accepted = good("Accepted", "Accepted", f"not accepted: {listed(invalid)}")
    return ListenerSetDraft(
        key=added.resource.key,
        generation=added.resource.generation,
        since=since,
        conditions=(accepted,),
        listeners=listeners,
        refused=_not_programmed(problem) or _parent_not_programmed(plan),
    )


def _not_programmed(problem: Problem | None) -> Problem | None:
    """Why a ListenerSet that is not accepted is not programmed either; what its Gateway lacks has its own reason."""
    if problem is not None and problem.reason == "ParentNotAccepted":
        return Problem("ParentNotProgrammed", problem.message)
    return problem


def _not_accepted(listeners: tuple[ListenerDraft, ...]) -> list[str]:
    return [d.name for d in listeners if any((c.type, c.status) == ("Accepted", "False") for c in d.conditions)]


def _parent_not_programmed(plan: GatewayPlan) -> Problem | None:
    """A Gateway without an address has nowhere to listen for anybody."""
    if plan.addressing.problem is None or plan.addressing.binds:
        return None
    message = f"{plan.gateway.key} is not programmed: {plan.addressing.problem.message}"
    return Problem("ParentNotProgrammed", message)
