"""Definitions of kinds: built-in ones are there and nobody's, others are served while they exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from store.errors import StatusError
from store.verbs import Patch, WatchOptions, WriteOptions
from tests.store.service.running import GATEWAY, Bench, events, refused, with_service

CRD = "CustomResourceDefinition"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
GATEWAYS = "gateways.gateway.networking.k8s.io"


def definition(plural: str = "widgets", kind: str = "Widget", **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": CRD,
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


def conditions(obj: Any) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in obj["status"]["conditions"]}


async def install(bench: Bench, body: dict[str, Any]) -> Any:
    return orjson.loads((await bench.service.create(bench.all(CRD), body)).value)


def test_built_in_definitions_are_there_established_and_unowned(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        obj = bench.get(CRD, GATEWAYS)
        assert conditions(obj) == {"NamesAccepted": "True", "Established": "True"}
        assert "managedFields" not in obj["metadata"]
        assert obj["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"] == "v1.6.1"
        assert obj["status"]["acceptedNames"]["plural"] == "gateways"

    with_service(tmp_path, work)


def test_another_definition_applies_over_a_built_in_one(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one(CRD, GATEWAYS)
        config = bench.get(CRD, GATEWAYS)
        for name in ("uid", "resourceVersion", "creationTimestamp", "generation", "finalizers"):
            config["metadata"].pop(name, None)
        config["status"] = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": None}
        config["metadata"]["annotations"]["gateway.networking.k8s.io/channel"] = "standard"
        config["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "other words"
        kind = bench.service.registry.by_name("gateway.networking.k8s.io", "Gateway")
        for _ in range(2):
            obj = await bench.patch(target, config, "apply", manager="kubectl")
            assert conditions(obj) == {"NamesAccepted": "True", "Established": "True"}
            assert [entry["manager"] for entry in obj["metadata"]["managedFields"]] == ["kubectl"]
            assert obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] == "other words"
        assert bench.service.registry.by_name("gateway.networking.k8s.io", "Gateway") is kind
        await bench.create("Gateway", "g", "default", spec=GATEWAY)

    with_service(tmp_path, work)

    async def keep(bench: Bench) -> None:
        obj = bench.get(CRD, GATEWAYS)
        assert obj["metadata"]["annotations"]["gateway.networking.k8s.io/channel"] == "standard"

    with_service(tmp_path, keep)


def test_a_kind_is_served_while_its_definition_exists(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        obj = await install(bench, definition(size={"type": "integer", "default": 3}))
        assert conditions(obj) == {"NamesAccepted": "True", "Established": "True"}
        assert (obj["status"]["storedVersions"], obj["metadata"]["finalizers"]) == (["v1"], [CLEANUP])
        widgets = bench.all("Widget", "default", group="example.com")
        answer = await bench.service.create(widgets, {"metadata": {"name": "w"}, "spec": {}})
        assert orjson.loads(answer.value)["spec"] == {"size": 3}
        watch = bench.service.watch(widgets, WatchOptions(resource_version=str(bench.service.revision)))
        await bench.service.delete(bench.one(CRD, "widgets.example.com"))
        await bench.gone(CRD, "widgets.example.com")
        assert [event[0] for event in await events(watch, 1)] == ["DELETED"]
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
        assert bench.service.registry.find("example.com", "widgets") is None

    with_service(tmp_path, work)


def test_instances_that_are_held_hold_their_definition(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await install(bench, definition())
        widgets = bench.all("Widget", "default", group="example.com")
        body = {"metadata": {"name": "w", "finalizers": ["example.com/hold"]}}
        await bench.service.create(widgets, body)
        await bench.service.delete(bench.one(CRD, "widgets.example.com"))
        await bench.until(lambda: b"deletionTimestamp" in bench.service.get(widgets.object("w")))
        message = "create not allowed while custom resource definition is terminating"
        await refused(bench.service.create(widgets, {"metadata": {"name": "v"}}), 405, "MethodNotAllowed", message)
        await bench.patch(widgets.object("w"), {"metadata": {"finalizers": None}})
        await bench.gone(CRD, "widgets.example.com")

    with_service(tmp_path, work)


def test_an_update_changes_the_validation_at_once(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await install(bench, definition(size={"type": "integer"}))
        widgets = bench.all("Widget", "default", group="example.com")
        await bench.service.create(widgets, {"metadata": {"name": "w"}, "spec": {"size": 1}})
        target = bench.one(CRD, "widgets.example.com")
        await bench.service.patch(target, Patch("merge", definition(size={"type": "integer", "maximum": 5})))
        widgets = bench.all("Widget", "default", group="example.com")
        await refused(bench.service.create(widgets, {"metadata": {"name": "v"}, "spec": {"size": 9}}), 422, "Invalid")

    with_service(tmp_path, work)


def test_kinds_come_back_after_a_restart(tmp_path: Path) -> None:
    async def write(bench: Bench) -> None:
        await install(bench, definition())

    async def read(bench: Bench) -> None:
        widgets = bench.all("Widget", "default", group="example.com")
        await bench.service.create(widgets, {"metadata": {"name": "w"}}, WriteOptions())

    with_service(tmp_path, write)
    with_service(tmp_path, read)


def test_a_kind_that_is_taken_is_not_served_twice(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await install(bench, definition())
        obj = await install(bench, definition("widgetz"))
        assert conditions(obj) == {"NamesAccepted": "False", "Established": "False"}
        assert bench.service.registry.find("example.com", "widgetz") is None

    with_service(tmp_path, work)


def test_a_definition_that_cannot_be_served_is_refused(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError) as caught:
            await install(bench, definition(size={"type": "string", "pattern": "("}))
        assert caught.value.code == 422
        body = definition()
        body["metadata"]["name"] = "others.example.com"
        with pytest.raises(StatusError) as caught:
            await install(bench, body)
        assert caught.value.code == 422

    with_service(tmp_path, work)


def test_a_definition_whose_schema_is_misshapen_is_refused_with_the_field(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for child in ("x", {"allOf": 3}, {"type": "string", "pattern": 3}, {"type": "array", "items": "x"}):
            with pytest.raises(StatusError) as caught:
                await install(bench, definition(size=child))
            assert caught.value.code == 400
            assert "openAPIV3Schema.properties[spec].properties[size]" in caught.value.message

    with_service(tmp_path, work)
