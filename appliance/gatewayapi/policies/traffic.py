"""XBackendTrafficPolicy: retry budgets (GEP-3388) and session persistence (GEP-1619) of backends.

Of several policies for one backend the oldest has it whole; what a rule says of sessions itself goes before a policy.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from appliance.gatewayapi.conditions import Condition, bad, good
from appliance.gatewayapi.durations import parse_duration_s
from appliance.gatewayapi.problems import MESSAGE_LIMIT, Problem
from appliance.gatewayapi.resources import GROUPS, Json, Key, Objects, Resource
from appliance.gatewayapi.sessions import session_persistence
from proxy.snapshot.clusters import RetryBudget
from proxy.snapshot.routes import SessionPersistence

KIND: Final = "XBackendTrafficPolicy"
_TARGETS: Final = ("Service", "Backend", "XBackend")


class Conduct(NamedTuple):
    """How traffic to a backend behaves."""

    retry_budget: RetryBudget | None = None
    session: SessionPersistence | None = None


def conduct(objects: Objects, target: Key, group: str) -> Conduct:
    """What the policies say of a backend; of one that is invalid, nothing."""
    policy = _winner(objects, target, group)
    if policy is None:
        return Conduct()
    try:
        return _read(policy)
    except ValueError:  # its own status says so
        return Conduct()


def conditions(policy: Resource, objects: Objects) -> tuple[Condition, ...]:
    """What the policy's status says towards every Gateway (GEP-713: Accepted)."""
    problem = _problem(policy, objects)
    return (bad("Accepted", problem) if problem else good("Accepted"),)


def targets(policy: Resource) -> frozenset[Key]:
    """The backends that a policy names; they are in its own namespace."""
    refs = policy.spec.get("targetRefs") or ()
    return frozenset(Key(ref["kind"], policy.namespace, ref["name"]) for ref in refs)


def _problem(policy: Resource, objects: Objects) -> Problem | None:
    try:
        _read(policy)
    except ValueError as error:
        return Problem("Invalid", str(error))
    missing: list[str] = []
    lost: list[str] = []
    for ref in policy.spec.get("targetRefs") or ():
        kind, group = ref["kind"], ref.get("group") or ""
        if kind not in _TARGETS or GROUPS[kind] != group:
            return Problem("Invalid", f"a {kind} cannot be the target of a {KIND}")
        target = Key(kind, policy.namespace, ref["name"])
        if objects.get(*target) is None:
            missing.append(f"{target} does not exist")
        elif (winner := _winner(objects, target, group)) is not policy and winner is not None:
            lost.append(f"{target} is governed by the older {KIND} {winner.namespace}/{winner.name}")
    if lost:
        return Problem("Conflicted", "; ".join(lost)[:MESSAGE_LIMIT])
    return Problem("TargetNotFound", "; ".join(missing)[:MESSAGE_LIMIT]) if missing else None


def _winner(objects: Objects, target: Key, group: str) -> Resource | None:
    """The oldest policy that names the target."""
    for policy in objects.policies(target, KIND):
        for ref in policy.spec.get("targetRefs") or ():
            if (ref.get("group") or "", ref["kind"], ref["name"]) == (group, target.kind, target.name):
                return policy
    return None


def _read(policy: Resource) -> Conduct:
    """Raises ValueError for values that mean nothing."""
    spec = policy.spec
    budget = _retry_budget(spec["retryConstraint"]) if spec.get("retryConstraint") is not None else None
    session = session_persistence(spec["sessionPersistence"]) if spec.get("sessionPersistence") is not None else None
    return Conduct(budget, session)


def _retry_budget(body: Json) -> RetryBudget:
    budget, least = body.get("budget") or {}, body.get("minRetryRate") or {}
    defaults = RetryBudget()
    percent, count = budget.get("percent"), least.get("count")
    made = RetryBudget(
        defaults.percent if percent is None else percent,
        parse_duration_s(budget["interval"]) if budget.get("interval") else defaults.interval_s,
        defaults.least if count is None else count,
        parse_duration_s(least["interval"]) if least.get("interval") else defaults.least_interval_s,
    )
    if not 1 <= made.interval_s <= 3600 or not 0 < made.least_interval_s <= 3600:
        raise ValueError("retryConstraint: an interval is too short or too long")
    return made
