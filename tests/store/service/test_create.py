"""Create: what the server sets, what it refuses, in the words and the order of kube-apiserver."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from store.errors import StatusError
from store.verbs import WriteOptions
from tests.store.service.running import GATEWAY, Bench, loads, refused, with_service

UNDECODABLE = 'Gateway in version "v1" cannot be handled as a Gateway: json: cannot unmarshal'
GROUP = "gateway.networking.k8s.io"


def test_the_server_sets_what_only_it_may(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        body = {
            "metadata": {
                "name": "g",
                "uid": "mine",
                "generation": 7,
                "creationTimestamp": "2001-01-01T00:00:00Z",
                "deletionTimestamp": "2001-01-01T00:00:00Z",
                "selfLink": "/x",
            },
            "spec": GATEWAY,
            "status": {"conditions": []},
        }
        before = orjson.dumps(body)
        answer = await bench.service.create(bench.all("Gateway", "default"), body, WriteOptions(manager="test"))
        assert orjson.dumps(body) == before
        obj = loads(answer)
        metadata = obj["metadata"]
        assert answer.created
        assert (obj["apiVersion"], obj["kind"]) == (f"{GROUP}/v1", "Gateway")
        assert (metadata["generation"], metadata["namespace"]) == (1, "default")
        assert metadata["creationTimestamp"] == "2026-01-02T03:04:05Z"
        assert metadata["uid"] != "mine"
        assert metadata["resourceVersion"] == str(answer.revision) == str(bench.service.revision)
        assert not {"selfLink", "deletionTimestamp"} & set(metadata)
        assert "conditions" not in obj.get("status", {}) or obj["status"]["conditions"] != []
        assert obj["metadata"]["managedFields"][0]["manager"] == "test"
        assert bench.service.get(bench.one("Gateway", "g", "default")) == answer.value

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("body", "code", "reason", "message"),
    [
        (
            {"metadata": {"name": "g", "namespace": "other"}, "spec": GATEWAY},
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            {"apiVersion": "v2", "metadata": {"name": "g"}, "spec": GATEWAY},
            400,
            "BadRequest",
            f"the API version in the data (v2) does not match the expected API version ({GROUP}/v1)",
        ),
        (
            {"metadata": {"name": "g", "labels": {"a": 1}}, "spec": GATEWAY},
            400,
            "BadRequest",
            f"{UNDECODABLE} number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"metadata": {"name": "g", "resourceVersion": "5"}, "spec": GATEWAY},
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        ),
        (
            {"metadata": {}, "spec": GATEWAY},
            422,
            "Invalid",
            f'Gateway.{GROUP} "" is invalid: metadata.name: Required value: name or generateName is required',
        ),
        ([], 400, "BadRequest", "the object provided is unrecognized (must be of type Gateway)"),
    ],
)
def test_what_is_refused(tmp_path: Path, body: Any, code: int, reason: str, message: str) -> None:
    async def work(bench: Bench) -> None:
        await refused(bench.service.create(bench.all("Gateway", "default"), body), code, reason, message)

    with_service(tmp_path, work)


def test_schema_causes_and_metadata_causes_come_together(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        body = {"metadata": {"name": "G"}, "spec": {"gatewayClassName": "x", "listeners": []}}
        error = await refused(bench.service.create(bench.all("Gateway", "default"), body), 422, "Invalid")
        assert [cause.field for cause in error.causes] == ["metadata.name", "spec.listeners"]
        assert (error.kind, error.group, error.name) == ("Gateway", GROUP, "G")

    with_service(tmp_path, work)


def test_a_second_object_of_a_name(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("Gateway", "g", "default", spec=GATEWAY, metadata={"finalizers": ["example.com/hold"]})
        message = f'gateways.{GROUP} "g" already exists'
        await refused(bench.create("Gateway", "g", "default", spec=GATEWAY), 409, "AlreadyExists", message)
        await bench.service.delete(bench.one("Gateway", "g", "default"))
        message = f"object is being deleted: {message}"
        error = await refused(bench.create("Gateway", "g", "default", spec=GATEWAY), 409, "AlreadyExists", message)
        assert error.status()["details"] == {"name": "g", "group": GROUP, "kind": "gateways"}

    with_service(tmp_path, work)


def test_generated_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(bench: Bench) -> None:
        body = {"metadata": {"generateName": "map-"}}
        names = [loads(await bench.service.create(bench.all("ConfigMap", "default"), body)) for _ in range(3)]
        assert len({obj["metadata"]["name"] for obj in names}) == 3
        assert all(len(obj["metadata"]["name"]) == 9 for obj in names)
        monkeypatch.setattr("store.objects.names.generated", lambda prefix: prefix + "aaaaa")
        await bench.service.create(bench.all("ConfigMap", "default"), body)
        error = await refused(bench.service.create(bench.all("ConfigMap", "default"), body), 409, "AlreadyExists")
        assert error.message.endswith(
            "already exists, the server was not able to generate a unique name for the object"
        )
        assert error.retry_after_s == 1

    with_service(tmp_path, work)


def test_namespaces_that_are_missing_or_going(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        invalid_too = {"metadata": {"name": "G"}, "spec": {}}
        message = 'namespaces "nowhere" not found'
        await refused(bench.service.create(bench.all("Gateway", "nowhere"), invalid_too), 404, "NotFound", message)
        await bench.create("Namespace", "going")
        await bench.create("ConfigMap", "held", "going", metadata={"finalizers": ["example.com/hold"]})
        await bench.service.delete(bench.one("Namespace", "going"))
        error = await refused(bench.create("ConfigMap", "new", "going"), 403, "Forbidden")
        assert error.message == (
            'configmaps "new" is forbidden: unable to create new content in namespace going because it is being '
            "terminated"
        )
        assert (error.causes[0].reason, error.causes[0].field) == ("NamespaceTerminating", "metadata.namespace")

    with_service(tmp_path, work)


def test_unknown_fields_strict_warn_ignore(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        body = {"metadata": {"name": "g", "colour": "red"}, "spec": {**GATEWAY, "foo": 1}}
        gateways = bench.all("Gateway", "default")
        await refused(
            bench.service.create(gateways, body, WriteOptions(validation="Strict")),
            400,
            "BadRequest",
            'Gateway in version "v1" cannot be handled as a Gateway: strict decoding error: '
            'unknown field "spec.foo", unknown field "metadata.colour"',
        )
        answer = await bench.service.create(gateways, body, WriteOptions(validation="Warn", dry_run=True))
        assert answer.warnings == ('unknown field "spec.foo"', 'unknown field "metadata.colour"')
        answer = await bench.service.create(gateways, body, WriteOptions(validation="Ignore"))
        assert answer.warnings == ()
        assert "foo" not in loads(answer)["spec"]

    with_service(tmp_path, work)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        revision = bench.service.revision
        options = WriteOptions(dry_run=True)
        answer = await bench.service.create(
            bench.all("Gateway", "default"), {"metadata": {"name": "g"}, "spec": GATEWAY}, options
        )
        assert answer.created
        assert "resourceVersion" not in loads(answer)["metadata"]
        assert bench.service.revision == revision
        await refused(
            bench.service.create(bench.all("Namespace"), {"metadata": {"name": "default"}}, options),
            409,
            "AlreadyExists",
        )

    with_service(tmp_path, work)


def test_first_namespaces_and_their_label(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            obj = bench.get("Namespace", name)
            assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
            assert (obj["spec"], obj["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})

    with_service(tmp_path, work)
    revision = with_service(tmp_path, revision_of)
    assert with_service(tmp_path, revision_of) == revision


async def revision_of(bench: Bench) -> int:
    return bench.service.revision


def test_secrets_take_texts(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        obj = await bench.create("Secret", "s", "default", stringData={"a": "text"}, data={"b": "eA=="})
        assert obj["data"] == {"a": "dGV4dA==", "b": "eA=="}
        assert "stringData" not in obj

    with_service(tmp_path, work)


@pytest.mark.parametrize("data", ["text", ["list"], 3])
def test_texts_beside_data_of_a_wrong_type_are_refused(tmp_path: Path, data: Any) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError) as refusal:
            await bench.create("Secret", "s", "default", stringData={"a": "text"}, data=data)
        assert refusal.value.code in (400, 422)

    with_service(tmp_path, work)


def test_repeated_owners_are_dropped_with_a_warning(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        default = bench.get("Namespace", "default")["metadata"]
        owner = {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": default["uid"]}
        body = {"metadata": {"name": "c", "ownerReferences": [owner, owner]}}
        answer = await bench.service.create(bench.all("ConfigMap", "default"), body)
        assert loads(answer)["metadata"]["ownerReferences"] == [owner]
        assert answer.warnings[0].startswith(".metadata.ownerReferences contains duplicate entries")

    with_service(tmp_path, work)


def test_many_creators_at_once_share_commits_and_lose_nothing(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        before = bench.service.revision
        await asyncio.gather(
            *(bench.create("ConfigMap", f"c{i % 50}", "default") for i in range(100)), return_exceptions=True
        )
        assert bench.service.revision == before + 50
        assert len(bench.service.list(bench.all("ConfigMap", "default")).items) == 50

    with_service(tmp_path, work)


def test_a_full_store_says_so_and_reads_go_on(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async def fill() -> None:
            for i in range(1_000):
                await bench.create("ConfigMap", f"c{i}", "default", data={"x": "y" * 20_000})

        error = await refused(fill(), 507, "InternalError")
        assert error.message.startswith("the store is full: nothing was written")
        assert bench.get("Namespace", "default")["status"] == {"phase": "Active"}

    with_service(tmp_path, work, quota_bytes=8_000_000)
