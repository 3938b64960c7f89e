"""Listeners that ask for the same thing: within one object none of them gets it, otherwise whoever comes first.

First come the Listeners of older Gateways, and of one Gateway its own, then those of older ListenerSets (Gateway API:
GatewaySpec.listeners, "Distinct Listeners" and "Handling indistinct Listeners"; GEP-1713, "Listener Precedence").
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from appliance.gatewayapi.listeners import Family, ListenerPlan
from appliance.gatewayapi.problems import Problem, listed
from appliance.gatewayapi.resources import Key

CONFLICTS: Final = frozenset({"HostnameConflict", "ProtocolConflict"})
"""Reasons that go into the condition Conflicted."""


class Claim(NamedTuple):
    """A Listener with the addresses that its Gateway serves on; "" is every address.

    gateway: "NAMESPACE/NAME"; owner: the Gateway, or the ListenerSet that adds it.
    """

    plan: ListenerPlan
    gateway: str
    owner: Key
    addresses: tuple[str, ...]

    @property
    def place(self) -> tuple[int, str]:
        """What can be contended for: a port of a transport."""
        return (self.plan.admission.port, self.plan.transport)


def within(listeners: Sequence[ListenerPlan]) -> dict[str, Problem]:
    """The conflicts inside one object by listener key: every Listener of an indistinct set is in it."""
    shared: dict[tuple[int, str], list[ListenerPlan]] = defaultdict(list)
    for plan in listeners:
        if plan.family is not None:
            shared[(plan.admission.port, plan.transport)].append(plan)
    conflicts: dict[str, Problem] = {}
    for (port, _), group in shared.items():
        for plan in group:
            others = [other for other in group if other is not plan and clash(plan, other)]
            if others:
                names = listed(f"{other.admission.name} ({other.protocol})" for other in others)
                reason = clash(plan, others[0])
                message = f"its {_what(reason)} conflicts on port {port} with listener {names}; none of them is served"
                conflicts[plan.admission.key] = Problem(reason, message)
    return conflicts


class Ledger:
    """Who holds which port. Claims are judged in the order in which they come, and hold what they are granted."""

    def __init__(self) -> None:
        self.granted: list[Claim] = []
        self._counts: Counter[str] = Counter()
        self._families: dict[tuple[int, str], dict[Family, list[Claim]]] = defaultdict(lambda: defaultdict(list))
        self._hostnames: dict[tuple[int, str, str], list[Claim]] = defaultdict(list)

    def conflict(self, claim: Claim) -> Problem | None:
        """Which Listener of the same Gateway was there before."""
        own = next((rival for rival in self._rivals(claim) if rival.gateway == claim.gateway), None)
        return None if own is None else _conflict(claim, own)

    def claim(self, claim: Claim, limit: int) -> Problem | None:
        """Why it cannot be granted; a claim in conflict never comes here. limit: how many a Gateway can have."""
        if self._counts[claim.gateway] >= limit:
            message = f"Gateway {claim.gateway} has {limit} listeners already, and no more are served"
            return Problem("TooManyListeners", message)
        holder = next((rival for rival in self._rivals(claim) if _share_address(rival, claim)), None)
        if holder is not None:
            return _unavailable(claim, holder)
        self.granted.append(claim)
        self._counts[claim.gateway] += 1
        if (family := claim.plan.family) is not None:
            self._families[claim.place][family].append(claim)
            self._hostnames[*claim.place, claim.plan.admission.hostname].append(claim)
        return None

    def _rivals(self, claim: Claim) -> Iterator[Claim]:
        """Granted claims that the Listener clashes with, wherever they listen."""
        same = self._hostnames.get((*claim.place, claim.plan.admission.hostname), ())
        others = (claims for family, claims in self._families[claim.place].items() if family != claim.plan.family)
        return (rival for rival in chain(same, *others) if clash(rival.plan, claim.plan))


def clash(one: ListenerPlan, other: ListenerPlan) -> str:
    """The reason why two Listeners cannot share a port, or ""."""
    if one.family != other.family or one.family in ("tcp", "udp"):
        return "ProtocolConflict"
    return "HostnameConflict" if one.admission.hostname == other.admission.hostname else ""


def _conflict(claim: Claim, holder: Claim) -> Problem:
    reason = clash(claim.plan, holder.plan)
    # What stands in a namespace of somebody else is none of the reader's business (GEP-1713).
    if holder.owner.kind == "Gateway" or holder.owner.namespace == claim.owner.namespace:
        named = f"listener {holder.plan.admission.name} ({holder.plan.protocol}) of {holder.owner}"
    else:
        named = "a listener of another ListenerSet"
    port = claim.plan.admission.port
    message = f"its {_what(reason)} conflicts on port {port} with {named}, which has precedence"
    return Problem(reason, message)


def _unavailable(claim: Claim, holder: Claim) -> Problem:
    named = f"listener {holder.plan.admission.name}" if holder.owner.kind == "Gateway" else "a ListenerSet"
    message = f"port {claim.plan.admission.port} is held by {named} of the older Gateway {holder.gateway}"
    return Problem("PortUnavailable", message)


def _what(reason: str) -> str:
    return "protocol" if reason == "ProtocolConflict" else "hostname"


def _share_address(one: Claim, other: Claim) -> bool:
    everywhere = "" in one.addresses or "" in other.addresses
    return everywhere or not set(one.addresses).isdisjoint(other.addresses)
