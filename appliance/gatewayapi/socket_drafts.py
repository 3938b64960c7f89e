"""The drafts of all Gateways and ListenerSets, kept from one translation to the next: a change of one costs one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from appliance.gatewayapi.drafts import SocketDraft
from appliance.gatewayapi.gateway_drafts import gateway_draft, listener_set_draft
from appliance.gatewayapi.gateways import GatewayPlan, GatewayPlans
from appliance.gatewayapi.listener_drafts import Findings
from appliance.gatewayapi.listener_sets import ListenerSetPlan
from appliance.gatewayapi.resources import Key
from proxy.snapshot.listeners import BindKey

Owner = tuple[GatewayPlan, ListenerSetPlan | None]


class SocketDrafts:
    """`drafts` is what the last update left."""

    def __init__(self) -> None:
        self.drafts: dict[Key, SocketDraft] = {}
        self._made_of: tuple[GatewayPlans, Mapping[str, tuple[BindKey, ...]]] | None = None
        self._owners: dict[Key, Owner] = {}
        self._owner_of: dict[str, Key] = {}
        self._said: dict[Key, tuple[Any, ...]] = {}  # what the draft of a ListenerSet was made of

    def update(self, findings: Findings, counted: Iterable[str], serial: int) -> set[Key]:
        """Look again at what depends on what has changed; whose draft is another, or gone.

        counted: listener keys whose number of routes may be another; serial: of the present snapshot, of which drafts
        that say something new speak.
        """
        whole = self._made_of is None or any(
            one is not other for one, other in zip(self._made_of, (findings.plans, findings.keys), strict=True)
        )
        if whole:
            self._made_of = (findings.plans, findings.keys)
            self._know_owners(findings.plans)
        gone = self.drafts.keys() - self._owners.keys() if whole else set()
        for key in gone:
            del self.drafts[key]
            self._said.pop(key, None)
        changed = set(gone)
        stale = {self._owner_of[name] for name in counted if name in self._owner_of}
        if whole:
            stale |= self._touched(findings)
        for key in stale:
            draft = _draft(self._owners[key], findings, serial)
            old = self.drafts.get(key)
            if old is None or old != replace(draft, since=old.since):
                self.drafts[key] = draft
                changed.add(key)
        return changed

    def _touched(self, findings: Findings) -> set[Key]:
        """Whose drafts new plans may change: every Gateway, for it speaks of its ListenerSets, and some of these."""
        touched = set()
        for key, (plan, added) in self._owners.items():
            said = _made_of(plan, added, findings) if added is not None else ()
            if added is None or self._said.get(key) != said:
                self._said[key] = said
                touched.add(key)
        return touched

    def _know_owners(self, plans: GatewayPlans) -> None:
        self._owners, self._owner_of = {}, {}
        for plan in plans.plans:
            self._owners[plan.gateway.key] = (plan, None)
            self._owner_of |= dict.fromkeys((p.admission.key for p in plan.listeners), plan.gateway.key)
            for added in plan.sets:
                self._owners[added.resource.key] = (plan, added)
                self._owner_of |= dict.fromkeys((p.admission.key for p in added.listeners), added.resource.key)


def _made_of(plan: GatewayPlan, added: ListenerSetPlan, findings: Findings) -> tuple[Any, ...]:
    """All that the draft of a ListenerSet says, but for how many routes there are."""
    plans = findings.plans
    keys = [listener.admission.key for listener in added.listeners]
    return (
        (added, plan.gateway, plan.addressing, plan.refused, plans.refusals.get(plan.gateway.key)),
        *((plans.problems.get(key), plans.overlaps.get(key), findings.keys.get(key)) for key in keys),
    )


def _draft(owner: Owner, findings: Findings, serial: int) -> SocketDraft:
    plan, added = owner
    if added is None:
        return gateway_draft(plan, findings, serial)
    return listener_set_draft(added, plan, findings, serial)
