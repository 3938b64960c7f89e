"""Definitions whose schemas are of a wrong shape: refused by field, whatever else would stumble over them."""

from __future__ import annotations

from typing import Any

import pytest

from store.errors import StatusError
from store.kinds.definitions import crd_from_kind, kind_from_crd
from store.kinds.registry import BUILT_IN
from store.kinds.schema_nodes import misshapen

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"properties": "x"}, "properties", "object"),
    ({"properties": {"spec": 1.5}}, "properties[spec]", "object"),
    ({"properties": {"spec": None}}, "properties[spec]", "object"),
    ({"properties": {"spec": {"type": 3}}}, "properties[spec].type", "string"),
    ({"items": "x"}, "items", "object"),
    ({"additionalProperties": 1}, "additionalProperties", "object"),
    ({"not": []}, "not", "object"),
    ({"allOf": 3}, "allOf", "array"),
    ({"oneOf": [{"required": ["a"]}, 3]}, "oneOf[1]", "object"),
    ({"anyOf": [{"required": "a"}]}, "anyOf[0].required", "array"),
    ({"enum": 3}, "enum", "array"),
    ({"required": 3}, "required", "array"),
    ({"required": ["a", 3]}, "required[1]", "string"),
    ({"x-kubernetes-list-map-keys": [{}]}, "x-kubernetes-list-map-keys[0]", "string"),
    ({"x-kubernetes-list-type": ["map"]}, "x-kubernetes-list-type", "string"),
    ({"x-kubernetes-preserve-unknown-fields": "yes"}, "x-kubernetes-preserve-unknown-fields", "boolean"),
    ({"x-kubernetes-validations": 3}, "x-kubernetes-validations", "array"),
    ({"x-kubernetes-validations": ["self"]}, "x-kubernetes-validations[0]", "object"),
    ({"format": ["x"]}, "format", "string"),
    ({"pattern": 3}, "pattern", "string"),
    ({"maxLength": 1.5}, "maxLength", "integer"),
    ({"minimum": True}, "minimum", "number"),
]


def definition(schema: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.test.dev"},
        "spec": {
            "group": "test.dev",
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "scope": "Namespaced",
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


@pytest.mark.parametrize(("schema", "field", "wanted"), WRONG)
def test_a_keyword_of_a_wrong_type_is_a_cause_with_its_field(schema: dict[str, Any], field: str, wanted: str) -> None:
    with pytest.raises(StatusError) as caught:
        kind_from_crd(definition({"type": "object"} | schema))
    (cause,) = caught.value.causes
    assert (caught.value.code, cause.reason) == (422, "FieldValueTypeInvalid")
    assert cause.field == f"spec.validation.openAPIV3Schema.{field}"
    assert f"must be of type {wanted}" in cause.message


@pytest.mark.parametrize("schema", ["x", [], 3])
def test_a_schema_that_is_no_node_at_all(schema: Any) -> None:
    with pytest.raises(StatusError) as caught:
        kind_from_crd(definition(schema))
    assert caught.value.code == 422


def test_every_fault_is_told() -> None:
    schema = {"type": 1, "required": 2, "properties": {"a": {"enum": 3, "default": {"type": 4}}}}
    found = [cause.field for cause in misshapen(schema, "root")]
    assert found == ["root.type", "root.required", "root.properties[a].enum"], "and what a default holds is data"


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.name)
def test_our_own_schemas_are_in_shape(kind: Any) -> None:
    for version in crd_from_kind(kind)["spec"]["versions"]:
        assert list(misshapen(version["schema"]["openAPIV3Schema"], "root")) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"additionalProperties": False},
        {"items": {"type": "string"}, "nullable": None},
        {"minimum": 1, "maximum": 1.5, "enum": [1, "a", None]},
        {"properties": {"properties": {"type": "object"}}},
    ],
)
def test_what_is_right_has_no_cause(schema: dict[str, Any]) -> None:
    assert list(misshapen(schema, "root")) == []
