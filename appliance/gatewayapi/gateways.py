"""All Gateways of ours together, with the ListenerSets that add to them: read, given addresses, freed of conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from appliance.gatewayapi.addresses import Addressing, assign
from appliance.gatewayapi.attachment import Parent, Parents
from appliance.gatewayapi.certificates import CertificateMemo, client_certificate
from appliance.gatewayapi.classes import class_problem, own_classes
from appliance.gatewayapi.conflicts import CONFLICTS, Claim, Ledger, within
from appliance.gatewayapi.listener_sets import ListenerSetPlan, by_gateway, refusal
from appliance.gatewayapi.listeners import ListenerPlan, listener_key, read_listener
from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.overlaps import overlapping_tls
from appliance.gatewayapi.problems import Problem, listed
from appliance.gatewayapi.resources import Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings

LISTENERS_LIMIT: Final = 4096
"""Listeners that one Gateway serves, those of its ListenerSets included: each may take sockets."""


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """A Gateway with what it asks for. refused: why it is not accepted, its Listeners apart.

    unresolved: a reference of the Gateway itself that cannot be honoured; sets: every ListenerSet that names it, in
    their order of precedence.
    """

    gateway: Resource
    listeners: tuple[ListenerPlan, ...]
    addressing: Addressing
    refused: Problem | None
    unresolved: Problem | None
    sets: tuple[ListenerSetPlan, ...] = ()

    @property
    def all_listeners(self) -> Iterator[ListenerPlan]:
        """Its own, and those that ListenerSets add."""
        yield from self.listeners
        for listener_set in self.sets:
            yield from listener_set.listeners


@dataclass(frozen=True, slots=True)
class GatewayPlans:
    """All of them, oldest first, and how their Listeners get along.

    parents: the same as routes see it. problems: what stands in the way of Listeners that are good by themselves, and
    overlaps, by listener key; refusals: why Gateways are not accepted; claims: what was granted; strays: ListenerSets
    whose Gateway does not exist.
    """

    plans: tuple[GatewayPlan, ...]
    parents: Parents = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)
    overlaps: dict[str, Problem] = field(default_factory=dict)
    refusals: dict[Key, Problem] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    strays: tuple[Resource, ...] = ()

    def listener_problem(self, plan: ListenerPlan) -> Problem | None:
        """Why a Listener is not accepted."""
        return plan.unacceptable or self.problems.get(plan.admission.key)

    def conflict(self, plan: ListenerPlan) -> Problem | None:
        """What a Listener is in conflict with, on its own Gateway."""
        problem = self.problems.get(plan.admission.key)
        return problem if problem is not None and problem.reason in CONFLICTS else None


@dataclass(slots=True)
class GatewayMemo:
    """What the reading of Gateways keeps."""

    certificates: CertificateMemo = field(default_factory=CertificateMemo)
    listeners: Cache[ListenerPlan] = field(default_factory=Cache)
    plans: Cache[GatewayPlan] = field(default_factory=Cache)
    settled: Cache[GatewayPlans] = field(default_factory=Cache)

    def turn(self) -> None:
        for cache in (self.certificates, self.listeners, self.plans, self.settled):
            cache.turn()


def plan_gateways(objects: Objects, surroundings: Surroundings, memo: GatewayMemo) -> GatewayPlans:
    """Read every Gateway of our classes and settle who holds which address and port."""
    classes = own_classes(objects)
    ours = [g for g in objects.oldest_first("Gateway") if g.spec.get("gatewayClassName") in classes]
    addressing = assign(ours, surroundings)
    sets = by_gateway(objects.oldest_first("ListenerSet"))
    plans: list[GatewayPlan] = []
    for gateway in ours:
        added = tuple(_added(gateway, one, objects, surroundings, memo) for one in sets.get(gateway.key, ()))
        plan = GatewayPlan(
            gateway,
            _listeners(gateway, gateway, objects, surroundings, memo),
            addressing[gateway],
            _refused(gateway, classes[gateway.spec["gatewayClassName"]], addressing[gateway]),
            _unresolved(gateway, objects, memo),
            added,
        )
        plans.append(memo.plans.same(gateway.key, plan))
    strays = _strays(sets, objects)
    return memo.settled.get("all", (tuple(plans), strays), lambda: _settle(tuple(plans), strays))


def replan_sets(before: GatewayPlans, objects: Objects, surroundings: Surroundings) -> GatewayPlans:
    """As plan_gateways, where nothing but ListenerSets has changed since: only those that have are read."""
    kept = {added.resource: added for plan in before.plans for added in plan.sets}
    sets, scratch = by_gateway(objects.oldest_first("ListenerSet")), GatewayMemo()
    plans: list[GatewayPlan] = []
    for plan in before.plans:
        added = tuple(
            kept.get(one) or _added(plan.gateway, one, objects, surroundings, scratch)
            for one in sets.get(plan.gateway.key, ())
        )
        plans.append(plan if added == plan.sets else replace(plan, sets=added))
    return _settle(tuple(plans), _strays(sets, objects))


def _added(
    gateway: Resource, listener_set: Resource, objects: Objects, surroundings: Surroundings, memo: GatewayMemo
) -> ListenerSetPlan:
    refused = refusal(listener_set, gateway, objects)
    listeners = () if refused else _listeners(gateway, listener_set, objects, surroundings, memo)
    return ListenerSetPlan(listener_set, listeners, refused)


def _strays(sets: Mapping[Key, Sequence[Resource]], objects: Objects) -> tuple[Resource, ...]:
    return tuple(stray for gateway, added in sets.items() if objects.get(*gateway) is None for stray in added)


def _listeners(
    gateway: Resource, owner: Resource, objects: Objects, surroundings: Surroundings, memo: GatewayMemo
) -> tuple[ListenerPlan, ...]:
    return tuple(
        memo.listeners.same(
            listener_key(gateway, owner, body["name"]),
            read_listener(gateway, owner, body, objects, surroundings, memo.certificates),
        )
        for body in owner.spec.get("listeners") or ()
    )


def _parents(plans: tuple[GatewayPlan, ...]) -> dict[Key, Parent]:
    """Gateways and ListenerSets by their keys."""
    found: dict[Key, Parent] = {}
    for plan in plans:
        key = plan.gateway.key
        admissions = tuple(listener.admission for listener in plan.listeners)
        found[key] = Parent(key, key, admissions, plan.gateway.spec.get("defaultScope") or "None")
        for added in plan.sets:
            admissions = tuple(listener.admission for listener in added.listeners)
            found[added.resource.key] = Parent(added.resource.key, key, admissions, refused=added.refused)
    return found


def _settle(plans: tuple[GatewayPlan, ...], strays: tuple[Resource, ...]) -> GatewayPlans:
    """Grant sockets: to older Gateways before younger ones, and to a Gateway's own Listeners before those added."""
    problems: dict[str, Problem] = {}
    refusals: dict[Key, Problem] = {}
    ledger = Ledger()
    for plan in plans:
        _claim(plan, plan.gateway.key, plan.listeners, ledger, problems)
        if (refused := plan.refused or _no_listener(plan, problems)) is not None:
            refusals[plan.gateway.key] = refused
        for added in plan.sets:
            _claim(plan, added.resource.key, added.listeners, ledger if refused is None else None, problems)
    overlaps = overlapping_tls(ledger.granted)
    return GatewayPlans(plans, _parents(plans), problems, overlaps, refusals, tuple(ledger.granted), strays)


