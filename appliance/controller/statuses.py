"""Statuses as they are stored: what we say, with times, beside what others say. Pure.

Entries of other controllers and conditions of types that are not ours stay as they are; a transition time changes only
when the status of its condition does (meta/v1 Condition).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from appliance.gatewayapi.classes import CONTROLLER_NAME

Json = dict[str, Any]

ENTRIES: Final = {
    "HTTPRoute": ("parents", "parentRef"),
    "GRPCRoute": ("parents", "parentRef"),
    "TLSRoute": ("parents", "parentRef"),
    "TCPRoute": ("parents", "parentRef"),
    "UDPRoute": ("parents", "parentRef"),
    "BackendTLSPolicy": ("ancestors", "ancestorRef"),
    "XBackendTrafficPolicy": ("ancestors", "ancestorRef"),
    "XBackend": ("parents", "parentRef"),
}
"""Kinds whose status is a list of entries, one per controller and reference: the list, and the reference's field."""

OWN_TYPES: Final = frozenset(
    {
        "Accepted",
        "Conflicted",
        "DefaultGateway",
        "InsecureFrontendValidationMode",
        "OverlappingTLSConfig",
        "PartiallyInvalid",
        "Programmed",
        "Ready",
        "ResolvedRefs",
        "SupportedVersion",
    }
)


def merged_status(kind: str, old: Mapping[str, Any], wanted: Mapping[str, Any] | None, now: str) -> Json:
    """The whole status to store. wanted None: nothing of ours is left in it; now: RFC 3339, for new conditions."""
    if kind in ENTRIES:
        field, reference = ENTRIES[kind]
        entries = _entries(old.get(field) or (), (wanted or {}).get(field) or (), reference, now)
        return {**old, field: entries} if entries or field in old else dict(old)
    if wanted is None:
        return dict(old)
    status = {**old, **wanted, "conditions": _conditions(old.get("conditions") or (), wanted["conditions"], now)}
    if "listeners" in wanted:
        status["listeners"] = _listeners(old.get("listeners") or (), wanted["listeners"], now)
    return status


def _entries(old: Sequence[Json], wanted: Sequence[Json], reference: str, now: str) -> list[Json]:
    """Others' entries stay where they are; ours keep their place as long as they are wanted."""
    left = list(wanted)
    entries: list[Json] = []
    for entry in old:
        if entry.get("controllerName") != CONTROLLER_NAME:
            entries.append(entry)
            continue
        match = next((e for e in left if e[reference] == entry.get(reference)), None)
        if match is not None:
            left.remove(match)
            entries.append(
                {**match, "conditions": _conditions(entry.get("conditions") or (), match["conditions"], now)}
            )
    entries += [{**entry, "conditions": _conditions((), entry["conditions"], now)} for entry in left]
    return entries


def _listeners(old: Sequence[Json], wanted: Sequence[Json], now: str) -> list[Json]:
    before = {listener["name"]: listener.get("conditions") or () for listener in old}
    return [
        {**listener, "conditions": _conditions(before.get(listener["name"], ()), listener["conditions"], now)}
        for listener in wanted
    ]


def _conditions(old: Sequence[Json], wanted: Sequence[Json], now: str) -> list[Json]:
    before = {condition["type"]: condition for condition in old}
    conditions = []
    for condition in wanted:
        last = before.get(condition["type"], {})
        same = last.get("status") == condition["status"] and last.get("lastTransitionTime")
        conditions.append({**condition, "lastTransitionTime": last["lastTransitionTime"] if same else now})
    names = {condition["type"] for condition in wanted} | OWN_TYPES
    return conditions + [condition for condition in old if condition["type"] not in names]
