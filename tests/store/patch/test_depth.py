"""Depth is bounded for every patch, so that no body can exhaust the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from store.patch import apply, json_patch, merge_patch, strategic_merge
from store.patch.errors import PatchError
from tests.store.patch.schemas import WIDGET


def _deep(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


def _apply(content: Any) -> Any:
    config = {"apiVersion": "v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"free": {"a": content}}}
    return apply.apply(None, config, WIDGET, manager="m", api_version="v1", subresource="", force=False, now="now")


WRITES: dict[str, Callable[[Any], Any]] = {
    "apply": _apply,
    "json": lambda content: json_patch.apply({}, [{"op": "add", "path": "/a", "value": content}]),
    "merge": lambda content: merge_patch.apply({}, {"a": content}),
    "strategic": lambda content: strategic_merge.apply({}, {"spec": {"free": content}}, WIDGET),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_is_too_deep_is_refused(write: Callable[[Any], Any]) -> None:
    write(_deep(90))
    for levels in (101, 1000):
        with pytest.raises(PatchError, match="levels deep") as caught:
            write(_deep(levels))
        assert caught.value.code == 400


def test_copies_below_themselves_cannot_dig_deep() -> None:
    digging = [{"op": "copy", "from": "/a", "path": "/a" * (n + 1)} for n in range(12)]
    doubling = [{"op": "copy", "from": "/a", "path": "/a/a" + "/a" * (2**n - 1)} for n in range(12)]
    assert json_patch.apply({"a": {}}, digging)
    with pytest.raises(PatchError):
        json_patch.apply({"a": {}}, doubling)
