"""Cases of RFC 7386, appendix A, for documents that are objects, and a few more."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from store.patch import merge_patch
from store.patch.errors import PatchError


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "x"}, {"a": {"b": None, "c": [None]}}, {"a": {"c": [None]}}),
    ],
)
def test_apply(document: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    before = copy.deepcopy((document, patch))
    result = merge_patch.apply(document, patch)
    assert result == expected
    _spoil(result)
    assert (document, patch) == before


@pytest.mark.parametrize("patch", [[1], "x", None, 3])
def test_an_object_is_not_replaced_whole(patch: Any) -> None:
    with pytest.raises(PatchError) as caught:
        merge_patch.apply({"a": 1}, patch)
    assert caught.value.code == 400


def _spoil(value: Any) -> None:
    """Change every container, so that one shared with an argument shows."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _spoil(item)
        value.clear()
