"""Statuses as the translator leaves them: complete but for what only the sockets can tell.

`programmed` finishes them; `status_writer` stamps and stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.gatewayapi.conditions import Condition
from appliance.gatewayapi.infrastructure import GatewayService
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Key
from proxy.snapshot.clusters import Endpoint
from proxy.snapshot.listeners import BindKey


@dataclass(frozen=True, slots=True, eq=False)
class Status:
    """A finished status. body: the JSON of .status without transition times; in route and policy kinds only the
    entries of our own. Compares by identity: an unchanged status is the same object."""

    key: Key
    generation: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListenerDraft:
    """A listener's status but for Programmed. binds: the sockets that carry it; refused: why there are none."""

    name: str
    supported_kinds: tuple[str, ...]
    attached_routes: int
    conditions: tuple[Condition, ...]
    binds: tuple[BindKey, ...]
    refused: Problem | None


@dataclass(frozen=True, slots=True)
class GatewayDraft:
    """A Gateway's status but for Programmed.

    since: the first serial that carries what this draft speaks of; addresses: (type, value) pairs.
    attached_sets: how many ListenerSets are accepted. refused: why it can never be programmed as it is;
    address_problem: an address that cannot be served; service: what stands for it among Services.
    """

    key: Key
    generation: int
    since: int
    conditions: tuple[Condition, ...]
    addresses: tuple[tuple[str, str], ...]
    listeners: tuple[ListenerDraft, ...]
    attached_sets: int
    refused: Problem | None
    address_problem: Problem | None
    service: GatewayService | None = None


@dataclass(frozen=True, slots=True)
class ListenerSetDraft:
    """A ListenerSet's status but for Programmed; as GatewayDraft. refused: why nothing of it can be programmed."""

    key: Key
    generation: int
    since: int
    conditions: tuple[Condition, ...]
    listeners: tuple[ListenerDraft, ...]
    refused: Problem | None


@dataclass(frozen=True, slots=True)
class BackendDraft:
    """A Backend's status but for what its names resolve to. problem: why it cannot be used at all."""

    key: Key
    generation: int
    endpoints: tuple[Endpoint, ...]
    problem: Problem | None

    @property
    def names(self) -> frozenset[str]:
        """The names that the proxy looks up."""
        return frozenset(endpoint.host for endpoint in self.endpoints if endpoint.kind == "name")


SocketDraft = GatewayDraft | ListenerSetDraft
Draft = SocketDraft | BackendDraft


@dataclass(frozen=True, slots=True)
class Drafts:
    """All statuses of one translation. finished: those that wait for nothing; waiting: those that reports complete.

    changed: objects that got another status or draft than in the translation before, or lost theirs.
    binds: every socket of the snapshot with the serial it has been in since.
    """

    serial: int
    finished: Mapping[Key, Status]
    waiting: Mapping[Key, Draft]
    changed: frozenset[Key]
    binds: Mapping[BindKey, int]
