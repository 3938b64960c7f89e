"""What no honest client sends: depth, wrong types, huge numbers. Always a refusal, never a crash or a stall."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from store.errors import StatusError
from store.verbs import Collection, ListOptions, Patch, PatchType, WriteOptions
from tests.store.service.running import Bench, refused, with_service

HANDLED = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '


def nested(depth: int, mapping: bool) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value} if mapping else [value]
    return value


@pytest.mark.parametrize("depth", [120, 300, 5_000, 100_000])
@pytest.mark.parametrize("mapping", [True, False])
def test_depth_is_refused_by_every_verb(tmp_path: Path, depth: int, mapping: bool) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default")
        target, deep = bench.one("ConfigMap", "c", "default"), nested(depth, mapping)
        for field in ("data", "unknown"):
            body = {"metadata": {"name": "c"}, field: deep}
            for options in (WriteOptions(), WriteOptions(dry_run=True)):
                await refused(bench.service.create(bench.all("ConfigMap", "default"), body, options), 400, "BadRequest")
                await refused(bench.service.replace(target, body, options), 400, "BadRequest")
                patches: list[tuple[PatchType, Any]] = [
                    ("merge", {field: deep}),
                    ("strategic", {field: deep}),
                    ("apply", {"apiVersion": "v1", "kind": "ConfigMap", field: deep}),
                    ("json", [{"op": "add", "path": f"/{field}", "value": deep}]),
                    ("json", [{"op": "test", "path": "/data", "value": deep}]),
                ]
                for type_, patch in patches:
                    await refused(bench.service.patch(target, Patch(type_, patch), options), 400, "BadRequest")

    # Python itself takes a while, and a deep stack, to free what is nested this deeply.
    with_service(tmp_path, work)


def test_what_is_as_deep_as_may_be_survives_reading_and_writing_back(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        spec = {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        }
        await bench.create("CustomResourceDefinition", "foos.example.com", spec=spec)
        collection = bench.all("Foo", "default", group="example.com")
        await bench.service.create(collection, {"metadata": {"name": "f"}, "spec": nested(98, True)})
        obj = orjson.loads(bench.service.get(collection.object("f")))
        obj["metadata"]["labels"] = {"a": "b"}
        await bench.service.replace(collection.object("f"), obj)

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"data": {"a": 1}}, "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ({"data": ["a"]}, "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"),
        ({"immutable": "yes"}, "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool"),
        ({"metadata": {"labels": {"a": 1}}}, "json: cannot unmarshal number into Go struct field ObjectMeta"),
        ({"metadata": {"generation": 1.5}}, "json: cannot unmarshal number into Go struct field ObjectMeta"),
    ],
)
def test_native_kinds_refuse_wrong_types_as_unreadable(tmp_path: Path, body: Any, why: str) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default")
        named = {**body, "metadata": {"name": "c", **body.get("metadata", {})}}
        writing = (
            bench.service.create(bench.all("ConfigMap", "default"), named),
            bench.service.replace(bench.one("ConfigMap", "c", "default"), named),
        )
        for write in writing:
            error = await refused(write, 400, "BadRequest")
            assert error.message.startswith(HANDLED + why)

    with_service(tmp_path, work)


def test_custom_kinds_refuse_wrong_types_as_invalid(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        body = {"metadata": {"name": "g"}, "spec": {"controllerName": 5}}
        await refused(bench.service.create(bench.all("GatewayClass"), body), 422, "Invalid")

    with_service(tmp_path, work)


def test_a_patch_to_a_wrong_type_is_invalid(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default")
        target = bench.one("ConfigMap", "c", "default")
        error = await refused(bench.service.patch(target, Patch("strategic", {"data": {"a": 1}})), 422, "Invalid")
        assert error.message.startswith(' "" is invalid: patch: Invalid value: "map[data:map[a:1]]": json: cannot ')
        assert error.causes[0].field == "patch"

    with_service(tmp_path, work)


def test_a_json_patch_that_does_not_fit_says_why(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default")
        patch = Patch("json", [{"op": "remove", "path": "/data/a"}])
        error = await refused(bench.service.patch(bench.one("ConfigMap", "c", "default"), patch), 422, "Invalid")
        assert error.message == "remove operation does not apply: doc is missing path: /data/a: missing value"

    with_service(tmp_path, work)


def test_a_flood_of_unknown_fields_takes_no_longer_than_its_size(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        body = {"metadata": {"name": "c"}, **{f"u{i}": 1 for i in range(60_000)}}
        collection = bench.all("ConfigMap", "default")
        answer = await bench.service.create(collection, body, WriteOptions(dry_run=True))
        assert len(answer.warnings) == 64
        strict = WriteOptions(validation="Strict", dry_run=True)
        error = await refused(bench.service.create(collection, body, strict), 400, "BadRequest")
        assert len(error.message) < 4_096

    with_service(tmp_path, work)


def test_a_flood_of_faults_is_told_in_part(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "controller": True}
        floods: list[dict[str, object]] = [
            {"ownerReferences": [{**owner, "uid": str(i)} for i in range(20_000)]},
            {"labels": {f"a {i}": "b" for i in range(20_000)}},
            {"finalizers": [f"no domain {i}" for i in range(20_000)]},
        ]
        for metadata in floods:
            body = {"metadata": {"name": "c", **metadata}}
            error = await refused(bench.service.create(bench.all("ConfigMap", "default"), body), 422, "Invalid")
            assert 1 <= len(error.causes) <= 256

    with_service(tmp_path, work)


@pytest.mark.parametrize("text", ["9" * 19, "9" * 5_000])
def test_a_revision_beyond_64_bits_is_refused(tmp_path: Path, text: str) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError, match="value out of range") as caught:
            bench.service.list(bench.all("ConfigMap"), ListOptions(resource_version=text))
        assert caught.value.code == 400

    with_service(tmp_path, work)


TREE = {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "m"}


@pytest.mark.parametrize(
    "entry",
    [
        {"manager": ["m"]},
        {"subresource": {}},
        {"time": 5},
        {"apiVersion": 5},
        {"operation": "Other"},
        {"fieldsV1": [1]},
        {"fieldsV1": {"x:y": 5}},
        {"fieldsV1": {"k:{": {}}},
        {"fieldsV1": {'k:{"a":{"b":[1]}}': {}}},
        {"fieldsV1": {"v:" + "[" * 50_000: {}}},
        {"fieldsV1": {"v:" + "[" * 50_000 + "]" * 50_000: {}}},
        {"fieldsV1": {"i:" + "9" * 5_000: {}}},
        {"fieldsV1": {"v:NaN": {}}},
    ],
)
def test_managed_fields_of_hostile_shape(tmp_path: Path, entry: dict[str, Any]) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default", data={"a": "b"})
        metadata = {"name": "d", "managedFields": [{**TREE, "fieldsV1": {"f:data": {}}, **entry}]}
        target = bench.one("ConfigMap", "c", "default")
        with contextlib.suppress(StatusError):
            await bench.service.create(bench.all("ConfigMap", "default"), {"metadata": metadata})
        with contextlib.suppress(StatusError):
            await bench.patch(target, {"metadata": {"managedFields": metadata["managedFields"]}})
        await bench.patch(target, {"apiVersion": "v1", "kind": "ConfigMap", "data": {"x": "y"}}, "apply", force=True)

    with_service(tmp_path, work)


@pytest.mark.parametrize("body", [{}, {"spec": None}, {"spec": {}}, {"spec": []}, {"status": 5}, {"data": None}])
def test_hollow_objects_of_every_kind_are_judged(tmp_path: Path, body: Any) -> None:
    async def work(bench: Bench) -> None:
        for kind in bench.service.registry.kinds():
            for version in kind.versions:
                collection = Collection(kind, version.name, "default" if kind.namespaced else "")
                with contextlib.suppress(StatusError):
                    await bench.service.create(collection, {"metadata": {"name": "x"}, **body})

    with_service(tmp_path, work)


def test_a_patch_that_deletes_everything_is_refused(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("Service", "s", "default", spec={"ports": [{"port": 80}]})
        with pytest.raises(StatusError) as caught:
            await bench.service.patch(bench.one("Service", "s", "default"), Patch("strategic", {"$patch": "delete"}))
        assert caught.value.code in (400, 422)

    with_service(tmp_path, work)


@pytest.mark.parametrize("ports", [1, 1.5, True])
def test_ports_that_are_no_list_are_refused(tmp_path: Path, ports: Any) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError) as caught:
            await bench.create("Service", "s", "default", spec={"ports": ports})
        assert caught.value.code in (400, 422)

    with_service(tmp_path, work)


def test_a_whole_number_with_a_point_is_kept_without(tmp_path: Path) -> None:
    """As Kubernetes keeps it; a port that is no int can be listened on by nobody."""

    async def work(bench: Bench) -> None:
        listeners = [{"name": "http", "port": 80.0, "protocol": "HTTP"}]
        spec = {"gatewayClassName": "gatehouse", "listeners": listeners}
        await bench.create("Gateway", "web", "default", spec=spec)
        stored = bench.service.get(bench.one("Gateway", "web", "default"))
        assert b'"port":80,' in stored

    with_service(tmp_path, work)
