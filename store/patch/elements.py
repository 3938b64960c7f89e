"""Path elements in the spelling of FieldsV1: one string names one step into a value.

`f:NAME` a field, `k:{JSON}` the item of a keyed list with these key values, `v:JSON` an item of a set, `i:N` a position
(structured-merge-diff, fieldpath). Strings, because they are hashed and compared at every step of every set operation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from store.schema.structural import Schema

MEMBER = "."  # the mark of FieldsV1 for "this node itself, besides what is below it"

_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def item_element(item: Any, schema: Schema | None, keys: Sequence[str]) -> str:
    """The element of an item of a keyed list (keys) or of a set (none). A missing key counts with its default.

    Raises ValueError with the sentence that says why the item has no element.
    """
    if not keys:
        if item is None or isinstance(item, dict | list):
            raise ValueError(f"associative list without keys has an element that's {_TYPES[type(item)]}")
        return _spelt_value(item) if type(item) is str else "v:" + _spelt(item)
    if not isinstance(item, dict):
        wrong = "a null element" if item is None else "non-map elements"
        raise ValueError(f"associative list with keys may not have {wrong}")
    properties: Mapping[str, Schema] = schema.properties if schema else {}
    values: list[Any] = []
    for key in keys:
        value = item.get(key)
        if value is None and key not in item and key in properties:
            value = properties[key].default
        values.append(_ABSENT if value is None and key not in item else value)
    if all(value is _ABSENT for value in values):
        raise ValueError(
            f"associative list with keys has an element that omits all key fields {_quoted(keys)} "
            "(and doesn't have default values for any key fields)"
        )
    try:
        return _key(tuple(keys), tuple(values), tuple(map(type, values)))
    except TypeError:
        raise ValueError(
            f"associative list with keys has an element whose key fields {_quoted(keys)} are no scalars"
        ) from None


@lru_cache(maxsize=4096)
def canonical(element: str) -> str:
    """The element as this store spells it, for one that a client wrote. Raises ValueError when it is none."""
    kind, content = element[:2], element[2:]
    try:
        if kind == "f:":
            return element
        if kind == "i:":
            return f"i:{int(content)}"
        if kind == "v:":
            return "v:" + _spelt(json.loads(content))
        if kind == "k:":
            keys = json.loads(content)
            if isinstance(keys, dict):
                return "k:{" + ",".join(f"{_spelt(key)}:{_spelt(keys[key])}" for key in sorted(keys)) + "}"
    except (TypeError, RecursionError):
        pass  # a key that is no scalar, or one nested so deeply that nothing can read it
    raise ValueError(f"{element!r} is no path element of FieldsV1")


def text(element: str) -> str:
    """The element as messages spell it: `.name`, `[port=80,protocol="TCP"]`, `[="a"]`, `[0]`."""
    kind, content = element[:2], element[2:]
    match kind:
        case "f:":
            return "." + content
        case "k:":
            keys: dict[str, Any] = json.loads(content)
            return "[" + ",".join(f"{key}={_printed(value)}" for key, value in keys.items()) + "]"
        case "v:":
            return f"[={_printed(json.loads(content))}]"
        case _:
            return f"[{content}]"


def order(element: str) -> tuple[int, Any]:
    """A key to sort elements by: fields by name, then keyed items, set items (numbers by value) and positions."""
    kind, content = element[:2], element[2:]
    match kind:
        case "f:":
            return 0, content
        case "k:":
            return 1, [(key, _comparable(value)) for key, value in json.loads(content).items()]
        case "v:":
            return 2, _comparable(json.loads(content))
        case _:
            return 3, int(content)


_ABSENT = object()
_TYPES = {type(None): "an explicit null", dict: "a map type", list: "a list type"}


@lru_cache(maxsize=4096)
def _key(keys: tuple[str, ...], values: tuple[Any, ...], types: tuple[type, ...]) -> str:
    """types keeps True and 1 apart in the cache."""
    pairs = sorted((key, value) for key, value in zip(keys, values, strict=True) if value is not _ABSENT)
    return "k:{" + ",".join(f"{_spelt(key)}:{_spelt(value)}" for key, value in pairs) + "}"


@lru_cache(maxsize=4096)
def _spelt_value(item: str) -> str:
    return "v:" + _spelt(item)


def _spelt(value: Any) -> str:
    """JSON as Go's encoder spells it: no spaces, HTML's characters escaped, 80.0 as 80."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict | list):
        raise TypeError("a key is a scalar")
    return json.dumps(value, ensure_ascii=False).translate(_HTML)


def _printed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comparable(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, "")


def _quoted(keys: Sequence[str]) -> str:
    return "[" + " ".join(f'"{key}"' for key in keys) + "]"
