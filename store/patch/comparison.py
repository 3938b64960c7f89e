"""What changed between two objects, as sets of fields."""

from __future__ import annotations

from typing import Any, NamedTuple

from store.patch.field_sets import FieldSet, Tree
from store.patch.json_values import equal
from store.patch.object_meta import object_schema
from store.patch.typed_values import field_schema, is_granular, items_by_element, whole
from store.schema.structural import Schema


class Comparison(NamedTuple):
    """removed: only the old object has them; modified: both, with different values; added: only the new object.

    What appears or disappears does so with every path on the way to its leaves.
    """

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    def without(self, fields: FieldSet) -> Comparison:
        """The comparison of all else than these fields and what is below them."""
        return Comparison(*(part.without(fields) for part in self)) if fields else self


def compare(old: dict[str, Any], new: dict[str, Any], schema: Schema) -> Comparison:
    """Compare two whole objects of a kind under its schema."""
    trees: _Trees = ({}, {}, {})
    _compare_objects(old, new, object_schema(schema), trees)
    return Comparison(*map(FieldSet, trees))


def changed_fields(old: dict[str, Any], new: dict[str, Any], schema: Schema) -> FieldSet:
    """Every field that a write changes, in whatever way."""
    removed, modified, added = compare(old, new, schema)
    return removed.union(modified).union(added)


_Trees = tuple[Tree, Tree, Tree]  # removed, modified, added: what is below one node


def _compare(element: str, old: Any, new: Any, schema: Schema | None, out: _Trees) -> None:
    """Compare two values that both objects have at `element`; null is an empty container of the other's type."""
    if old is new:
        return
    below: _Trees = ({}, {}, {})
    here, there = is_granular(old, schema), is_granular(new, schema)
    if (here or there) and (old or new) and (old is None or new is None or (here and type(old) is type(new))):
        if isinstance(old if here else new, dict):
            _compare_objects(old or {}, new or {}, schema, below)
        else:
            _compare_lists(old or [], new or [], schema, below)
    elif not equal(old, new):
        out[1][element] = {}
        if here and old:
            _compare_with_nothing(old, schema, below[0])
        if there and new:
            _compare_with_nothing(new, schema, below[2])
    for target, tree in zip(out, below, strict=True):
        if tree:
            target[element] = tree


def _compare_objects(old: dict[str, Any], new: dict[str, Any], schema: Schema | None, out: _Trees) -> None:
    removed, _, added = out
    for name, value in old.items():
        if name in new:
            _compare("f:" + name, value, new[name], field_schema(schema, name), out)
        else:
            removed["f:" + name] = whole(value, field_schema(schema, name))
    for name, value in new.items():
        if name not in old:
            added["f:" + name] = whole(value, field_schema(schema, name))


def _compare_lists(old: list[Any], new: list[Any], schema: Schema | None, out: _Trees) -> None:
    """Item by item. Items that repeat an element are owned as one: their element alone stands for them."""
    removed, modified, added = out
    inner = schema.items if schema else None
    before, after = items_by_element(old, schema), items_by_element(new, schema)
    for element in before | after:
        here, there = before.get(element, []), after.get(element, [])
        if len(here) == 1 and len(there) == 1:
            _compare(element, here[0], there[0], inner, out)
        elif len(here) > 1 and len(there) > 1:
            if not equal(here, there):
                modified[element] = {}
        else:
            if here:
                removed[element] = whole(here[0], inner) if len(here) == 1 else {}
            if there:
                added[element] = whole(there[0], inner) if len(there) == 1 else {}


def _compare_with_nothing(value: Any, schema: Schema | None, out: Tree) -> None:
    node = whole(value, schema)
    out.update({element: below for element, below in node.items() if element != "."})
