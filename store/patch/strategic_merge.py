"""Strategic merge patch: a merge patch that knows which lists merge by key (kubernetes.io: "Strategic merge patch").

Enters: a document, a patch with its directives ($patch, $retainKeys, $deleteFromPrimitiveList/LIST,
$setElementOrder/LIST) and the kind's schema, whose patch_strategy and patch_merge_key say how lists merge. Leaves: a
new document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from store.patch.errors import PatchError
from store.patch.json_values import check_depth, copied, equal
from store.patch.object_meta import object_schema
from store.patch.typed_values import field_schema
from store.schema.structural import Schema

PATCH, RETAIN = "$patch", "$retainKeys"
DELETE_FROM, ORDER = "$deleteFromPrimitiveList", "$setElementOrder"


def apply(document: dict[str, Any], patch: Any, schema: Schema) -> dict[str, Any]:
    """The document after the patch; neither argument changes and the result shares nothing with them.

    Raises PatchError: 400 for a malformed patch or directive, 422 where it does not fit the document.
    """
    if not isinstance(patch, dict):
        raise PatchError("a strategic merge patch is an object", code=400)
    check_depth(patch)
    return _merged_objects(copied(document), copied(patch), object_schema(schema))


def _merged_objects(original: dict[str, Any], patch: dict[str, Any], schema: Schema | None) -> dict[str, Any]:
    """Merge into `original`; both are consumed."""
    match patch.pop(PATCH, None):
        case None | "merge":
            pass
        case "replace":
            return patch
        case "delete":
            return {}
        case other:
            raise _unknown_directive(other, patch)
    _retain(original, patch)
    _merge_ordered_lists(original, patch, schema)
    for name, value in patch.items():
        if name.startswith(DELETE_FROM):
            _delete_from(original, _subject(name, DELETE_FROM), value)
        elif value is None:
            original.pop(name, None)
        else:
            _merge_field(original, name, value, schema)
    return original


def _merge_field(original: dict[str, Any], name: str, value: Any, schema: Schema | None) -> None:
    current = original.get(name)
    if isinstance(current, dict) and isinstance(value, dict):
        inner = field_schema(schema, name)
        replaced = inner is not None and "replace" in _strategies(inner)
        original[name] = _plain(value) if replaced else _merged_objects(current, value, inner)
    elif isinstance(current, list) and isinstance(value, list):
        original[name] = _merged_lists(current, value, field_schema(schema, name))
    else:
        original[name] = _plain(value)
        if original[name] is _DELETED:
            del original[name]


def _merged_lists(original: list[Any], patch: list[Any], schema: Schema | None) -> list[Any]:
    """Merge two lists as the schema's strategy says; without one the patch's list replaces the other."""
    if schema is None or "merge" not in _strategies(schema):
        return [item for item in map(_plain, patch) if item is not _DELETED]
    if not original and not patch:
        return original
    same = _same_kind([*original, *patch])
    key = schema.patch_merge_key
    if same is not dict:
        merged = _unique([*original, *patch])
        return _arranged(merged, patch, original, _itself)
    if not key:
        raise PatchError("cannot merge lists without merge key")
    original, patch = _directed(original, patch, key)
    return _arranged(_merged_items(original, patch, key, schema.items), patch, original, lambda item: item.get(key))


def _directed(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items of the patch that are directives; the lists that remain to be merged."""
    rest, replaces, gone = [], False, set[Any]()
    for item in patch:
        match item.get(PATCH):
            case None:
                rest.append(item)
            case "delete":
                gone.add(_hashable(_key_of(item, key)))
            case "replace":
                replaces = True
            case "merge":
                raise PatchError("merging lists cannot yet be specified in the patch")
            case other:
                raise _unknown_directive(other, item)
    if replaces:
        return [], rest
    return [other for other in original if _hashable(other.get(key)) not in gone] if gone else original, rest


def _merged_items(original: list[Any], patch: list[Any], key: str, schema: Schema | None) -> list[Any]:
    merged = list(original)
    positions: dict[Any, int] = {}
    for position, other in enumerate(merged):
        positions.setdefault(_hashable(other.get(key)), position)
    for item in patch:
        value = _hashable(_key_of(item, key))
        if value in positions:
            merged[positions[value]] = _merged_objects(merged[positions[value]], item, schema)
        else:
            positions[value] = len(merged)
            merged.append(_plain(item))
    return merged


def _merge_ordered_lists(original: dict[str, Any], patch: dict[str, Any], schema: Schema | None) -> None:
    """Merge the lists whose order the patch gives, and take them out of the patch."""
    for directive in [name for name in patch if name.startswith(ORDER)]:
        order, name = patch.pop(directive), _subject(directive, ORDER)
        if not isinstance(order, list):
            raise PatchError("invalid patch format of setElementOrder list", code=400)
        current, given = original.get(name), patch.get(name)
        if not all(value is None or isinstance(value, list) for value in (current, given)):
            raise PatchError("invalid patch format of setElementOrder list", code=400)
        if current is None and given is None:
            continue
        patch.pop(name, None)
        inner = field_schema(schema, name)
        key = inner.patch_merge_key if inner is not None else ""
        identity = partial(_key_of, key=key) if key else _itself
        _check_order(given or [], order, identity)
        if given is None:
            merged = list(current or [])
        elif current is None:
            merged = [item for item in map(_plain, given) if item is not _DELETED]
        else:
            merged = _merged_lists(list(current), given, inner)
        original[name] = _arranged(merged, order, current or [], identity)


