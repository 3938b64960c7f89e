"""Objects as rows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from store.http.tables import AGE, NAME, cell, columns_of, row
from store.kinds.kind import Column

ROUTE: dict[str, Any] = {
    "apiVersion": "example/v1",
    "kind": "Route",
    "metadata": {"name": "r", "creationTimestamp": "1970-01-01T00:00:00Z"},
    "spec": {"hosts": ["a", "b"], "port": 80, "ratio": 0.5, "on": True, "note": "text"},
}


@pytest.mark.parametrize(
    ("type_", "path", "shown"),
    [
        ("string", ".spec.note", "text"),
        ("string", ".spec.hosts", '["a","b"]'),
        ("string", ".spec.port", "80"),
        ("string", ".spec.on", "true"),
        ("string", ".spec.missing", None),
        ("integer", ".spec.port", 80),
        ("integer", ".spec.ratio", 0),
        ("integer", ".spec.note", None),
        ("integer", ".spec.on", None),
        ("number", ".spec.ratio", 0.5),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.note", None),
        ("date", ".metadata.creationTimestamp", "90s"),
        ("date", ".spec.note", "<invalid>"),
        ("date", ".spec.port", None),
    ],
)
def test_a_cell_is_what_the_type_of_its_column_says(type_: str, path: str, shown: Any) -> None:
    assert cell(Column("X", type_, path), ROUTE, 90) == shown


def test_name_comes_first_and_age_stands_in() -> None:
    port = Column("Port", "integer", ".spec.port")
    assert columns_of(()) == (NAME, AGE)
    assert columns_of((port,)) == (NAME, port)
    assert columns_of((port, NAME)) == (port, NAME), "events print their name last"


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("None", None),
        ("Metadata", {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ROUTE["metadata"]}),
        ("Object", ROUTE),
    ],
)
def test_a_row_carries_what_was_asked_for(include: Any, expected: Any) -> None:
    built = orjson.loads(orjson.dumps(row((NAME, AGE), orjson.dumps(ROUTE), include, "v1", 5)))
    assert built == {"cells": ["r", "5s"], "object": expected}
