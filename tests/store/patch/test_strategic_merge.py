"""Directives and list strategies; what a real server answers to Services is in test_recorded."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.patch import merge_patch, strategic_merge
from store.patch.errors import PatchError
from store.schema.structural import Schema
from tests.store.patch.schemas import STRING, STRINGS, an_object, keyed

SCHEMA = an_object(
    spec=an_object(
        items=keyed(an_object(name=STRING, value=STRING, labels=STRINGS), "name", merge_key="name"),
        words=Schema(type="array", items=STRING, patch_strategy="merge"),
        plain=Schema(type="array", items=STRING),
        retained=Schema(type="object", additional=STRING, patch_strategy="retainKeys"),
        swapped=Schema(type="object", additional=STRING, patch_strategy="replace"),
    )
)


def named(names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"items": named("ab")}, {"items": [{"name": "b", "value": "1"}]},
         {"items": [*named("a"), {"name": "b", "value": "1"}]}),
        ({"items": named("ab")}, {"items": [{"name": "a", "$patch": "delete"}]}, {"items": named("b")}),
        ({"items": named("ab")}, {"items": [{"$patch": "replace"}, {"name": "c"}]}, {"items": named("c")}),
        ({"items": named("ab")}, {"items": named("c")}, {"items": named("cab")}),
        ({"items": named("ab")}, {"$setElementOrder/items": named("ba")}, {"items": named("ba")}),
        ({"items": named("abc")}, {"$setElementOrder/items": named("ca")}, {"items": named("bca")}),
        ({"items": named("ab")}, {"$setElementOrder/items": named("cba"), "items": named("c")},
         {"items": named("cba")}),
        ({}, {"$setElementOrder/items": named("ba"), "items": named("ba")}, {"items": named("ba")}),
        ({}, {"$setElementOrder/items": named("ba")}, {}),
        ({}, {"items": [{"name": "a", "value": None, "$patch": "delete"}, {"name": "b", "value": None}]},
         {"items": named("b")}),
        ({"items": [{"name": "a", "labels": {"x": "1"}}]}, {"items": [{"name": "a", "labels": {"x": None, "y": "2"}}]},
         {"items": [{"name": "a", "labels": {"y": "2"}}]}),
        ({"words": ["a", "b"]}, {"words": ["c", "a"]}, {"words": ["c", "a", "b"]}),
        ({"words": ["a", "b"]}, {"$deleteFromPrimitiveList/words": ["a", "z"]}, {"words": ["b"]}),
        ({}, {"$deleteFromPrimitiveList/words": ["a"]}, {}),
        ({"words": ["a", "b"]}, {"words": None}, {}),
        ({"plain": ["a", "b"]}, {"plain": ["c"]}, {"plain": ["c"]}),
        ({"retained": {"a": "1", "b": "2"}}, {"retained": {"$retainKeys": ["b", "c"], "c": "3"}},
         {"retained": {"b": "2", "c": "3"}}),
        ({"retained": {"a": "1"}}, {"retained": {"$patch": "replace", "c": "3"}}, {"retained": {"c": "3"}}),
        ({"retained": {"a": "1"}}, {"retained": {"$patch": "delete"}}, {"retained": {}}),
        ({"swapped": {"a": "1"}}, {"swapped": {"b": "2"}}, {"swapped": {"b": "2"}}),
        ({"plain": ["a"]}, {"plain": "text"}, {"plain": "text"}),
    ],
)  # fmt: skip
def test_apply(before: dict[str, Any], patch: dict[str, Any], after: dict[str, Any]) -> None:
    untouched = copy.deepcopy((before, patch))
    assert strategic_merge.apply({"spec": before}, {"spec": patch}, SCHEMA) == {"spec": after}
    assert (before, patch) == untouched


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([], 400),
        ({"spec": {"$patch": "frob"}}, 400),
        ({"spec": {"items": [{"name": "a", "$patch": "frob"}]}}, 400),
        ({"spec": {"items": [{"name": "a", "$patch": "merge"}]}}, 422),
        ({"spec": {"items": [{"value": "x"}]}}, 422),
        ({"spec": {"items": [{"$patch": "delete"}]}}, 422),
        ({"spec": {"items": ["a"]}}, 422),
        ({"spec": {"items": [[]]}}, 422),
        ({"spec": {"$setElementOrder/items": "a"}}, 400),
        ({"spec": {"$setElementOrder": []}}, 400),
        ({"spec": {"$setElementOrder/items": named("b"), "items": named("a")}}, 422),
        ({"spec": {"$setElementOrder/items": named("ba"), "items": [*named("a"), *named("b")]}}, 422),
        ({"spec": {"$setElementOrder/items": [{}], "items": named("a")}}, 422),
        ({"spec": {"$deleteFromPrimitiveList/words": "a"}}, 400),
        ({"spec": {"$deleteFromPrimitiveListwords": ["a"]}}, 400),
        ({"spec": {"$retainKeys": "a"}}, 400),
        ({"spec": {"$retainKeys": ["items"], "words": ["a"]}}, 400),
    ],
)
def test_what_is_refused(patch: Any, code: int) -> None:
    with pytest.raises(PatchError) as caught:
        strategic_merge.apply({"spec": {"items": named("a"), "words": ["a"]}}, patch, SCHEMA)
    assert caught.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_without_strategies_it_is_a_merge_patch_that_cleans_new_values(
    document: dict[str, Any], patch: dict[str, Any]
) -> None:
    plain = an_object()
    result = strategic_merge.apply(document, patch, plain)
    assert _without_nulls(result) == _without_nulls(merge_patch.apply(document, patch))


@given(OBJECTS, OBJECTS)
def test_a_patch_applied_twice_changes_nothing_more(document: dict[str, Any], patch: dict[str, Any]) -> None:
    once = strategic_merge.apply(document, patch, an_object())
    assert strategic_merge.apply(once, patch, an_object()) == once


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def test_long_lists_merge_by_looking_each_key_up_once() -> None:
    compared = 0

    class Key(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    schema = Schema(
        type="object",
        properties={
            "items": Schema(
                type="array",
                patch_strategy="merge",
                patch_merge_key="name",
                items=Schema(type="object", properties={"name": Schema(type="string")}),
            )
        },
    )
    document = {"items": [{"name": Key(f"a{i}")} for i in range(2_000)]}
    patch: dict[str, list[dict[str, str]]] = {"items": [{"name": Key(f"b{i}")} for i in range(2_000)]}
    patch["items"] += [{"name": Key(f"a{i}"), "$patch": "delete"} for i in range(1_000)]
    assert len(strategic_merge.apply(document, patch, schema)["items"]) == 3_000
    assert compared < 50_000
