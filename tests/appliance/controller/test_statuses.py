"""Statuses as they are stored, beside what others say."""

from __future__ import annotations

from typing import Any

from appliance.controller.statuses import merged_status
from appliance.gatewayapi.classes import CONTROLLER_NAME

OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"


def condition(type_: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": type_, "message": "", "observedGeneration": 1, **more}


def entry(name: str, *conditions: dict[str, Any], controller: str = CONTROLLER_NAME) -> dict[str, Any]:
    return {"parentRef": {"name": name}, "controllerName": controller, "conditions": list(conditions)}


def test_a_time_changes_only_with_the_status() -> None:
    old = {
        "conditions": [
            condition("Accepted", lastTransitionTime=OLD),
            condition("Programmed", "False", lastTransitionTime=OLD),
        ]
    }
    wanted = {"conditions": [condition("Accepted", message="still", observedGeneration=2), condition("Programmed")]}
    merged = merged_status("Gateway", old, wanted, NEW)
    assert [c["lastTransitionTime"] for c in merged["conditions"]] == [OLD, NEW]
    assert merged["conditions"][0]["message"] == "still"


def test_conditions_of_foreign_types_stay_and_ours_go() -> None:
    foreign = condition("example.com/Audited", lastTransitionTime=OLD)
    old = {"conditions": [foreign, condition("PartiallyInvalid", lastTransitionTime=OLD)], "other": 1}
    merged = merged_status("Gateway", old, {"conditions": [condition("Accepted")]}, NEW)
    assert [c["type"] for c in merged["conditions"]] == ["Accepted", "example.com/Audited"]
    assert merged["other"] == 1


def test_entries_of_other_controllers_stay_where_they_are() -> None:
    theirs = entry("web", condition("Accepted", lastTransitionTime=OLD), controller="example.com/other")
    ours = entry("web", condition("Accepted", lastTransitionTime=OLD))
    gone = entry("gone", condition("Accepted", lastTransitionTime=OLD))
    wanted = {"parents": [entry("web", condition("Accepted")), entry("new", condition("Accepted"))]}
    merged = merged_status("HTTPRoute", {"parents": [gone, theirs, ours]}, wanted, NEW)
    assert merged["parents"] == [theirs, ours, entry("new", condition("Accepted", lastTransitionTime=NEW))]


def test_without_a_status_of_ours_only_our_entries_go() -> None:
    theirs = entry("web", controller="example.com/other")
    assert merged_status("HTTPRoute", {"parents": [entry("web"), theirs]}, None, NEW) == {"parents": [theirs]}
    assert merged_status("HTTPRoute", {}, None, NEW) == {}
    assert merged_status("Gateway", {"conditions": [condition("Accepted")]}, None, NEW) == {
        "conditions": [condition("Accepted")]
    }


def test_listeners_keep_their_times_by_name() -> None:
    old = {
        "listeners": [{"name": "a", "conditions": [condition("Accepted", lastTransitionTime=OLD)]}, {"name": "gone"}]
    }
    listeners = [{"name": name, "attachedRoutes": 1, "conditions": [condition("Accepted")]} for name in ("b", "a")]
    merged = merged_status("Gateway", old, {"conditions": [], "listeners": listeners}, NEW)
    times = {listener["name"]: listener["conditions"][0]["lastTransitionTime"] for listener in merged["listeners"]}
    assert times == {"b": NEW, "a": OLD}


def test_the_same_again_changes_nothing() -> None:
    wanted = {
        "conditions": [condition("Accepted")],
        "listeners": [{"name": "a", "conditions": [condition("Accepted")]}],
    }
    once = merged_status("Gateway", {}, wanted, OLD)
    assert merged_status("Gateway", once, wanted, NEW) == once
