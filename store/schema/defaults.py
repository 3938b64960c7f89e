"""Closures that only fill in defaults, for objects that were stored before the schema got them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from store.schema.shapes import maker, makers
from store.schema.structural import Schema

Fill: TypeAlias = Callable[[Any], None]


def filler(schema: Schema) -> Fill | None:
    """Fills a value of this schema in place; None where nothing below has a default."""
    if schema.items is not None:
        return _in_items(schema.items)
    if schema.additional is not None and not schema.properties:
        return _in_values(schema.additional)
    return _in_fields(schema)


def _in_items(items: Schema) -> Fill | None:
    inner = filler(items)
    if inner is None:
        return None

    def fill(value: Any) -> None:
        for item in value if isinstance(value, list) else ():
            inner(item)

    return fill


def _in_values(values: Schema) -> Fill | None:
    inner = filler(values)
    make = maker(values.default) if values.default is not None and not values.nullable else None
    if inner is None and make is None:
        return None

    def fill(value: Any) -> None:
        for name, item in value.items() if isinstance(value, dict) else ():
            if item is None and make is not None:
                value[name] = make()
            if inner is not None:
                inner(value[name])

    return fill


def _in_fields(schema: Schema) -> Fill | None:
    own = makers(schema)
    inner = {name: made for name, child in schema.properties.items() if (made := filler(child)) is not None}
    if not own and not inner:
        return None

    def fill(value: Any) -> None:
        if not isinstance(value, dict):
            return
        for name, keeps_null, make in own:
            if name not in value or (value[name] is None and not keeps_null):
                value[name] = make()
        for name, fill_field in inner.items():
            if name in value:
                fill_field(value[name])

    return fill
