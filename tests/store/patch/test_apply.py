"""What must hold of every apply, whatever is applied; single answers are in test_recorded."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.patch import apply, ownership
from store.patch.errors import ApplyConflictError, PatchError
from store.patch.field_sets import FieldSet
from tests.store.patch.schemas import STRING, WIDGET, a_list, a_set, an_object, keyed

VERSION = "example.com/v1"
FIRST, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"
SUBJECT = {"name": "w", "namespace": "d", "uid": "1"}

WORDS = st.sampled_from(["", "x", "y"])
LABELS = st.dictionaries(st.sampled_from("abc"), WORDS, max_size=2)
# An empty keyed list is no field (in Kubernetes too): a container that holds nothing else counts as absent.
NAMES = st.lists(st.sampled_from("abcd"), unique=True, min_size=1, max_size=3)
FREE = st.recursive(WORDS, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=2), max_leaves=4)


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def _parts(draw: st.DrawFn) -> list[dict[str, Any]]:
    inner = _maybe(value=WORDS, nested=_maybe(a=WORDS, b=WORDS), hosts=NAMES)
    return [{"name": name} | draw(inner) for name in draw(NAMES)]


SPECS = _maybe(
    title=WORDS,
    count=st.integers(0, 2),
    tags=st.lists(WORDS, max_size=2),
    hosts=NAMES,
    parts=_parts(),
    options=LABELS,
    selector=LABELS,
    inner=_maybe(a=WORDS, deep=_maybe(c=WORDS, d=WORDS)),
    free=_maybe(a=FREE, b=FREE),
)
CONFIGS = st.builds(
    lambda spec, labels: {
        "apiVersion": VERSION,
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "d", "labels": labels},
        "spec": spec,
    },
    SPECS,
    LABELS,
)
Object = dict[str, Any]


def _apply(
    live: Object | None, config: Object, manager: str = "one", *, force: bool = False, now: str = FIRST
) -> Object:
    untouched = copy.deepcopy((live, config))
    result = apply.apply(
        live, config, WIDGET, manager=manager, api_version=VERSION, subresource="", force=force, now=now
    )
    assert (live, config) == untouched
    result["metadata"] |= SUBJECT
    return result


def _bare(obj: Object) -> Object:
    return obj | {"metadata": {name: value for name, value in obj["metadata"].items() if name != "managedFields"}}


def _fields(obj: Object, manager: str) -> FieldSet:
    return next((owner.fields for owner in ownership.owners(obj) if owner.manager == manager), FieldSet())


@given(CONFIGS)
def test_the_first_apply_makes_what_it_says(config: Object) -> None:
    assert _bare(_apply(None, config)) == config | {"metadata": config["metadata"] | SUBJECT}


@given(CONFIGS, CONFIGS, CONFIGS)
def test_the_same_again_changes_nothing(config: Object, other: Object, third: Object) -> None:
    live = _apply(_apply(_apply(None, other, "two"), third, "three", force=True), config, force=True)
    assert _apply(live, config, now=LATER) == live


@given(CONFIGS, CONFIGS)
def test_a_sole_manager_gets_exactly_what_it_applies(before: Object, config: Object) -> None:
    """But for containers, which stay, if need be empty, when they are somebody's way to something."""
    live = _apply(_apply(None, before), config)
    assert _without_empty(_bare(live)) == _without_empty(_bare(_apply(None, config)))
    assert _fields(live, "one") == _fields(_apply(None, config), "one")


@given(CONFIGS, CONFIGS)
def test_what_is_forced_is_there_and_owned_alone_or_shared(config: Object, other: Object) -> None:
    live = _apply(_apply(None, other, "two"), config, force=True)
    assert _contains(_bare(live), config)
    both = _fields(live, "one").intersection(_fields(live, "two"))
    agreed = _fields(_apply(None, config), "one").intersection(_fields(_apply(None, other, "two"), "two"))
    assert not both.difference(agreed)


@given(CONFIGS, CONFIGS)
def test_who_leaves_takes_only_what_is_nobody_elses(config: Object, other: Object) -> None:
    live = _apply(_apply(None, other, "two"), config, force=True)
    nothing = {"apiVersion": VERSION, "kind": "Widget", "metadata": {"name": "w", "namespace": "d"}}
    left = _apply(live, nothing)
    assert not _fields(left, "one")
    assert _fields(left, "two") == _fields(live, "two")
    assert not _fields(live, "two").difference(ownership.fields_present(left, WIDGET))


@given(CONFIGS, CONFIGS)
@settings(max_examples=60)
def test_a_refused_apply_names_the_fields_that_force_takes(config: Object, other: Object) -> None:
    live = _apply(None, other, "two")
    forced = _apply(live, config, force=True)
    lost = _fields(live, "two").difference(_fields(forced, "two"))
    try:
        assert _apply(live, config) == forced
        assert not lost
    except ApplyConflictError as error:
        named = [path for conflict in error.conflicts for path in conflict.paths]
        assert set(named) <= set(lost.paths())
        assert all(any(path.startswith(top) for top in named) for path in lost.paths())  # parts go with the whole


