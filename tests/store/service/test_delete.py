"""Delete: preconditions, finalizers, propagation, garbage collection, namespaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from store.verbs import DeleteOptions, Selection
from tests.store.service.running import Bench, refused, with_service

RECREATED = "The object might have been deleted and then recreated"
TOUCHED = "The object might have been modified"
HOLD = {"finalizers": ["example.com/hold"]}


def owner_of(obj: Any, blocks: bool = False) -> dict[str, Any]:
    metadata = obj["metadata"]
    reference = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return {**reference, "blockOwnerDeletion": True} if blocks else reference


async def owned(bench: Bench, name: str, *owners: Any, blocks: bool = False, **metadata: Any) -> Any:
    references = [owner_of(owner, blocks) for owner in owners]
    return await bench.create("ConfigMap", name, "default", metadata={"ownerReferences": references, **metadata})


def test_delete_removes_and_answers_with_the_last_state(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        obj = await bench.create("ConfigMap", "c", "default")
        target = bench.one("ConfigMap", "c", "default")
        dry = await bench.service.delete(target, DeleteOptions(dry_run=True))
        assert dry.deleted
        answer = await bench.service.delete(target)
        assert answer.deleted
        assert orjson.loads(answer.value) == obj
        await refused(bench.service.delete(target), 404, "NotFound", 'configmaps "c" not found')

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            DeleteOptions(uid="x"),
            "the UID in the precondition (x) does not match the UID in record ({uid}). " + RECREATED,
        ),
        (
            DeleteOptions(resource_version="1"),
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({rv}). "
            + TOUCHED,
        ),
    ],
)
def test_preconditions(tmp_path: Path, options: DeleteOptions, why: str) -> None:
    async def work(bench: Bench) -> None:
        metadata = (await bench.create("ConfigMap", "c", "default"))["metadata"]
        text = why.format(uid=metadata["uid"], rv=metadata["resourceVersion"])
        message = f'Operation cannot be fulfilled on configmaps "c": {text}'
        await refused(bench.service.delete(bench.one("ConfigMap", "c", "default"), options), 409, "Conflict", message)

    with_service(tmp_path, work)


def test_finalizers_hold_an_object_until_the_last_is_gone(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("GatewayClass", "c")
        await bench.create("GatewayClass", "c", spec={"controllerName": "example.com/c"}, metadata=HOLD)
        answer = await bench.service.delete(target)
        marked = orjson.loads(answer.value)["metadata"]
        assert not answer.deleted
        assert marked["deletionTimestamp"] == "2026-01-02T03:04:05Z"
        assert (marked["deletionGracePeriodSeconds"], marked["generation"]) == (0, 2)
        bench.clock.pass_s(5)
        again = await bench.service.delete(target)
        assert again.revision == answer.revision
        error = await refused(
            bench.patch(target, {"metadata": {"finalizers": ["a.b/c", "example.com/hold"]}}), 422, "Invalid"
        )
        assert "no new finalizers can be added if the object is being deleted" in error.message
        await bench.patch(target, {"metadata": {"finalizers": None}})
        await refused(bench.service.delete(target), 404, "NotFound")

    with_service(tmp_path, work)


def test_dependents_go_when_their_last_owner_went(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        one, two = [await bench.create("ConfigMap", name, "default") for name in ("one", "two")]
        await owned(bench, "of-one", one)
        await owned(bench, "of-both", one, two)
        grandchild_owner = await owned(bench, "chain", one)
        await owned(bench, "grandchild", grandchild_owner)
        await bench.service.delete(bench.one("ConfigMap", "one", "default"))
        for name in ("of-one", "chain", "grandchild"):
            await bench.gone("ConfigMap", name, "default")
        left = bench.get("ConfigMap", "of-both", "default")
        await bench.until(lambda: len(bench.get("ConfigMap", "of-both", "default")["metadata"]["ownerReferences"]) == 1)
        assert left["metadata"]["uid"] == bench.get("ConfigMap", "of-both", "default")["metadata"]["uid"]

    with_service(tmp_path, work)


def test_orphans_stay_without_the_reference(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        one = await bench.create("ConfigMap", "one", "default")
        await owned(bench, "child", one)
        answer = await bench.service.delete(bench.one("ConfigMap", "one", "default"), DeleteOptions("Orphan"))
        assert not answer.deleted
        await bench.gone("ConfigMap", "one", "default")
        assert "ownerReferences" not in bench.get("ConfigMap", "child", "default")["metadata"]

    with_service(tmp_path, work)


def test_foreground_waits_for_dependents_that_block(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        one = await bench.create("ConfigMap", "one", "default")
        await owned(bench, "held", one, blocks=True, **HOLD)
        await owned(bench, "free", one)
        await bench.service.delete(bench.one("ConfigMap", "one", "default"), DeleteOptions("Foreground"))
        await bench.gone("ConfigMap", "free", "default")
        await bench.until(lambda: "deletionTimestamp" in bench.get("ConfigMap", "held", "default")["metadata"])
        assert bench.get("ConfigMap", "one", "default")["metadata"]["finalizers"] == ["foregroundDeletion"]
        await bench.patch(bench.one("ConfigMap", "held", "default"), {"metadata": {"finalizers": None}})
        await bench.gone("ConfigMap", "one", "default")

    with_service(tmp_path, work)


def test_work_that_was_left_is_done_after_a_restart(tmp_path: Path) -> None:
    async def leave(bench: Bench) -> None:
        one = await bench.create("ConfigMap", "one", "default")
        bench.service._task.cancel()  # type: ignore[union-attr]
        await owned(bench, "child", one)
        await bench.service.delete(bench.one("ConfigMap", "one", "default"))
        assert bench.get("ConfigMap", "child", "default")

    async def resume(bench: Bench) -> None:
        await bench.gone("ConfigMap", "child", "default")

    with_service(tmp_path, leave)
    with_service(tmp_path, resume)


def test_a_namespace_goes_with_its_content(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.create("Namespace", "n")
        for i in range(150):
            await bench.create("ConfigMap", f"c{i}", "n")
        await bench.create("ConfigMap", "held", "n", metadata=HOLD)
        answer = await bench.service.delete(bench.one("Namespace", "n"))
        assert orjson.loads(answer.value)["status"]["phase"] == "Terminating"
        await bench.until(lambda: len(bench.service.list(bench.all("ConfigMap", "n")).items) == 1)
        assert bench.get("Namespace", "n")["status"]["phase"] == "Terminating"
        await bench.until(lambda: "conditions" in bench.get("Namespace", "n")["status"])
        said = {c["type"]: (c["status"], c["message"]) for c in bench.get("Namespace", "n")["status"]["conditions"]}
        assert said["NamespaceContentRemaining"] == (
            "True",
            "Some resources are remaining: configmaps. has 1 resource instances",
        )
        assert said["NamespaceFinalizersRemaining"] == (
            "True",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        )
        assert [status for status, _ in said.values()].count("False") == 3
        await bench.patch(bench.one("ConfigMap", "held", "n"), {"metadata": {"finalizers": None}})
        await bench.gone("Namespace", "n")

    with_service(tmp_path, work)


def test_some_namespaces_stay(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        message = 'namespaces "default" is forbidden: this namespace may not be deleted'
        await refused(bench.service.delete(bench.one("Namespace", "default")), 403, "Forbidden", message)

    with_service(tmp_path, work)


def test_delete_collection(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for i in range(10):
            await bench.create("ConfigMap", f"c{i}", "default", metadata={"labels": {"odd": str(i % 2)}})
        page = await bench.service.delete_collection(bench.all("ConfigMap", "default"), Selection(labels="odd=1"))
        assert len(page.items) == 5
        assert len(bench.service.list(bench.all("ConfigMap", "default")).items) == 5

    with_service(tmp_path, work)
