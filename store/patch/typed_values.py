"""Values seen through their schema: what merges field by field, item by item, or only as a whole.

Enters: values and schemas. Leaves: field sets, merged and reduced values. Knows nothing of managers. Without a schema
(unknown or preserved content) objects merge by field and lists are one value (kubernetes.io: "Merge strategy").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from store.patch.elements import MEMBER, item_element
from store.patch.field_sets import FieldSet, Tree, is_member, node
from store.schema.structural import Schema


def is_granular(value: Any, schema: Schema | None) -> bool:
    """Whether the parts of this value are owned one by one: an object unless atomic, a list of type set or map."""
    if isinstance(value, dict):
        return schema is None or schema.map_type != "atomic"
    return isinstance(value, list) and schema is not None and schema.list_type != "atomic"


def field_schema(schema: Schema | None, name: str) -> Schema | None:
    """The schema of a field of an object; None where nothing is said of it."""
    return None if schema is None else schema.properties.get(name, schema.additional)


def elements_of(items: Sequence[Any], schema: Schema | None) -> list[str]:
    """The elements of the items of a list of type set or map; items that lack their keys go by their position."""
    inner = schema.items if schema else None
    keys = schema.list_map_keys if schema and schema.list_type == "map" else ()
    elements: list[str] = []
    for position, item in enumerate(items):
        try:
            elements.append(item_element(item, inner, keys))
        except ValueError:
            elements.append(f"i:{position}")  # admission refuses such an item; until then its owner must be somebody
    return elements


def items_by_element(items: Sequence[Any], schema: Schema | None) -> dict[str, list[Any]]:
    """The items of a list of type set or map under their elements, in order; more than one where keys repeat."""
    result: dict[str, list[Any]] = {}
    for element, item in zip(elements_of(items, schema), items, strict=True):
        result.setdefault(element, []).append(item)
    return result


def fields_of(value: dict[str, Any], schema: Schema | None) -> FieldSet:
    """The fields that somebody who applies `value` owns: its leaves, its list items, its empty containers."""
    return FieldSet(_fields(value, schema))


def every_field(value: Any, schema: Schema | None) -> Tree:
    """All paths below a value, the ways to the leaves included: what is added or removed with it."""
    if not is_granular(value, schema):
        return {}
    if isinstance(value, dict):
        return {"f:" + name: whole(child, field_schema(schema, name)) for name, child in value.items()}
    return {element: whole(child, inner) for element, child, inner in parts(value, schema)}


def whole(value: Any, schema: Schema | None) -> Tree:
    """The node of a value that appears or disappears: itself and every path below it."""
    below = every_field(value, schema) if isinstance(value, dict | list) else {}
    if below:
        below[MEMBER] = {}
    return below


def merged(live: Any, config: Any, schema: Schema | None) -> Any:
    """`live` with what `config` says, and all that `config` does not mention. Shares containers with both."""
    if config is None and live is not None and _merges(live, schema):
        return live
    if isinstance(live, dict) and isinstance(config, dict) and is_granular(config, schema):
        return _merged_objects(live, config, schema) if live or config else config
    if isinstance(live, list) and isinstance(config, list) and is_granular(config, schema):
        return _merged_lists(live, config, schema) if live or config else config
    return config


def without(value: Any, removed: Tree, schema: Schema | None) -> Any:
    """The value less the paths of a set; a container that is not removed itself stays, if need be empty.

    (Kubernetes leaves null there, which its own schemas then refuse.) Shares containers with `value`.
    """
    if not removed or not value or not is_granular(value, schema):
        return value
    if isinstance(value, dict):
        reduced: dict[str, Any] = {}
        for name, child in value.items():
            below = removed.get("f:" + name)
            if below is None:
                reduced[name] = child
            elif not is_member(below):
                reduced[name] = without(child, below, field_schema(schema, name))
        return reduced
    inner = schema.items if schema else None
    kept: list[Any] = []
    for element, item in zip(elements_of(value, schema), value, strict=True):
        below = removed.get(element)
        if below is None:
            kept.append(item)
        elif not is_member(below):
            kept.append(without(item, below, inner))
    return kept


def with_named_fields(tree: Tree, schema: Schema | None) -> Tree:
    """The set with every named field on the way to a member as a member itself; map keys and items stay as they are."""
    result: Tree = {}
    for element, below in tree.items():
        if element == MEMBER:
            continue
        inner: Schema | None = None
        named = False
        if schema is not None and element.startswith("f:"):
            inner = field_schema(schema, element[2:])
            named = element[2:] in schema.properties
        elif schema is not None and element.startswith("k:"):
            inner = schema.items
        kept = node(named or is_member(below), with_named_fields(below, inner) if below else {})
        if kept is not None:
            result[element] = kept
    return result


def whole_where_atomic(tree: Tree, schema: Schema | None) -> Tree:
    """The set under a schema that has become atomic in places: who owned parts of such a value owns it whole."""
    if schema is None or not tree:
        return tree
    result: Tree = {}
    for element, below in tree.items():
        inner = field_schema(schema, element[2:]) if element.startswith("f:") else schema.items
        atomic = inner is not None and (inner.list_type if inner.type == "array" else inner.map_type) == "atomic"
        result[element] = {} if atomic else whole_where_atomic(below, inner)
    return result


def parts(value: Any, schema: Schema | None) -> Iterable[tuple[str, Any, Schema | None]]:
    """The parts of a granular value: element, value, schema. Items that share an element have no value (None)."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield "f:" + name, child, field_schema(schema, name)
        return
    inner = schema.items if schema else None
    for element, items in items_by_element(value, schema).items():
        yield element, items[0] if len(items) == 1 else None, inner


