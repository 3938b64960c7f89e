"""Objects as rows: meta.k8s.io Table and PartialObjectMetadata (kubernetes.io: "Receiving resources as Tables").

Encoded objects and the columns of their kind come in, the documents that kubectl prints go out. Cells are printed
verbatim by clients, so ages are computed here, against the given time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import orjson

from store.http.ages import age
from store.http.jsonpath import compile_path
from store.kinds.columns import UNKNOWN
from store.kinds.kind import Column

IncludeObject = Literal["None", "Metadata", "Object"]

NAME = Column(
    "Name",
    "string",
    ".metadata.name",
    "What the object is called; no other object of its kind in the same namespace has this name.",
    format="name",
)
AGE = Column("Age", "date", ".metadata.creationTimestamp", "When the store accepted the object, in UTC.")


def columns_of(declared: Sequence[Column]) -> tuple[Column, ...]:
    """All columns: Name comes first unless the kind places it itself, Age stands where nothing is declared."""
    if any(column.name == NAME.name for column in declared):
        return tuple(declared)
    return (NAME, *(declared or (AGE,)))


def definitions(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """columnDefinitions of a Table."""
    return [
        {"name": c.name, "type": c.type, "format": c.format, "description": c.description, "priority": c.priority}
        for c in columns
    ]


def row(
    columns: Iterable[Column], encoded: bytes, include: IncludeObject, version: str, now_s: float
) -> dict[str, Any]:
    """One object as a row; version: of meta.k8s.io."""
    value = orjson.loads(encoded)
    built: dict[str, Any] = {"cells": [cell(column, value, now_s) for column in columns]}
    if include == "Object":
        built["object"] = orjson.Fragment(encoded)
    elif include == "Metadata":
        built["object"] = partial_object(value, version)
    else:
        built["object"] = None
    return built


def table(
    definitions: list[dict[str, Any]], rows: list[dict[str, Any]], version: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    """A whole Table; metadata: of the list."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def partial_object(value: dict[str, Any], version: str) -> dict[str, Any]:
    """An object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": value["metadata"]}


def cell(column: Column, value: dict[str, Any], now_s: float) -> Any:
    """What a column shows of an object; None where there is nothing to show."""
    found = column.cell(value) if column.cell else compile_path(column.path)(value)
    return None if found is None else _CONVERSIONS.get(column.type, _as_is)(found, now_s)


def _text(found: Any, now_s: float) -> Any:
    if isinstance(found, str):
        return found
    return orjson.dumps(found).decode()


def _integer(found: Any, now_s: float) -> Any:
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _number(found: Any, now_s: float) -> Any:
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _boolean(found: Any, now_s: float) -> Any:
    return found if isinstance(found, bool) else None


def _date(found: Any, now_s: float) -> Any:
    if found == UNKNOWN:
        return UNKNOWN
    return age(found, now_s) if isinstance(found, str) else None


def _as_is(found: Any, now_s: float) -> Any:
    return found


_CONVERSIONS: dict[str, Callable[[Any, float], Any]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}
