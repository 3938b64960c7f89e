"""The loop with a real store and a proxy that only reports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.controller.class_finalizers import FINALIZER
from appliance.controller.loop import Controller
from appliance.controller.settings import ControllerSettings
from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.resources import Objects
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.translate import Memo, Translation, translate
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, BindReport
from store.errors import StatusError
from store.kinds import registry
from store.log.database import open_log
from store.service import Service
from store.verbs import Answer, Collection, DeleteOptions, Patch, Target, WriteOptions

GROUP = "gateway.networking.k8s.io"
GROUPS = {"Gateway": GROUP, "HTTPRoute": GROUP, "GatewayClass": GROUP, "Service": ""}
ME = WriteOptions(manager="test")
DEADLINE_S = 30.0


class Bench:
    """A store, a controller, and the snapshots that were applied. taken: ports that cannot be bound."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.snapshots: list[Snapshot] = []
        self.taken: set[int] = set()
        self.controller = Controller(service, self.apply, ControllerSettings())

    def apply(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        for bind in snapshot.binds:
            free = bind.key.port not in self.taken
            error = ("", "") if free else ("Address already in use", "EADDRINUSE")
            self.controller.report(BindReport(snapshot.serial, bind.key, free, *error))
        self.controller.report(Applied(snapshot.serial))

    def target(self, kind: str, name: str, subresource: str = "") -> Target:
        namespace = "" if kind == "GatewayClass" else "default"
        found = self.service.registry.by_name(GROUPS[kind], kind)
        assert found is not None
        return Target(found, "v1", namespace, name, subresource)

    async def create(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        group = GROUPS[kind]
        metadata = {"name": name} if kind == "GatewayClass" else {"name": name, "namespace": "default"}
        body = {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": metadata, "spec": spec}
        target = self.target(kind, name)
        await self.service.create(Collection(target.kind, "v1", target.namespace), body, ME)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.service.get(self.target(kind, name)))
        return body

    def conditions(self, kind: str, name: str) -> dict[str, str]:
        """Status and reason by type; of routes, of the first parent that is ours."""
        body = self.get(kind, name)
        status = body.get("status") or {}
        if kind == "HTTPRoute":
            ours = [p for p in status.get("parents", []) if p["controllerName"] == CONTROLLER_NAME]
            status = ours[0] if ours else {}
        generation = body["metadata"]["generation"]
        found = [c for c in status.get("conditions", []) if c.get("observedGeneration") == generation]
        return {c["type"]: f"{c['status']} {c['reason']}" for c in found}

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                await asyncio.sleep(0.005)

    async def quiet(self) -> None:
        """Wait until the controller has nothing to do, and the store has not changed for a while."""
        revision = -1
        while revision != self.service.revision or self._busy():
            revision = self.service.revision
            await asyncio.sleep(0.15)

    def _busy(self) -> bool:
        at_work = self.controller
        waiting = at_work._stale.is_set() or at_work._news.is_set() or not at_work._writer.idle
        return waiting or not at_work.serves(self.service.revision)


def bench(path: Path, story: Callable[[Bench], Awaitable[None]]) -> None:
    asyncio.run(_bench(path, story))


async def _bench(path: Path, story: Callable[[Bench], Awaitable[None]]) -> None:
    async with _opened(path) as opened:
        task = asyncio.create_task(opened.controller.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                await opened.controller.ready.wait()
            await story(opened)
        finally:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Bench]:
    service = await Service.open(open_log(path / "store.db"), registry.builtin())
    try:
        yield Bench(service)
    finally:
        await service.close()


def listener(port: int = 80) -> dict[str, Any]:
    return {"gatewayClassName": "gatehouse", "listeners": [{"name": "http", "port": port, "protocol": "HTTP"}]}


def route(path: str = "/") -> dict[str, Any]:
    match = {"path": {"type": "PathPrefix", "value": path}}
    return {
        "parentRefs": [{"name": "web"}],
        "rules": [{"matches": [match], "backendRefs": [{"name": "app", "port": 80}]}],
    }


def test_the_class_is_there_from_the_start(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.until(lambda: bench.conditions("GatewayClass", "gatehouse").get("Accepted") == "True Accepted")
        assert bench.get("GatewayClass", "gatehouse")["spec"]["controllerName"] == CONTROLLER_NAME

    bench(tmp_path, story)


def test_objects_become_a_snapshot_and_statuses_and_then_there_is_peace(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await bench.create("HTTPRoute", "app", route())
        good = "True Accepted"
        await bench.until(lambda: bench.conditions("HTTPRoute", "app").get("Accepted") == good)
        await bench.until(lambda: bench.conditions("Gateway", "web").get("Programmed") == "True Programmed")
        await bench.until(lambda: bench.get("Gateway", "web")["status"]["listeners"][0]["attachedRoutes"] == 1)
        assert bench.conditions("HTTPRoute", "app")["ResolvedRefs"] == "False BackendNotFound"
        await bench.create("Service", "app", {"ports": [{"port": 80}]})
        await bench.until(lambda: bench.conditions("HTTPRoute", "app")["ResolvedRefs"] == "True ResolvedRefs")
        assert list(bench.snapshots[-1].clusters) == ["service/default/app:80"]
        await bench.quiet()
        revision, snapshots = bench.service.revision, len(bench.snapshots)
        await asyncio.sleep(0.2)
        assert (bench.service.revision, len(bench.snapshots)) == (revision, snapshots)

    bench(tmp_path, story)


def test_what_cannot_be_translated_leaves_what_is_served_and_can_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the translator: one object that meets it ends neither the process nor the traffic."""

    def faulty(objects: Objects, surroundings: Surroundings, memo: Memo) -> Translation:
        translation = translate(objects, surroundings, memo)
        if objects.get("HTTPRoute", "default", "bad") is not None:
            raise ZeroDivisionError
        return translation

    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await bench.until(lambda: bench.conditions("Gateway", "web").get("Programmed") == "True Programmed")
        served = len(bench.snapshots)
        await bench.create("HTTPRoute", "bad", route())
        await bench.until(lambda: "cannot be translated" in caplog.text)
        assert len(bench.snapshots) == served
        await bench.service.delete(bench.target("HTTPRoute", "bad"), DeleteOptions())
        await bench.create("Gateway", "late", listener(81))
        await bench.until(lambda: bench.conditions("Gateway", "late").get("Programmed") == "True Programmed")
        assert [bind.key.port for bind in bench.snapshots[-1].binds] == [80, 81]

    monkeypatch.setattr("appliance.controller.loop.translate", faulty)
    bench(tmp_path, story)


def test_a_class_that_is_deleted_goes_with_the_last_gateway_that_uses_it(tmp_path: Path) -> None:
    """Until then it serves, and no status tells what is not so."""

    def finalizers(bench: Bench) -> list[str]:
        found: list[str] = bench.get("GatewayClass", "gatehouse")["metadata"].get("finalizers", [])
        return found

    def there(bench: Bench) -> bool:
        try:
            return bool(bench.get("GatewayClass", "gatehouse"))
        except StatusError as error:
            assert error.code == 404
            return False

    async def story(bench: Bench) -> None:
        for name, port in (("one", 80), ("two", 81)):
            await bench.create("Gateway", name, listener(port))
        await bench.until(lambda: finalizers(bench) == [FINALIZER])
        await bench.service.delete(bench.target("GatewayClass", "gatehouse"), DeleteOptions())
        await bench.service.delete(bench.target("Gateway", "one"), DeleteOptions())
        await bench.until(lambda: [bind.key.port for bind in bench.snapshots[-1].binds] == [81])
        await bench.quiet()
        assert finalizers(bench) == [FINALIZER]
        await bench.service.delete(bench.target("Gateway", "two"), DeleteOptions())
        await bench.until(lambda: not there(bench))

    bench(tmp_path, story)


def test_a_finalizer_that_the_store_refuses_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.controller.class_finalizers._RETRY_S", 0.001)
    refused: list[str] = []

    async def story(bench: Bench) -> None:
        replace = bench.service.replace

        async def full(target: Target, obj: Any, options: WriteOptions) -> Answer:
            if target.kind.name == "GatewayClass" and not target.subresource and len(refused) < 3:
                refused.append(target.name)
                raise StatusError(500, "InternalError", "the disk is full")
            return await replace(target, obj, options)

        monkeypatch.setattr(bench.service, "replace", full)
        await bench.create("Gateway", "one", listener())
        await bench.until(lambda: FINALIZER in bench.get("GatewayClass", "gatehouse")["metadata"].get("finalizers", []))
        assert refused == ["gatehouse"] * 3

    bench(tmp_path, story)


def test_a_class_that_no_gateway_uses_any_more_is_deleted_at_once(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "one", listener())

        def metadata() -> dict[str, Any]:
            found: dict[str, Any] = bench.get("GatewayClass", "gatehouse")["metadata"]
            return found

        await bench.until(lambda: FINALIZER in metadata().get("finalizers", []))
        await bench.service.delete(bench.target("Gateway", "one"), DeleteOptions())
        await bench.until(lambda: not metadata().get("finalizers"))
        await bench.service.delete(bench.target("GatewayClass", "gatehouse"), DeleteOptions())
        with pytest.raises(StatusError, match="not found"):
            bench.get("GatewayClass", "gatehouse")

    bench(tmp_path, story)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.taken = {8080}
        await bench.create("Gateway", "web", listener(8080))
        await bench.until(lambda: bench.conditions("Gateway", "web").get("Programmed") == "False NoResources")
        bench.taken = set()
        bench.controller.report(BindReport(bench.snapshots[-1].serial, bench.snapshots[-1].binds[0].key, True))
        await bench.until(lambda: bench.conditions("Gateway", "web").get("Programmed") == "True Programmed")

    bench(tmp_path, story)


def test_what_others_write_into_a_status(tmp_path: Path) -> None:
    """An entry of another controller stays, one of ours is put right."""

    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await bench.create("HTTPRoute", "app", route())
        await bench.until(lambda: bench.conditions("HTTPRoute", "app").get("Accepted") == "True Accepted")
        await bench.quiet()
        body = bench.get("HTTPRoute", "app")
        theirs = {**body["status"]["parents"][0], "controllerName": "example.com/other"}
        wrong = {"parents": [theirs, {**body["status"]["parents"][0], "conditions": [_wrong()]}]}
        await bench.service.replace(bench.target("HTTPRoute", "app", "status"), {**body, "status": wrong}, ME)
        await bench.until(lambda: bench.conditions("HTTPRoute", "app").get("Accepted") == "True Accepted")
        assert bench.get("HTTPRoute", "app")["status"]["parents"][0] == theirs
        patch = Patch("merge", {"spec": {"parentRefs": [{"name": "elsewhere"}]}})
        await bench.service.patch(bench.target("HTTPRoute", "app"), patch, ME)
        await bench.until(lambda: bench.get("HTTPRoute", "app")["status"]["parents"] == [theirs])

    bench(tmp_path, story)


def _wrong() -> dict[str, Any]:
    times = {"lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}
    return {"type": "Accepted", "status": "False", "reason": "Meddled", "message": "", **times}


def test_many_changes_at_once_end_in_the_last_state(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await asyncio.gather(*(bench.create("HTTPRoute", f"r{n}", route(f"/{n}")) for n in range(50)))
        await asyncio.gather(
            *(
                bench.service.delete(bench.target("HTTPRoute", f"r{n}"), DeleteOptions(manager="test"))
                for n in range(0, 50, 2)
            )
        )

        def attached() -> int | None:
            listeners: list[dict[str, int]] = bench.get("Gateway", "web").get("status", {}).get("listeners", [{}])
            return listeners[0].get("attachedRoutes")

        await bench.until(lambda: attached() == 25)
        hosts = bench.snapshots[-1].binds[0].listeners[0].hosts  # type: ignore[union-attr]
        assert len(hosts[0].rules) == 25
        serials = [snapshot.serial for snapshot in bench.snapshots]
        assert serials == sorted(set(serials))

    bench(tmp_path, story)
