"""The official condition types and reasons: each is produced by a golden case, or there is a line why not yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.golden.case import CASES, read, run

RECORDED = Path(__file__).with_name("conditions.json")

SCOPES = {
    "GatewayClass": "GatewayClass",
    "Gateway": "Gateway",
    "Listener": "Listener",
    "ListenerEntry": "ListenerEntry",
    "ListenerSet": "ListenerSet",
    "Mesh": "Mesh",
    "Policy": "Policy",
    "Route": "Route",
}
"""Prefix of a constant's Go type, with what carries such conditions here."""

RESERVED = "deprecated, or reserved by the API for later"

NOT_YET = {
    "GatewayClassReasonPending": "what a class shows before a controller has looked, by default",
    "GatewayClassReasonWaiting": "as Pending",
    "GatewayClassReasonUnsupported": "a class of ours is refused for its parameters only, which has its own reason",
    "GatewayConditionScheduled": RESERVED,
    "GatewayReasonScheduled": RESERVED,
    "GatewayReasonNotReconciled": RESERVED,
    "GatewayConditionReady": RESERVED,
    "GatewayReasonReady": RESERVED,
    "GatewayReasonListenersNotReady": RESERVED,
    "ListenerConditionDetached": RESERVED,
    "ListenerReasonAttached": RESERVED,
    "ListenerConditionReady": RESERVED,
    "ListenerReasonReady": RESERVED,
    "RouteReasonPending": "a route is judged in the translation that first sees it",
    "ListenerEntryConditionReady": RESERVED,
    "ListenerEntryReasonReady": RESERVED,
    "ListenerEntryReasonListenerConflict": "for conflicts of several sorts; which it is stands there more exactly",
    "ListenerEntryReasonTooManyListeners": "of the 4,097th listener; see test_conflicts",
    "ListenerSetReasonInvalid": "what can be wrong with a set is wrong with its listeners, and is told there",
}
NOT_YET_SCOPES = {
    "Mesh": "there is no mesh on one machine",
}


def test_every_constant_has_a_case_or_a_line() -> None:
    produced = {entry for path in CASES.glob("*/*.in.yaml") for entry in _produced(path)}
    missing = []
    for constant in json.loads(RECORDED.read_text())["constants"]:
        scope = constant["type"].partition("Condition")[0]
        excused = constant["name"] in NOT_YET or scope in NOT_YET_SCOPES
        present = (SCOPES[scope], constant["type"].removeprefix(scope), constant["value"]) in produced
        if present and constant["name"] in NOT_YET:
            missing.append(f"{constant['name']} has a case, so its line is stale")
        elif not present and not excused:
            missing.append(f"{constant['name']} has neither a case nor a line")
    assert not missing, "\n".join(missing)


def test_lines_speak_of_constants_that_exist() -> None:
    names = {constant["name"] for constant in json.loads(RECORDED.read_text())["constants"]}
    assert set(NOT_YET) <= names


def _produced(path: Path) -> Iterator[tuple[str, str, str]]:
    """(scope, "ConditionType" or "ConditionReason", value)"""
    _, statuses = run(read(path))
    for key, status in statuses.items():
        scope = "Route" if key.kind.endswith("Route") else "Policy" if key.kind.endswith("Policy") else key.kind
        yield from _conditions(scope, status.body)


def _conditions(scope: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for condition in body.get("conditions", ()):
        yield scope, "ConditionType", condition["type"]
        yield scope, "ConditionReason", condition["reason"]
    for listener in body.get("listeners", ()):
        yield from _conditions("ListenerEntry" if scope == "ListenerSet" else "Listener", listener)
    for entry in (*body.get("parents", ()), *body.get("ancestors", ())):
        yield from _conditions(scope, entry)