def _fields(value: Any, schema: Schema | None) -> Tree:
    if not is_granular(value, schema):
        return {}
    result: Tree = {}
    is_list = isinstance(value, list)
    for element, child, inner in parts(value, schema):
        if child is None or not is_granular(child, inner):
            result[element] = {}
            continue
        below = _fields(child, inner)
        # A named field is only the way to its parts; a key of a map and an item of a list exist by themselves.
        itself = is_list or child == {} or schema is None or element[2:] not in schema.properties
        kept = node(itself, below)
        if kept is not None:
            result[element] = kept
    return result


def _merged_objects(live: dict[str, Any], config: dict[str, Any], schema: Schema | None) -> dict[str, Any]:
    result = dict(live)
    for name, value in config.items():
        result[name] = merged(live[name], value, field_schema(schema, name)) if name in live else value
    return result


def _merged_lists(live: list[Any], config: list[Any], schema: Schema | None) -> list[Any]:
    """Items of both, those of `config` in its order; an item that only `live` has keeps its place among the others.

    The walk of structured-merge-diff: follow both lists; a live item that config has too waits for its turn there.
    """
    ours, theirs = items_by_element(live, schema), items_by_element(config, schema)
    inner = schema.items if schema else None
    here = elements_of(live, schema)
    there = list(theirs)
    shared = [element for element in there if element in ours]
    shared.reverse()
    awaited = shared.pop() if shared else None
    result: list[Any] = []
    taken: set[str] = set()

    def take(element: str) -> None:
        nonlocal awaited
        taken.add(element)
        before = ours.get(element, ())
        result.append(merged(before[0], theirs[element][0], inner) if len(before) == 1 else theirs[element][0])
        if element == awaited:
            awaited = shared.pop() if shared else None

    i = j = 0
    while i < len(here) or j < len(there):
        if i < len(here):
            element = here[i]
            if j < len(there) and element == there[j]:
                take(element)
                i, j = i + 1, j + 1
                continue
            if j < len(there) and element in theirs and awaited is not None and element != awaited:
                i += 1
                continue
            if element not in theirs:
                result.append(live[i])
                i += 1
                continue
            if element in taken:
                i += 1
        if j < len(there):
            take(there[j])
            j += 1
    return result


def _merges(live: Any, schema: Schema | None) -> bool:
    """Whether null in a config leaves this value alone: containers of a known granular type."""
    return schema is not None and isinstance(live, dict | list) and bool(live) and is_granular(live, schema)
