"""Closures for strings, numbers, booleans and values of free type."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import re2

from store.errors import Cause
from store.schema import causes
from store.schema.findings import Findings
from store.schema.formats import FORMATS
from store.schema.paths import Path, render
from store.schema.structural import Schema

Check: TypeAlias = Callable[[Any, Path, Findings], None]

# The same names and hosts come again and again, and a match in RE2 costs microseconds from Python.
_MATCHES_KEPT = 1024
_INT32_LIMIT = 2**31


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text contains a match of a pattern in RE2's syntax. Raises ValueError where the pattern has none."""
    try:
        search = re2.compile(pattern).search
    except re2.error as error:
        raise ValueError(f"invalid pattern {pattern!r}: {error}") from error

    @lru_cache(maxsize=_MATCHES_KEPT)
    def matches(text: str) -> bool:
        return search(text) is not None

    return matches


def string(schema: Schema) -> Check:
    """A string: its bounds in characters, pattern, format and enumeration."""
    longest, shortest, pattern, enum = schema.max_length, schema.min_length or 0, schema.pattern, schema.enum
    matches = matcher(pattern) if pattern else None
    accepts = FORMATS.get(schema.format)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is not str:
            findings.mismatch(path, value, "string", schema.format)
        elif longest is not None and len(value) > longest:
            findings.add(causes.too_long(render(path), longest), path)
        elif len(value) < shortest:
            findings.invalid(path, value, f"should be at least {shortest} chars long")
        elif matches is not None and not matches(value):
            findings.invalid(path, value, f"should match '{pattern}'")
        if accepts is not None and type(value) is str and not accepts(value):
            findings.malformed(path, value, schema.format)
        if enum and value not in enum:
            findings.add(causes.unsupported(render(path), value, enum), path)

    return check


def number(schema: Schema) -> Check:
    """An integer or a number with its bounds. 5.0 is an integer, as it is in JSON."""
    whole, enum, bounded = schema.type == "integer", schema.enum, _bounds(schema)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is int or (type(value) is float and (not whole or value.is_integer())):
            bounded(value, path, findings)
        else:
            findings.mismatch(path, value, schema.type, schema.format)
            if type(value) is float:
                findings.add(_out_of_range(schema, path), path)
        if enum and value not in enum:
            findings.add(causes.unsupported(render(path), value, enum), path)

    return check


def _out_of_range(schema: Schema, path: Path) -> Cause:
    shown = f"with format {schema.format}" if schema.format else "(default format)"
    return causes.about_the_whole(f"Checked value must be of type {schema.type} {shown} in {render(path)}")


def _bounds(schema: Schema) -> Check:
    most, least = schema.maximum, schema.minimum
    short = schema.type == "integer" and schema.format == "int32"

    def check(value: Any, path: Path, findings: Findings) -> None:
        if short and not -_INT32_LIMIT <= value < _INT32_LIMIT:  # a range looks for 80.0 among all its numbers
            findings.add(_out_of_range(schema, path), path)
        if schema.multiple_of is not None and value % schema.multiple_of:
            findings.invalid(path, value, f"should be a multiple of {causes.number(schema.multiple_of)}")
        if most is not None and (value > most or (schema.exclusive_maximum and value == most)):
            relation = "less than" if schema.exclusive_maximum else "less than or equal to"
            findings.invalid(path, value, f"should be {relation} {causes.number(most)}")
        if least is not None and (value < least or (schema.exclusive_minimum and value == least)):
            relation = "greater than" if schema.exclusive_minimum else "greater than or equal to"
            findings.invalid(path, value, f"should be {relation} {causes.number(least)}")

    return check


def boolean(schema: Schema) -> Check:
    """True or false."""
    enum = schema.enum

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is not bool:
            findings.mismatch(path, value, "boolean", schema.format)
        if enum and value not in enum:
            findings.add(causes.unsupported(render(path), value, enum), path)

    return check


def int_or_string(schema: Schema) -> Check:
    """A number of a port, or its name."""
    text, bounded = string(schema), _bounds(schema)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is str:
            text(value, path, findings)
        elif type(value) is int or (type(value) is float and value.is_integer()):
            bounded(value, path, findings)
        else:
            findings.mismatch(path, value, "integer,string")

    return check


def anything(schema: Schema) -> Check:
    """A value whose type the schema leaves open: whatever bounds apply to what it is."""
    text, bounded, enum = string(schema), _bounds(schema), schema.enum

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is str:
            text(value, path, findings)
        elif type(value) in (int, float):
            bounded(value, path, findings)
        if enum and type(value) is not str and value not in enum:
            findings.add(causes.unsupported(render(path), value, enum), path)

    return check
