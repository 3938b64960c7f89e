"""Which CEL of a definition is stored without being evaluated: whoever writes it is told."""

from __future__ import annotations

from typing import Any

import pytest

from store.kinds.definitions import crd_from_kind, unevaluated_rules
from store.kinds.registry import BUILT_IN

RULE = [{"rule": "self > 3"}]


def definition(schema: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({}, []),
        ({"properties": {"a": {"type": "string"}}}, []),
        ({"x-kubernetes-validations": RULE}, ["v1"]),
        ({"properties": {"spec": {"properties": {"size": {"x-kubernetes-validations": RULE}}}}}, ["v1.spec.size"]),
        ({"properties": {"list": {"items": {"x-kubernetes-validations": RULE * 2}}}}, ["v1.list[]"]),
        ({"properties": {"map": {"additionalProperties": {"x-kubernetes-validations": RULE}}}}, ["v1.map{}"]),
        ({"properties": {"map": {"additionalProperties": True}}}, []),
    ],
)
def test_places_of_rules_that_nobody_evaluates(schema: dict[str, Any], found: list[str]) -> None:
    assert unevaluated_rules(definition(schema)) == found


def test_a_rule_of_ours_is_known_by_its_message() -> None:
    gateway = next(kind for kind in BUILT_IN if kind.name == "Gateway")
    rule = gateway.storage_version.schema.properties["spec"].properties["listeners"].rules[0]
    stated = {"x-kubernetes-validations": [{"rule": "in CEL", "message": rule.message}]}
    assert unevaluated_rules(definition(stated)) == []
    assert unevaluated_rules(crd_from_kind(gateway)) == []