def _claim(
    plan: GatewayPlan,
    owner: Key,
    listeners: tuple[ListenerPlan, ...],
    ledger: Ledger | None,
    problems: dict[str, Problem],
) -> None:
    """Claims of the Listeners of a Gateway or ListenerSet; ledger None: they are only judged by themselves.

    What an earlier object of the same Gateway has is out of the question before they are held against each other.
    """
    gateway = f"{plan.gateway.namespace}/{plan.gateway.name}"
    claims = [Claim(p, gateway, owner, plan.addressing.binds) for p in listeners if p.unacceptable is None]
    if ledger is not None:
        for claim in claims:
            if (problem := ledger.conflict(claim)) is not None:
                problems[claim.plan.admission.key] = problem
    problems |= within([plan for plan in listeners if plan.admission.key not in problems])
    if plan.refused is not None or ledger is None:
        return
    for claim in claims:
        key = claim.plan.admission.key
        if key not in problems and (problem := ledger.claim(claim, LISTENERS_LIMIT)) is not None:
            problems[key] = problem


def _no_listener(plan: GatewayPlan, problems: dict[str, Problem]) -> Problem | None:
    """Why a Gateway none of whose own Listeners can be accepted is not accepted either."""
    keys = [listener.admission.key for listener in plan.listeners]
    bad = [p for p in plan.listeners if p.unacceptable is not None or p.admission.key in problems]
    if len(bad) < len(keys):
        return None
    return Problem("ListenersNotValid", f"no listener can be accepted: {listed(p.admission.name for p in bad)}")


def _refused(gateway: Resource, gateway_class: Resource, addressing: Addressing) -> Problem | None:
    if (problem := class_problem(gateway_class)) is not None:
        return Problem("Invalid", f"GatewayClass {gateway_class.name} is not accepted: {problem.message}")
    if ref := (gateway.spec.get("infrastructure") or {}).get("parametersRef"):
        kind = f"{ref['kind']}.{ref['group']}" if ref.get("group") else ref["kind"]
        return Problem("InvalidParameters", f"infrastructure.parametersRef to a {kind} is not supported")
    return addressing.unsupported


def _unresolved(gateway: Resource, objects: Objects, memo: GatewayMemo) -> Problem | None:
    certificate = client_certificate(gateway, objects, memo.certificates.bundles)
    return certificate if isinstance(certificate, Problem) else None
