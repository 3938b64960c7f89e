"""Every node of every Gateway API kind is shaped as the official experimental channel of v1.6.1 shapes it.

official_shapes.json holds a digest per node: of its type, bounds, patterns, defaults, list types, required fields and
the messages of its rules, in order. Descriptions are our own.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from store.kinds.definitions import crd_from_kind, kind_from_crd
from store.kinds.registry import builtin
from store.schema.openapi import from_openapi, openapi
from store.schema.structural import Schema

OFFICIAL: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "official_shapes.json").read_text())
CHILDREN = ("description", "properties", "items", "additionalProperties", "required")


def digest(schema: Schema) -> str:
    node = {key: value for key, value in openapi(schema).items() if key not in CHILDREN}
    node |= {"required": sorted(schema.required), "rules": [rule.message for rule in schema.rules]}
    return hashlib.sha256(json.dumps(node, sort_keys=True).encode()).hexdigest()[:8]


def digests(schema: Schema, path: str = "") -> dict[str, str]:
    found = {path: digest(schema)}
    for name, child in schema.properties.items():
        found |= digests(child, f"{path}.{name}")
    if schema.items is not None:
        found |= digests(schema.items, f"{path}[]")
    if schema.additional is not None:
        found |= digests(schema.additional, f"{path}{{}}")
    return found


@pytest.mark.parametrize("name", OFFICIAL)
def test_every_node_is_as_the_official_one(name: str) -> None:
    resource, version_name = name.split("/")
    plural, _, group = resource.partition(".")
    official, kind = OFFICIAL[name], builtin().find(group, plural)
    assert kind is not None
    version = next(version for version in kind.versions if version.name == version_name)
    assert digests(version.schema) == official["nodes"]
    assert crd_from_kind(kind)["spec"]["names"] == official["names"]
    assert kind.namespaced == (official["scope"] == "Namespaced")
    assert (version.served, version.storage, version.status) == tuple(
        official[k] for k in ("served", "storage", "status")
    )
    assert version.deprecation == official["warning"]
    assert [[c.name, c.type, c.path, c.priority] for c in version.columns] == official["columns"]


@pytest.mark.parametrize("kind", builtin().kinds(), ids=lambda kind: kind.resource)
def test_a_schema_survives_openapi(kind: Any) -> None:
    for version in kind.versions:
        assert openapi(from_openapi(openapi(version.schema))) == openapi(version.schema)


@pytest.mark.parametrize("kind", [k for k in builtin().kinds() if k.custom], ids=lambda kind: kind.resource)
def test_a_kind_survives_its_definition(kind: Any) -> None:
    again = kind_from_crd(crd_from_kind(kind))
    assert (again.group, again.name, again.plural, again.namespaced) == (
        kind.group,
        kind.name,
        kind.plural,
        kind.namespaced,
    )
    assert [openapi(v.schema) for v in again.versions] == [openapi(v.schema) for v in kind.versions]
    assert [v.status for v in again.versions] == [v.status for v in kind.versions]