def _check_order(patch: list[Any], order: list[Any], identity: Callable[[Any], Any]) -> None:
    """What the patch puts into a list must appear in the order it gives, in the same sequence."""
    rest = iter(order)
    for item in patch:
        if isinstance(item, dict) and PATCH in item:
            continue
        if not any(equal(identity(item), identity(other)) for other in rest):
            raise PatchError("The order in patch list doesn't match $setElementOrder list")


def _arranged(items: list[Any], order: list[Any], before: list[Any], identity: Callable[[Any], Any]) -> list[Any]:
    """The items in the order given; those it does not name in the order they had, each as early as that allows."""
    wanted = _positions(order, identity)
    had = _positions(before, identity)
    named = sorted((item for item in items if _hashable(identity(item)) in wanted), key=_by(wanted, identity))
    others = sorted((item for item in items if _hashable(identity(item)) not in wanted), key=_by(had, identity))
    result: list[Any] = []
    while named and others:
        left, right = had.get(_hashable(identity(others[0]))), had.get(_hashable(identity(named[0])))
        source = others if left is not None and right is not None and left < right else named
        result.append(source.pop(0))
    return result + named + others


def _positions(items: Iterable[Any], identity: Callable[[Any], Any]) -> dict[Any, int]:
    positions: dict[Any, int] = {}
    for position, item in enumerate(items):
        if not (isinstance(item, dict) and PATCH in item):
            positions.setdefault(_hashable(identity(item)), position)
    return positions


def _by(positions: dict[Any, int], identity: Callable[[Any], Any]) -> Callable[[Any], int]:
    return lambda item: positions.get(_hashable(identity(item)), len(positions))


def _delete_from(original: dict[str, Any], name: str, gone: Any) -> None:
    """Remove primitive items from a list."""
    if not isinstance(gone, list):
        raise PatchError("invalid patch format of primitive list", code=400)
    current = original.get(name)
    if isinstance(current, list):
        known = {_hashable(item) for item in gone}
        original[name] = [item for item in current if _hashable(item) not in known]


def _retain(original: dict[str, Any], patch: dict[str, Any]) -> None:
    """$retainKeys: clear all fields but these; the patch may set no others."""
    if RETAIN not in patch:
        return
    names = patch.pop(RETAIN)
    if not isinstance(names, list):
        raise PatchError("invalid patch format of retainKeys", code=400)
    for name, value in patch.items():
        if value is not None and not name.startswith((DELETE_FROM, ORDER)) and name not in names:
            raise PatchError("invalid patch format of retainKeys", code=400)
    for name in [name for name in original if name not in names]:
        del original[name]


_DELETED = object()


def _plain(value: Any) -> Any:
    """A value of the patch that meets nothing in the document: no directives, no nulls. _DELETED: it is a directive."""
    if isinstance(value, dict):
        if PATCH in value:
            return _DELETED
        plain = {name: _plain(item) for name, item in value.items() if item is not None and not _is_directive(name)}
        return {name: item for name, item in plain.items() if item is not _DELETED}
    if isinstance(value, list):
        return [item for item in map(_plain, value) if item is not _DELETED]
    return value


def _is_directive(name: str) -> bool:
    return name == RETAIN or name.startswith((DELETE_FROM + "/", ORDER + "/"))


def _subject(directive: str, prefix: str) -> str:
    """The list that a directive such as $setElementOrder/ports is about."""
    head, slash, name = directive.partition("/")
    if head != prefix or not slash:
        what = "primitive" if prefix == DELETE_FROM else "setElementOrder"
        raise PatchError(f"invalid patch format of {what} list", code=400)
    return name


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict):
        raise PatchError("list element types are not identical")
    if key not in item:
        raise PatchError(f"an item does not contain declared merge key: {key}")
    return item[key]


def _itself(item: Any) -> Any:
    return item


def _same_kind(items: list[Any]) -> type:
    kinds = {dict if isinstance(item, dict) else list if isinstance(item, list) else str for item in items}
    if list in kinds:
        raise PatchError("lists of lists are not supported")
    if len(kinds) != 1:
        raise PatchError("list element types are not identical")
    return kinds.pop()


def _unique(items: list[Any]) -> list[Any]:
    return list({_hashable(item): item for item in items}.values())


def _hashable(value: Any) -> Any:
    """A scalar as a dictionary's key that keeps True and 1 apart; a container, which is no key, as one of its own."""
    return (type(value) is bool, value) if not isinstance(value, dict | list) else (False, id(value))


def _strategies(schema: Schema) -> list[str]:
    return schema.patch_strategy.split(",")


def _unknown_directive(directive: Any, item: dict[str, Any]) -> PatchError:
    return PatchError(f"unknown patch type: {directive} in map with fields {sorted(item)}", code=400)
