"""Replace and patch: versions, generation, status, no-ops, conflicts, protection of manifest files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from store.errors import StatusError
from store.verbs import DeleteOptions, Patch, WriteOptions
from tests.store.service.running import GATEWAY, Bench, loads, refused, with_service

GROUP = "gateway.networking.k8s.io"
RESOURCE = f"gateways.{GROUP}"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
OTHER_PORT = {**GATEWAY, "listeners": [{"name": "http", "port": 81, "protocol": "HTTP"}]}


async def gateway(bench: Bench, **fields: Any) -> Any:
    return await bench.create("Gateway", "g", "default", spec=GATEWAY, **fields)


def test_the_generation_counts_the_specification(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target, status = bench.one("Gateway", "g", "default"), bench.one("Gateway", "g", "default", "status")
        obj = await gateway(bench)
        obj["spec"] = OTHER_PORT
        obj["metadata"]["generation"] = 40
        obj = loads(await bench.service.replace(target, obj))
        assert obj["metadata"]["generation"] == 2
        obj["metadata"]["labels"] = {"a": "b"}
        obj = loads(await bench.service.replace(target, obj))
        assert obj["metadata"]["generation"] == 2
        obj = await bench.patch(status, {"status": {"addresses": [{"type": "IPAddress", "value": "127.0.0.1"}]}})
        assert obj["metadata"]["generation"] == 2
        assert obj["status"]["addresses"][0]["value"] == "127.0.0.1"

    with_service(tmp_path, work)


def test_each_endpoint_writes_its_own_half(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target, status = bench.one("Gateway", "g", "default"), bench.one("Gateway", "g", "default", "status")
        obj = await gateway(bench)
        address = {"type": "IPAddress", "value": "127.0.0.1"}
        obj["status"] = {"addresses": [address]}
        obj["spec"] = OTHER_PORT
        obj["metadata"]["labels"] = {"a": "b"}
        after = loads(await bench.service.replace(status, obj))
        assert after["spec"]["listeners"][0]["port"] == 80
        assert "labels" not in after["metadata"]
        assert after["status"]["addresses"] == [address]
        after["status"] = {}
        after["spec"] = OTHER_PORT
        after = loads(await bench.service.replace(target, after))
        assert after["status"]["addresses"] == [address]
        assert after["spec"]["listeners"][0]["port"] == 81

    with_service(tmp_path, work)


def test_a_write_that_changes_nothing_is_none(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("Gateway", "g", "default")
        obj = await gateway(bench)
        revision = bench.service.revision
        bench.clock.pass_s(60)
        answer = await bench.service.replace(target, obj, WriteOptions(manager="another"))
        assert loads(answer) == obj
        await bench.patch(target, {"spec": {"gatewayClassName": "gatehouse"}}, manager="another")
        applied = {"apiVersion": f"{GROUP}/v1", "kind": "Gateway", "spec": {"gatewayClassName": "gatehouse"}}
        await bench.patch(target, applied, "apply", manager="applier")
        assert bench.service.revision == revision + 1
        bench.clock.pass_s(60)
        await bench.patch(target, applied, "apply", manager="applier")
        assert bench.service.revision == revision + 1

    with_service(tmp_path, work)


def test_resource_versions_of_writes(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("Gateway", "g", "default")
        obj = await gateway(bench)
        stale = obj["metadata"]["resourceVersion"]
        await bench.patch(target, {"metadata": {"labels": {"a": "b"}}})
        conflict = f'Operation cannot be fulfilled on {RESOURCE} "g": {MODIFIED}'
        await refused(bench.service.replace(target, obj), 409, "Conflict", conflict)
        body = {"metadata": {"resourceVersion": stale, "labels": {"a": "c"}}}
        await refused(bench.patch(target, body), 409, "Conflict", conflict)
        del obj["metadata"]["resourceVersion"]
        await refused(
            bench.service.replace(target, obj),
            422,
            "Invalid",
            f'Gateway.{GROUP} "g" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an '
            "update",
        )
        await bench.create("ConfigMap", "c", "default")
        config_map = bench.one("ConfigMap", "c", "default")
        answer = await bench.service.replace(config_map, {"metadata": {"name": "c"}, "data": {"a": "b"}})
        assert loads(answer)["data"] == {"a": "b"}

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("change", "code", "reason", "message"),
    [
        ({"name": "h"}, 400, "BadRequest", "the name of the object (h) does not match the name on the URL (g)"),
        (
            {"namespace": "x"},
            400,
            "BadRequest",
            "the namespace of the object (x) does not match the namespace on the request (default)",
        ),
    ],
)
def test_what_a_replacement_cannot_be(
    tmp_path: Path, change: dict[str, str], code: int, reason: str, message: str
) -> None:
    async def work(bench: Bench) -> None:
        obj = await gateway(bench)
        obj["metadata"] |= change
        await refused(bench.service.replace(bench.one("Gateway", "g", "default"), obj), code, reason, message)

    with_service(tmp_path, work)


def test_what_an_update_cannot_change(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("Gateway", "g", "default")
        obj = await gateway(bench)
        bench.clock.pass_s(5)
        changed = await bench.patch(
            target, {"metadata": {"creationTimestamp": None, "deletionTimestamp": "2001-01-01T00:00:00Z"}}
        )
        assert changed == obj
        uid = obj["metadata"]["uid"]
        immutable = 'metadata.uid: Invalid value: "x": field is immutable'
        message = f'Gateway.gateway.networking.k8s.io "g" is invalid: {immutable}'
        await refused(bench.patch(target, {"metadata": {"uid": "x"}}), 422, "Invalid", message)
        await refused(
            bench.service.replace(target, {**obj, "metadata": {**obj["metadata"], "uid": "x"}}),
            409,
            "Conflict",
            f'Operation cannot be fulfilled on {RESOURCE} "g": Precondition failed: UID in precondition: x, '
            f"UID in object meta: {uid}",
        )
        missing = bench.one("Gateway", "h", "default")
        obj["metadata"]["name"] = "h"
        await refused(bench.service.replace(missing, obj), 404, "NotFound", f'{RESOURCE} "h" not found')

    with_service(tmp_path, work)


def test_immutable_objects(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default", data={"a": "b"}, immutable=True)
        target = bench.one("ConfigMap", "c", "default")
        for change in ({"data": {"a": "c"}}, {"immutable": False}):
            error = await refused(bench.patch(target, change), 422, "Invalid")
            assert "field is immutable when `immutable` is set" in error.message
        await bench.patch(target, {"metadata": {"labels": {"a": "b"}}})

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("patch", "code", "reason"),
    [
        (Patch("strategic", {"spec": {}}), 415, "UnsupportedMediaType"),
        (Patch("json", [{"op": "test", "path": "/spec/gatewayClassName", "value": "x"}]), 422, "Invalid"),
        (Patch("json", {"op": "add"}), 400, "BadRequest"),
        (Patch("merge", {"spec": {"listeners": "x"}}), 422, "Invalid"),
        (Patch("merge", {"kind": "Other"}), 400, "BadRequest"),
        (Patch("apply", []), 400, "BadRequest"),
    ],
)
def test_patches_that_are_refused(tmp_path: Path, patch: Patch, code: int, reason: str) -> None:
    async def work(bench: Bench) -> None:
        await gateway(bench)
        await refused(bench.service.patch(bench.one("Gateway", "g", "default"), patch), code, reason)

    with_service(tmp_path, work)


def test_some_native_kinds_count_generations(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        endpoints = [{"addresses": ["10.0.0.1"]}]
        obj = await bench.create("EndpointSlice", "e", "default", addressType="IPv4", endpoints=endpoints)
        assert obj["metadata"]["generation"] == 1
        target = bench.one("EndpointSlice", "e", "default")
        assert (await bench.patch(target, {"metadata": {"labels": {"a": "b"}}}))["metadata"]["generation"] == 2
        assert (await bench.patch(target, {"metadata": {"annotations": {"a": "b"}}}))["metadata"]["generation"] == 2
        assert (await bench.patch(target, {"endpoints": []}))["metadata"]["generation"] == 3
        definition = bench.one("CustomResourceDefinition", "gateways.gateway.networking.k8s.io")
        before = orjson.loads(bench.service.get(definition))["metadata"]["generation"]
        after = await bench.patch(definition, {"spec": {"names": {"shortNames": ["gtw", "gw"]}}})
        assert after["metadata"]["generation"] == before + 1
        assert "generation" not in (await bench.create("ConfigMap", "c", "default"))["metadata"]

    with_service(tmp_path, work)


def test_unknown_fields_in_a_patch(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await gateway(bench)
        target, patch = bench.one("Gateway", "g", "default"), Patch("merge", {"spec": {"foo": 1}})
        strict = WriteOptions(validation="Strict")
        error = await refused(bench.service.patch(target, patch, strict), 422, "Invalid")
        before, _, after = error.message.partition("Invalid value: ")
        assert before == ' "" is invalid: patch: '
        text, end = json.JSONDecoder().raw_decode(after)
        assert json.loads(text)["spec"]["foo"] == 1  # the result of the patch, as kube-apiserver shows it
        assert after[end:] == ': strict decoding error: unknown field "spec.foo"'
        answer = await bench.service.patch(target, patch, WriteOptions(validation="Warn"))
        assert answer.warnings == ('unknown field "spec.foo"',)

    with_service(tmp_path, work)


def test_unknown_fields_in_a_strategic_patch_are_shown_as_go_prints_them(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default")
        body = {"zzz": {"a": 1.5, "b": 2.0, "c": True, "d": None, "e": 1e21, "f": [1, "x"], "g": 100000000}}
        await refused(
            bench.service.patch(
                bench.one("ConfigMap", "c", "default"), Patch("strategic", body), WriteOptions(validation="Strict")
            ),
            422,
            "Invalid",
            ' "" is invalid: patch: Invalid value: "map[zzz:map[a:1.5 b:2 c:true d:<nil> e:1e+21 f:[1 x] '
            'g:100000000]]": strict decoding error: unknown field "zzz"',
        )

    with_service(tmp_path, work)


def test_apply_creates_owns_removes_and_conflicts(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("ConfigMap", "c", "default")
        config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"}}
        answer = await bench.service.patch(target, Patch("apply", config), WriteOptions(manager="one"))
        assert (answer.created, loads(answer)["data"]) == (True, {"a": "1", "b": "2"})
        obj = await bench.patch(target, {**config, "data": {"a": "1"}}, "apply", manager="one")
        assert obj["data"] == {"a": "1"}
        theirs = {**config, "data": {"a": "3"}}
        error = await refused(bench.patch(target, theirs, "apply", manager="two"), 409, "Conflict")
        assert error.message == 'Apply failed with 1 conflict: conflict with "one": .data.a'
        assert [(cause.reason, cause.field) for cause in error.causes] == [("FieldManagerConflict", ".data.a")]
        obj = await bench.patch(target, theirs, "apply", manager="two", force=True)
        assert obj["data"] == {"a": "3"}
        assert [entry["manager"] for entry in obj["metadata"]["managedFields"]] == ["two"]

    with_service(tmp_path, work)


def test_patches_of_many_writers_all_arrive(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("ConfigMap", "c", "default", data={})
        target = bench.one("ConfigMap", "c", "default")
        await asyncio.gather(*(bench.patch(target, {"data": {str(i): "x"}}) for i in range(60)))
        assert len(bench.get("ConfigMap", "c", "default")["data"]) == 60

    with_service(tmp_path, work)


def test_a_lease_has_one_holder_at_a_time(tmp_path: Path) -> None:
    """Read, increment, replace with the resourceVersion read: as many successes as increments."""

    async def work(bench: Bench) -> None:
        await bench.create("Lease", "l", "default", spec={"leaseTransitions": 0})
        target = bench.one("Lease", "l", "default")
        conflicts = 0

        async def take(holder: str) -> None:
            nonlocal conflicts
            for _ in range(5):
                while True:
                    obj = bench.get("Lease", "l", "default")
                    obj["spec"]["leaseTransitions"] += 1
                    obj["spec"]["holderIdentity"] = holder
                    await asyncio.sleep(0)
                    try:
                        await bench.service.replace(target, obj)
                        break
                    except StatusError as error:
                        assert error.reason == "Conflict"
                        conflicts += 1

        await asyncio.gather(*(take(str(i)) for i in range(12)))
        assert bench.get("Lease", "l", "default")["spec"]["leaseTransitions"] == 60
        assert conflicts > 0

    with_service(tmp_path, work)


FILE = "manifest:/etc/gatehouse/site.yaml"
REFUSAL = "it belongs to the manifest file /etc/gatehouse/site.yaml"


def test_what_a_manifest_file_owns_is_protected(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target, status = bench.one("Gateway", "g", "default"), bench.one("Gateway", "g", "default", "status")
        config = {"apiVersion": f"{GROUP}/v1", "kind": "Gateway", "spec": GATEWAY}
        await bench.patch(target, config, "apply", manager=FILE)
        change = {"spec": {"gatewayClassName": "other"}}
        error = await refused(bench.patch(target, change), 409, "Conflict")
        assert error.message == (
            f'Operation cannot be fulfilled on {RESOURCE} "g": {REFUSAL}: .spec.gatewayClassName; '
            "change the file instead, or write with force to take the fields over"
        )
        error = await refused(bench.patch(target, {**config, **change}, "apply"), 409, "Conflict")
        assert "/etc/gatehouse/site.yaml" in error.message
        error = await refused(bench.service.delete(target), 409, "Conflict")
        assert REFUSAL in error.message
        await bench.patch(target, {"metadata": {"labels": {"mine": "yes"}}})
        await bench.patch(status, {"status": {"addresses": [{"type": "IPAddress", "value": "127.0.0.1"}]}})
        obj = await bench.patch(target, change, force=True)
        assert obj["spec"]["gatewayClassName"] == "other"
        await bench.patch(target, config, "apply", manager=FILE, force=True)
        answer = await bench.service.delete(target, DeleteOptions(manager=FILE))
        assert answer.deleted

    with_service(tmp_path, work)


def test_other_versions_share_the_object(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await gateway(bench)
        beta = bench.one("Gateway", "g", "default", version="v1beta1")
        obj = await bench.patch(beta, {"spec": {"gatewayClassName": "other"}})
        assert obj["apiVersion"] == f"{GROUP}/v1beta1"
        assert bench.get("Gateway", "g", "default")["apiVersion"] == f"{GROUP}/v1"
        assert bench.get("Gateway", "g", "default")["spec"]["gatewayClassName"] == "other"
        page = bench.service.list(bench.all("Gateway", "default", "v1beta1"))
        assert page.items[0] == bench.service.get(beta)

    with_service(tmp_path, work)
