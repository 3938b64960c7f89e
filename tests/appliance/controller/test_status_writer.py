"""Statuses that are written: what was last seen of objects may lag behind the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.controller.status_writer import StatusWriter
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key
from store.errors import StatusError
from store.kinds import registry
from store.log.database import open_log
from store.service import Service
from store.verbs import Answer, Collection, Patch, Target, WriteOptions

KEY = Key("GatewayClass", "", "blue")
ME = WriteOptions(manager="test")
DEADLINE_S = 30.0


class Bench:
    """A store with one GatewayClass, and a writer that sees of it what the test lets it see.

    refused: the codes of its writes that the store refused.
    """

    def __init__(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        kind = service.registry.by_name(GATEWAY_GROUP, "GatewayClass")
        assert kind is not None
        self.service = service
        self.target = Target(kind, "v1", "", KEY.name)
        self.latest: dict[Key, bytes] = {}
        self.refused: list[int] = []
        self.writer = StatusWriter(service, self.latest)
        replace = service.replace

        async def observed(*args: Any) -> Answer:
            try:
                return await replace(*args)
            except StatusError as error:
                self.refused.append(error.code)
                raise

        monkeypatch.setattr(service, "replace", observed)

    def see(self) -> None:
        """What the store holds comes in."""
        self.latest[KEY] = self.service.get(self.target)
        self.writer.look_again((KEY,))

    def want(self, reason: str) -> None:
        condition = {"type": "Accepted", "status": "True", "reason": reason, "message": "", "observedGeneration": 1}
        self.writer.want({KEY: Status(KEY, 1, {"conditions": [condition]})})

    def reason(self) -> str:
        status = json.loads(self.service.get(self.target)).get("status") or {}
        return next((c["reason"] for c in status.get("conditions") or () if c["type"] == "Accepted"), "")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                await asyncio.sleep(0.005)

    async def written(self, reason: str) -> None:
        await self.until(lambda: self.reason() == reason and self.writer.idle)

    async def touch(self) -> None:
        """Somebody else writes."""
        await self.service.patch(self.target, Patch("merge", {"metadata": {"labels": {"touched": "yes"}}}), ME)


def bench(path: Path, monkeypatch: pytest.MonkeyPatch, story: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        service = await Service.open(open_log(path / "store.db"), registry.builtin())
        try:
            bench = Bench(service, monkeypatch)
            body = {
                "apiVersion": f"{GATEWAY_GROUP}/v1",
                "kind": "GatewayClass",
                "metadata": {"name": KEY.name},
                "spec": {"controllerName": "example.com/test"},
            }
            await service.create(Collection(bench.target.kind, "v1"), body, ME)
            bench.see()
            task = asyncio.create_task(bench.writer.run())
            try:
                await story(bench)
            finally:
                task.cancel()
                await asyncio.wait([task])
        finally:
            await service.close()

    asyncio.run(run())


def test_its_own_write_that_has_not_come_back_yet_is_no_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: Bench) -> None:
        for reason in ("First", "Second", "Third"):
            bench.want(reason)
            await bench.written(reason)
        assert bench.refused == []
        bench.see()
        bench.want("Fourth")
        await bench.written("Fourth")
        assert bench.refused == []

    bench(tmp_path, monkeypatch, story)


def test_a_write_of_somebody_else_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bench: Bench) -> None:
        bench.want("First")
        await bench.written("First")
        await bench.touch()
        bench.want("Second")
        await bench.until(lambda: 409 in bench.refused)
        bench.see()
        await bench.written("Second")
        assert json.loads(bench.service.get(bench.target))["metadata"]["labels"] == {"touched": "yes"}

    bench(tmp_path, monkeypatch, story)


@pytest.mark.parametrize("gone", [False, True])
def test_a_refusal_is_forgotten_when_there_is_nothing_left_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    """Or each later one would be waited for longer, and those of objects that are gone would pile up."""

    async def story(bench: Bench) -> None:
        bench.want("First")
        await bench.written("First")
        await bench.touch()
        bench.want("Second")
        await bench.until(lambda: 409 in bench.refused)
        if gone:
            await bench.service.delete(bench.target)
            del bench.latest[KEY]
            bench.writer.look_again((KEY,))
        else:
            bench.want("First")
            bench.see()
        await bench.until(lambda: bench.writer.idle)
        assert not bench.writer._attempts
        assert not bench.writer._written

    bench(tmp_path, monkeypatch, story)
