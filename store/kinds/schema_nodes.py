"""The nodes of a definition's OpenAPI v3 schema: which keyword holds what (Kubernetes: JSONSchemaProps).

A node as it was sent comes in, causes for everything of a wrong type go out. What a schema means is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from store.errors import Cause
from store.schema.causes import mismatched

_TYPES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
_SCALARS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("description", "format", "pattern", "title", "type"), "string"),
    **dict.fromkeys(("x-kubernetes-list-type", "x-kubernetes-map-type"), "string"),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), "number"),
    **dict.fromkeys(("maxItems", "maxLength", "maxProperties"), "integer"),
    **dict.fromkeys(("minItems", "minLength", "minProperties"), "integer"),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "nullable", "uniqueItems"), "boolean"),
    **dict.fromkeys(("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"), "boolean"),
    "x-kubernetes-preserve-unknown-fields": "boolean",
}
_LISTS: Final[Mapping[str, str]] = {
    "enum": "",
    "required": "string",
    "x-kubernetes-list-map-keys": "string",
    "x-kubernetes-validations": "object",
}
"""Keywords that hold arrays, with the type of the items; "" is any."""

_NODES: Final = ("allOf", "anyOf", "oneOf")
_NODE_OR_FLAG: Final = ("additionalItems", "additionalProperties")


def misshapen(node: Any, where: str) -> Iterator[Cause]:
    """Every value below `node`, which lies at the path `where`, that has not the type of its keyword."""
    if _wrong(node, "object"):
        yield _mismatch(node, "object", where)
        return
    for keyword, value in node.items():
        place = f"{where}.{keyword}"
        if value is None:
            continue  # as if it were not there
        if keyword in _SCALARS:
            if _wrong(value, _SCALARS[keyword]):
                yield _mismatch(value, _SCALARS[keyword], place)
        elif keyword in _LISTS:
            yield from _items(value, _LISTS[keyword], place)
        elif keyword == "properties":
            yield from _named(value, place)
        elif keyword in _NODES:
            yield from _listed(value, place)
        elif keyword in ("items", "not") or (keyword in _NODE_OR_FLAG and not isinstance(value, bool)):
            yield from misshapen(value, place)


def _items(value: Any, wanted: str, place: str) -> Iterator[Cause]:
    if _wrong(value, "array"):
        yield _mismatch(value, "array", place)
        return
    for index, item in enumerate(value):
        if wanted and _wrong(item, wanted):
            yield _mismatch(item, wanted, f"{place}[{index}]")


def _named(value: Any, place: str) -> Iterator[Cause]:
    if _wrong(value, "object"):
        yield _mismatch(value, "object", place)
        return
    for name, child in value.items():
        yield from misshapen(child, f"{place}[{name}]")


def _listed(value: Any, place: str) -> Iterator[Cause]:
    if _wrong(value, "array"):
        yield _mismatch(value, "array", place)
        return
    for index, child in enumerate(value):
        yield from misshapen(child, f"{place}[{index}]")


def _wrong(value: Any, wanted: str) -> bool:
    seen = _TYPES.get(type(value), "null")
    return seen != wanted and not (wanted == "number" and seen == "integer")


def _mismatch(value: Any, wanted: str, place: str) -> Cause:
    return mismatched(place, _TYPES.get(type(value), "null"), wanted)