@given(CONFIGS, CONFIGS)
def test_an_update_takes_what_it_changes_and_frees_what_it_removes(config: Object, update: Object) -> None:
    live = _apply(None, config)
    new = copy.deepcopy(update)
    new["metadata"] |= SUBJECT
    ownership.record_update(live, new, WIDGET, manager="hand", api_version=VERSION, subresource="", now=LATER)
    present = ownership.fields_present(new, WIDGET)
    assert not _fields(new, "one").difference(present)
    assert not _fields(new, "one").intersection(_fields(new, "hand"))
    again = _bare(new)
    ownership.record_update(new, again, WIDGET, manager="hand", api_version=VERSION, subresource="", now="later still")
    assert again == new


def test_a_container_that_loses_all_its_parts_stays_empty_for_who_wants_it() -> None:
    live = _apply(None, _config(inner={}))
    live = _apply(live, _config(inner={"a": "1"}), "two")
    live = _apply(live, _config(), "two")
    assert live["spec"] == {"inner": {}}


def test_status_is_owned_only_through_its_subresource() -> None:
    config = _config(title="x") | {"status": {"phase": "x"}}
    live = _apply(None, config)
    assert _fields(live, "one").paths() == [".spec.title"]
    kept = apply.apply(
        None,
        config,
        WIDGET,
        manager="one",
        api_version=VERSION,
        subresource="",
        force=False,
        now=FIRST,
        reset_fields=(),
    )
    assert _fields(kept, "one").paths() == [".spec.title", ".status.phase"]
    status = apply.apply(
        live, config, WIDGET, manager="ctl", api_version=VERSION, subresource="status", force=False, now=FIRST
    )
    assert _fields(status, "ctl").paths() == [".status.phase"]


def test_an_applier_is_one_through_all_its_versions() -> None:
    live = _apply(None, _config(title="x", count=1))
    config = _config(title="x") | {"apiVersion": "example.com/v2"}
    live = apply.apply(
        live, config, WIDGET, manager="one", api_version="example.com/v2", subresource="", force=False, now=LATER
    )
    assert [(owner.api_version, owner.fields.paths()) for owner in ownership.owners(live)] == [
        ("example.com/v2", [".spec.title"])
    ]
    assert live["spec"] == {"title": "x"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"apiVersion": "v2", "kind": "Widget"}, "invalid object type: v2, Kind=Widget"),
        ({"apiVersion": VERSION, "metadata": {"managedFields": []}}, "metadata.managedFields must be nil"),
        ({"apiVersion": VERSION, "metadata": "x"}, ".metadata: expected map"),
        ({"apiVersion": VERSION, "kind": "Widget", "spec": {"bogus": 1, "title": []}}, ".spec.title: expected string"),
        (
            {"apiVersion": VERSION, "spec": {"parts": [{"name": "a", "x": 1}]}},
            '.spec.parts[name="a"].x: field not declared',
        ),
    ],
)
def test_what_cannot_be_applied(config: Object, message: str) -> None:
    with pytest.raises(PatchError) as caught:
        apply.apply(None, config, WIDGET, manager="m", api_version=VERSION, subresource="", force=True, now=FIRST)
    assert message in str(caught.value)
    assert caught.value.code == 400


def test_items_that_repeat_in_the_live_object_do_not_stop_an_apply() -> None:
    schema = an_object(spec=an_object(hosts=a_set(STRING)))
    live = {"apiVersion": VERSION, "metadata": SUBJECT, "spec": {"hosts": ["a", "a", "b"]}}
    config = {"apiVersion": VERSION, "kind": "Widget", "spec": {"hosts": ["b", "c"]}}
    result = apply.apply(live, config, schema, manager="m", api_version=VERSION, subresource="", force=False, now=FIRST)
    assert result["spec"]["hosts"] == ["a", "a", "b", "c"]


def _config(**spec: Any) -> Object:
    return {"apiVersion": VERSION, "kind": "Widget", "metadata": {"name": "w", "namespace": "d"}, "spec": spec}


def _contains(value: Any, part: Any) -> bool:
    """Whether all that `part` says is in `value`; of lists, that its items are there."""
    if isinstance(part, dict):
        return all(name in value and _contains(value[name], item) for name, item in part.items())
    if isinstance(part, list):
        return all(any(_contains(there, item) for there in value) for item in part)
    return bool(value == part)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {name: _without_empty(item) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item not in ({}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def test_a_list_that_became_atomic_is_owned_whole() -> None:
    items = an_object(name=STRING, value=STRING)
    before, after = (
        an_object(spec=an_object(parts=keyed(items, "name"))),
        an_object(spec=an_object(parts=a_list(items))),
    )
    write: dict[str, Any] = {"api_version": VERSION, "subresource": "", "force": False, "now": FIRST}
    live = apply.apply(None, _config(parts=[{"name": "a"}]), before, manager="one", **write)
    live = apply.apply(live, _config(parts=[{"name": "b"}]), before, manager="two", **write)
    live = apply.apply(live, _config(parts=[{"name": "c"}]), after, manager="two", **(write | {"force": True}))
    assert live["spec"]["parts"] == [{"name": "c"}]
    assert [(owner.manager, owner.fields.paths()) for owner in ownership.owners(live)] == [("two", [".spec.parts"])]
