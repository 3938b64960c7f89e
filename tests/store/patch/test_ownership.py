from __future__ import annotations

from typing import Any

import pytest

from store.patch import ownership
from store.patch.comparison import changed_fields
from tests.store.patch.schemas import WIDGET

NOW = "2026-01-01T00:00:00Z"
ENTRY = {
    "manager": "one",
    "operation": "Apply",
    "apiVersion": "example.com/v1",
    "time": NOW,
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:title": {}}},
}


def _object(*entries: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "w", "uid": "1"}
    if entries:
        metadata["managedFields"] = list(entries)
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "spec": spec}


def _record(old: dict[str, Any] | None, new: dict[str, Any], manager: str = "hand", subresource: str = "") -> list[Any]:
    ownership.record_update(
        old, new, WIDGET, manager=manager, api_version="example.com/v1", subresource=subresource, now=NOW
    )
    return [(owner.manager, owner.operation, owner.fields.paths()) for owner in ownership.owners(new)]


@pytest.mark.parametrize(
    "entry",
    [
        "x",
        ENTRY | {"operation": "Delete"},
        ENTRY | {"apiVersion": ""},
        ENTRY | {"fieldsType": "FieldsV2"},
        ENTRY | {"fieldsV1": {"title": {}}},
        ENTRY | {"fieldsV1": {"f:spec": 1}},
    ],
)
def test_garbled_managed_fields(entry: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        ownership.owners(_object(entry))
    # A client that garbles them changes nothing about who owned what.
    live = _object(ENTRY, title="a")
    assert _record(live, _object(entry, title="a")) == [("one", "Apply", [".spec.title"])]


def test_nobody_owns_identity_and_bookkeeping() -> None:
    new = _object(title="a")
    new["metadata"] |= {"resourceVersion": "5", "generation": 2, "creationTimestamp": NOW, "labels": {"a": "b"}}
    assert _record(None, new) == [
        ("hand", "Update", [".spec", ".metadata.labels", ".metadata.labels.a", ".spec.title"])
    ]


def test_an_update_through_status_keeps_the_owners_of_the_live_object() -> None:
    live = _object(ENTRY, title="a")
    new = _object({}, title="a") | {"status": {"phase": "x"}}
    assert _record(live, new, "ctl", "status") == [
        ("one", "Apply", [".spec.title"]),
        ("ctl", "Update", [".status", ".status.phase"]),
    ]


def test_tracking_is_given_up_by_one_empty_entry_and_stays_so() -> None:
    live = _object(ENTRY, title="a")
    new = _object({}, title="b")
    assert _record(live, new) == []
    assert "managedFields" not in new["metadata"]
    assert _record(new, _object(title="c")) == []


def test_an_empty_list_does_not_give_up_tracking() -> None:
    live, new = _object(ENTRY, title="a"), _object(title="a")
    new["metadata"]["managedFields"] = []
    assert _record(live, new) == [("one", "Apply", [".spec.title"])]


def test_changed_fields_are_those_of_both_sides() -> None:
    old = _object(title="a", count=1, parts=[{"name": "x", "value": "1"}])
    new = _object(title="b", enabled=True, parts=[{"name": "y"}])
    assert changed_fields(old, new, WIDGET).paths() == [
        ".spec.count",
        ".spec.enabled",
        ".spec.title",
        '.spec.parts[name="x"]',
        '.spec.parts[name="y"]',
        '.spec.parts[name="x"].name',
        '.spec.parts[name="x"].value',
        '.spec.parts[name="y"].name',
    ]


def test_true_is_not_one() -> None:
    old, new = _object(free={"a": True, "b": 1}), _object(free={"a": 1, "b": 1.0})
    assert changed_fields(old, new, WIDGET).paths() == [".spec.free.a"]


def test_items_without_their_keys_are_owned_by_position() -> None:
    new = _object(parts=[{"value": "x"}, {"name": "a"}, "text"], hosts=[{"a": "b"}])
    assert [fields for _, _, fields in _record(None, new)] == [
        [
            ".spec",
            ".spec.hosts",
            ".spec.parts",
            ".spec.hosts[0]",
            ".spec.hosts[0].a",
            '.spec.parts[name="a"]',
            ".spec.parts[0]",
            ".spec.parts[2]",
            '.spec.parts[name="a"].name',
            ".spec.parts[0].value",
        ]
    ]
