"""Whether a configuration fits its schema well enough to be applied: known fields, right types, unique keys.

Values are not judged here (that is the schema's admission, after the merge); this only finds what cannot be owned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.patch.elements import item_element, text
from store.patch.errors import PatchError
from store.patch.object_meta import object_schema
from store.schema.structural import Schema

_ERRORS_LIMIT = 20


def check_configuration(config: dict[str, Any], schema: Schema) -> None:
    """Raise PatchError 400 with the paths and sentences of structured-merge-diff when the body cannot be applied."""
    errors = list(_first(_errors(config, object_schema(schema), "")))
    if not errors:
        return
    metadata = config.get("metadata") if isinstance(config.get("metadata"), dict) else {}
    name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}" if metadata else "/"
    subject = f"{name}; {config.get('apiVersion')}, Kind={config.get('kind')}"
    details = errors[0] if len(errors) == 1 else "errors:\n" + "\n".join(f"  {error}" for error in errors)
    raise PatchError(f"failed to create typed patch object ({subject}): {details}", code=400)


def _first(errors: Iterator[str]) -> Iterator[str]:
    for count, error in enumerate(errors):
        if count == _ERRORS_LIMIT:
            return
        yield error


def _errors(value: Any, schema: Schema | None, path: str) -> Iterator[str]:
    if value is None or schema is None:
        return
    match schema.type:
        case "object" if not isinstance(value, dict):
            yield f"{path}: expected map, got {_kind(value)}"
        case "array" if not isinstance(value, list):
            yield f"{path}: expected list, got {_kind(value)}"
        case "string" if not isinstance(value, str) and (isinstance(value, dict | list) or not schema.format):
            yield f"{path}: expected string, got {_kind(value)}"
        case "boolean" if not isinstance(value, bool):
            yield f"{path}: expected boolean, got {_kind(value)}"
        case "integer" | "number" if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path}: expected numeric (int or float), got {_kind(value)}"
        case _ if isinstance(value, dict):
            yield from _object_errors(value, schema, path)
        case _ if isinstance(value, list):
            yield from _list_errors(value, schema, path)


def _object_errors(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    properties, additional = schema.properties, schema.additional
    closed = additional is None and not schema.preserve_unknown and schema.type == "object" and bool(properties)
    for name, item in value.items():
        inner = properties.get(name, additional)
        if inner is not None:
            if item.__class__ is not str or inner.type != "string":
                yield from _errors(item, inner, f"{path}.{name}")
        elif closed:
            yield f"{path}.{name}: field not declared in schema"


def _list_errors(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    inner = schema.items
    keys = schema.list_map_keys if schema.list_type == "map" else ()
    seen: set[str] = set()
    for position, item in enumerate(value):
        step = f"[{position}]"
        if schema.list_type != "atomic":
            try:
                element = item_element(item, inner, keys)
            except ValueError as error:
                yield f"{path}: element {position}: {error}"
                continue
            step = text(element)
            if element in seen:
                yield f"{path}: duplicate entries for key {step}"
            seen.add(element)
        yield from _errors(item, inner, path + step)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "map"
    if isinstance(value, list):
        return "list"
    return f'string "{value}"' if isinstance(value, str) else str(value).lower()
