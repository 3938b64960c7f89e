"""Equality, copies and depth of JSON values, where Python's own would be wrong (True == 1), slow or missing."""

from __future__ import annotations

from typing import Any

import orjson

from store.patch.errors import PatchError

DEPTH_LIMIT = 100  # far beyond any real object, and well within what recursion can walk


def copied(value: Any) -> Any:
    """The same value, sharing no container with the original."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    return value


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are, true and 1 are not."""
    if left is right:
        return True
    if left != right:
        return False
    if isinstance(left, dict | list) and (spelt := _spelt(left)) is not None and spelt == _spelt(right):
        return True  # what is spelt alike needs no walk to tell numbers from booleans
    if isinstance(left, dict):
        return all(equal(item, right[key]) for key, item in left.items())
    if isinstance(left, list):
        return all(map(equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool)


def _spelt(value: Any) -> bytes | None:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits; the walk compares those
        return None


def check_depth(value: Any) -> None:
    """Raise PatchError 400 for a value with more than 100 containers inside each other."""
    if deeper_than(DEPTH_LIMIT, value):
        raise PatchError(f"the value is nested more than {DEPTH_LIMIT} levels deep", code=400)


def deeper_than(limit: int, value: Any) -> bool:
    """Whether a value has more than `limit` containers inside each other. Does not recurse."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return bool(level)
