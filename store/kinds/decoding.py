"""Why an object cannot be read as one of Kubernetes' own kinds, in the words of the decoder that reads it there.

A value and the kind's schema come in, one sentence goes out. It is asked for only when the value is known to be wrong.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from store.kinds.type_names import TYPE_NAMES
from store.schema.structural import Schema

_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_BASE64 = frozenset(string.ascii_letters + string.digits + "+/")
_LAYOUTS = {"date-time": "2006-01-02T15:04:05Z07:00", "micro-time": "2006-01-02T15:04:05.000000Z07:00"}
_INTEGERS = {"int32": 32, "int64": 64, "": 64}

# Parts of a time: what a layout calls them, what they look like, and the values they may have.
_PARTS: tuple[tuple[str, str, tuple[str, int, int]], ...] = (
    ("2006", r"\d{4}", ("year", 0, 9999)),
    ("-", "-", ("", 0, 0)),
    ("01", r"\d\d", ("month", 1, 12)),
    ("-", "-", ("", 0, 0)),
    ("02", r"\d\d", ("day", 1, 31)),
    ("T", "T", ("", 0, 0)),
    ("15", r"\d\d", ("hour", 0, 23)),
    (":", ":", ("", 0, 0)),
    ("04", r"\d\d", ("minute", 0, 59)),
    (":", ":", ("", 0, 0)),
    ("05", r"\d\d", ("second", 0, 59)),
    ("", r"(?:[.,]\d+)?", ("", 0, 0)),
    ("Z07:00", r"Z|[+-]\d\d:\d\d", ("", 0, 0)),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field lies. struct: type that holds it; path: as in JSON, without indexes; named: path with [] in it."""

    struct: str
    path: str
    named: str


def misread(kind: str, schema: Schema, value: Mapping[str, Any]) -> str:
    """The first thing that the decoder stumbles over; "" where it finds nothing."""
    names = TYPE_NAMES.get(kind, {})
    return next(_object(schema, value, _Place(kind, "", ""), names), "")


def _object(schema: Schema, value: Mapping[str, Any], place: _Place, names: Mapping[str, str]) -> Iterator[str]:
    stem, named = (f"{place.path}." if place.path else ""), (f"{place.named}." if place.named else "")
    for name, inner in value.items():
        if (child := schema.properties.get(name)) is not None and inner is not None:
            yield from _value(child, inner, _Place(place.struct, stem + name, named + name), names)


def _value(schema: Schema, value: Any, place: _Place, names: Mapping[str, str]) -> Iterator[str]:
    match schema.type:
        case "object" if isinstance(value, dict):
            if schema.additional is not None:
                for inner in value.values():
                    yield from _value(
                        schema.additional, inner, _Place(place.struct, place.path, f"{place.named}{{}}"), names
                    )
            else:
                struct = names.get(place.named, place.struct)
                yield from _object(schema, value, _Place(struct, place.path, place.named), names)
        case "array" if isinstance(value, list) and schema.items is not None:
            for inner in value:
                yield from _value(schema.items, inner, _Place(place.struct, place.path, f"{place.named}[]"), names)
        case "string" if isinstance(value, str):
            yield from _text(schema.format, value)
        case "integer" if _fits(value, schema.format):
            return
        case "boolean" if isinstance(value, bool):
            return
        case "" if isinstance(value, str) or _fits(value, "int32") or not schema.int_or_string:
            return
        case _:
            yield _mismatch(value, place, _go_type(schema, place.named, names))


def _fits(value: Any, format_: str) -> bool:
    bound = 1 << (_INTEGERS.get(format_, 64) - 1)
    return type(value) is int and -bound <= value < bound


def _mismatch(value: Any, place: _Place, wanted: str) -> str:
    what = _JSON_TYPES.get(type(value), "null")
    if what == "number" and wanted.startswith("int"):
        what = f"number {value}"
    return f"json: cannot unmarshal {what} into Go struct field {place.struct}.{place.path} of type {wanted}"


def _go_type(schema: Schema, path: str, names: Mapping[str, str]) -> str:
    if schema.type == "array" and schema.items is not None:
        return f"[]{_go_type(schema.items, f'{path}[]', names)}"
    if schema.additional is not None:
        return f"map[string]{_go_type(schema.additional, f'{path}{{}}', names)}"
    if path in names:
        return f"v1.{names[path]}"
    match schema.type:
        case "string":
            return "[]uint8" if schema.format == "byte" else "string"
        case "integer":
            return schema.format or "int64"
        case "boolean":
            return "bool"
        case _:
            return "int32" if schema.int_or_string else "interface {}"


def _text(format_: str, text: str) -> Iterator[str]:
    if format_ == "byte":
        if (at := _base64_fault(text)) is not None:
            yield f"illegal base64 data at input byte {at}"
    elif format_ in _LAYOUTS and (why := _time_fault(text)):
        yield f'parsing time "{text}"{why.format(layout=_LAYOUTS[format_])}'


def _base64_fault(text: str) -> int | None:
    """Where Go's decoder stops: at a foreign character, at padding in a wrong place, at an end that comes too early."""
    filled = 0
    for at, character in enumerate(text):
        if character in "\r\n":
            continue
        if character in _BASE64:
            filled = (filled + 1) % 4
            continue
        rest = text[at + 1 :].replace("\r", "").replace("\n", "")
        if character != "=" or filled < 2 or (filled == 2 and rest and not rest.startswith("=")):
            return at
        if filled == 2 and not rest:
            return len(text)
        return None if rest == "=" * (3 - filled) else at + 4 - filled
    return None if filled == 0 else len(text) - filled


def _time_fault(text: str) -> str:
    """The rest of the sentence about a time that is none; "" for a good one. {layout} stands for the whole layout."""
    rest = text
    for layout, pattern, (name, least, most) in _PARTS:
        found = re.match(pattern, rest)
        if found is None:
            return f' as "{{layout}}": cannot parse "{rest}" as "{layout}"'
        if name and not least <= int(found[0]) <= most:
            return f": {name} out of range"
        rest = rest[found.end() :]
    return f': extra text: "{rest}"' if rest else ""
