"""Closures for objects and arrays: they prune and default what they hold, then check it.

`compiled` makes the closure of a child; these functions know no other node but their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import orjson

from store.schema import causes
from store.schema.findings import Findings
from store.schema.paths import Path, render
from store.schema.scalars import Check
from store.schema.structural import Schema

Compile: TypeAlias = Callable[[Schema], Check]

# What every object of its own has beside the fields of its schema; other rooms look after these.
OBJECT_FIELDS = ("apiVersion", "kind", "metadata")


def maker(value: Any) -> Callable[[], Any]:
    """Makes a fresh copy of a default each time."""
    if not isinstance(value, dict | list):
        return lambda: value
    encoded = orjson.dumps(value)
    return lambda: orjson.loads(encoded)


def makers(schema: Schema) -> tuple[tuple[str, bool, Callable[[], Any]], ...]:
    """The properties with defaults: name, whether null stays null, and how to make the default."""
    found = ((name, child.nullable, child.default) for name, child in schema.properties.items())
    return tuple((name, nullable, maker(default)) for name, nullable, default in found if default is not None)


def an_object(schema: Schema, compiled: Compile, *, root: bool = False, prune: bool = True) -> Check:
    """An object with named fields. prune False: fields that the schema lacks are nobody's business."""
    checks = {name: compiled(child) for name, child in schema.properties.items()}
    if root or schema.embedded_resource:
        checks = dict.fromkeys(OBJECT_FIELDS, _leave_alone) | checks
    nullable = frozenset(name for name, child in schema.properties.items() if child.nullable)
    defaults = makers(schema) if prune else ()
    keeps, required, ruled = schema.preserve_unknown or not prune, schema.required, bool(schema.rules)
    counted = schema.min_properties is not None or schema.max_properties is not None

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is not dict:
            findings.mismatch(path, value, schema.type or "object", schema.format)
            return
        if ruled:
            findings.pending.append((schema, value, path))
        for name, keeps_null, make in defaults:
            if name not in value or (value[name] is None and not keeps_null):
                value[name] = make()
        surplus: list[str] | None = None
        for name, item in value.items():
            if item is not None and name in checks:
                checks[name](item, (path, name), findings)
            elif (name in checks or not keeps) and not (item is None and name in nullable):
                if surplus is None:
                    surplus = []
                surplus.append(name)
        if surplus is not None:
            _drop(value, surplus, checks, path, findings)
        for name in required:
            if name not in value:
                findings.missing(path, name)
        if counted:
            _count_properties(schema, value, path, findings)

    return check


def _leave_alone(value: Any, path: Path, findings: Findings) -> None:
    """The check of a field that is somebody else's."""


def _drop(value: dict[str, Any], names: list[str], known: Iterable[str], path: Path, findings: Findings) -> None:
    for name in names:
        del value[name]
        if name not in known:  # a null in a known field is an absent field, and no mistake
            findings.unknown.append(render((path, name)))


def a_map(schema: Schema, compiled: Compile) -> Check:
    """An object with free keys and values of one schema."""
    assert schema.additional is not None
    child, ruled = compiled(schema.additional), bool(schema.rules)
    nullable, fallback = schema.additional.nullable, schema.additional.default
    counted = schema.min_properties is not None or schema.max_properties is not None

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is not dict:
            findings.mismatch(path, value, schema.type or "object", schema.format)
            return
        if ruled:
            findings.pending.append((schema, value, path))
        if not nullable and None in value.values():
            _fill_nulls(value, fallback)
        for name, item in value.items():
            if item is not None:
                child(item, (path, name), findings)
        if counted:
            _count_properties(schema, value, path, findings)

    return check


def _fill_nulls(value: dict[str, Any], fallback: Any) -> None:
    """A null where none may stand is the default, or nothing."""
    for name in [name for name, item in value.items() if item is None]:
        if fallback is None:
            del value[name]
        else:
            value[name] = maker(fallback)()


def _count_properties(schema: Schema, value: dict[str, Any], path: Path, findings: Findings) -> None:
    least, most = schema.min_properties, schema.max_properties
    if least is not None and len(value) < least:
        findings.invalid(path, len(value), f"should have at least {least} properties")
    if most is not None and len(value) > most:
        findings.add(causes.too_many(render(path), len(value), most), path)


def an_array(schema: Schema, compiled: Compile) -> Check:
    """A list, a set (no equal items) or a map (no items with equal keys)."""
    child = compiled(schema.items) if schema.items is not None else None
    nullable = schema.items is not None and schema.items.nullable
    least, most, ruled = schema.min_items or 0, schema.max_items, bool(schema.rules)
    keyed = {"set": _set_keys, "map": _map_keys}.get(schema.list_type)

    def check(value: Any, path: Path, findings: Findings) -> None:
        if type(value) is not list:
            findings.mismatch(path, value, "array", schema.format)
            return
        if ruled:
            findings.pending.append((schema, value, path))
        if child is not None:
            for index, item in enumerate(value):
                if item is not None or not nullable:
                    child(item, (path, index), findings)
        if len(value) < least:
            findings.invalid(path, len(value), f"should have at least {least} items")
        if most is not None and len(value) > most:
            findings.add(causes.too_many(render(path), len(value), most), path)
        if keyed is not None and len(value) > 1:
            _find_repeated(keyed(schema, value), path, findings)

    return check


def _set_keys(schema: Schema, items: list[Any]) -> list[Any]:
    return items


def _map_keys(schema: Schema, items: list[Any]) -> list[Any]:
    names = schema.list_map_keys
    return [{n: item[n] for n in names if n in item} if isinstance(item, dict) else {} for item in items]


def _find_repeated(keys: list[Any], path: Path, findings: Findings) -> None:
    """Each key that stands more than once is reported at its second place, as Kubernetes does."""
    counts: dict[str, int] = {}
    for index, key in enumerate(keys):
        # The text keeps 1, True and "1" apart, which Python's equality would not.
        text = json.dumps(key, sort_keys=True) if isinstance(key, dict | list) else f"{type(key).__name__} {key}"
        counts[text] = counts.get(text, 0) + 1
        if counts[text] == 2:
            findings.duplicate((path, index), key)
