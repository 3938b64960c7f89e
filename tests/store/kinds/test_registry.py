"""Installing, replacing and removing kinds; what definitions are refused."""

from __future__ import annotations

from typing import Any

import pytest

from store.errors import StatusError
from store.kinds.definitions import crd_from_kind, kind_from_crd
from store.kinds.registry import builtin
from store.schema.compile import compile_schema


def definition(**schema: Any) -> dict[str, Any]:
    root = {"type": "object", "properties": {"spec": {"type": "object", **schema}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.a.example.com"},
        "spec": {
            "group": "a.example.com",
            "names": {"plural": "foos", "kind": "Foo"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}],
        },
    }


def test_an_installed_kind_is_served_until_it_is_removed() -> None:
    registry = builtin()
    before = registry.version
    registry.install(kind_from_crd(definition()))
    assert registry.version > before
    assert (found := registry.by_name("a.example.com", "Foo")) is not None and found.singular == "foo"
    registry.remove("a.example.com", "foos")
    assert registry.find("a.example.com", "foos") is None


def test_a_built_in_kind_comes_back() -> None:
    registry = builtin()
    own = registry.find("gateway.networking.k8s.io", "gateways")
    assert own is not None
    registry.install(kind_from_crd(crd_from_kind(own)))
    assert registry.find("gateway.networking.k8s.io", "gateways") != own
    registry.remove("gateway.networking.k8s.io", "gateways")
    assert registry.find("gateway.networking.k8s.io", "gateways") is own


def test_a_known_rule_of_an_installed_definition_holds() -> None:
    message = "Rule name must be unique within the route"
    items = {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}
    rules = [{"rule": "self.all(...)", "message": message}, {"rule": "false", "message": "not known here"}]
    kind = kind_from_crd(definition(properties={"rules": items | {"x-kubernetes-validations": rules}}))
    admission = compile_schema(kind.storage_version.schema).admit({"spec": {"rules": [{"name": "a"}, {"name": "a"}]}})
    assert [cause.message for cause in admission.causes] == [f"Invalid value: {message}"]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, "spec.versions[0].schema.openAPIV3Schema"),
        ({"properties": {"a": {"type": "text"}}}, "spec.versions[0].schema.openAPIV3Schema"),
        ({"properties": {"a": {}}}, "spec.validation.openAPIV3Schema.properties[spec].properties[a].type"),
    ],
)
def test_a_definition_that_cannot_be_served_is_refused(schema: dict[str, Any], field: str) -> None:
    with pytest.raises(StatusError) as refused:
        kind_from_crd(definition(**schema))
    assert refused.value.code == 422
    assert [cause.field for cause in refused.value.causes] == [field]
