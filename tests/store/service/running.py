"""A service on a log of its own, with the built-in kinds and a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from store.errors import StatusError
from store.kinds.registry import builtin
from store.log.database import open_log
from store.service import Service
from store.verbs import Answer, Collection, Event, Patch, PatchType, Target, WriteOptions
from store.watching import Watch

GATEWAY = {
    "gatewayClassName": "gatehouse",
    "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
}
GROUPS = {
    "Gateway": "gateway.networking.k8s.io",
    "GatewayClass": "gateway.networking.k8s.io",
    "HTTPRoute": "gateway.networking.k8s.io",
    "TLSRoute": "gateway.networking.k8s.io",
    "Lease": "coordination.k8s.io",
    "EndpointSlice": "discovery.k8s.io",
    "CustomResourceDefinition": "apiextensions.k8s.io",
}


class Clock:
    """A clock that stands still unless moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Bench:
    """A service under test and short words for what tests do with it."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock

    def all(self, kind: str, namespace: str = "", version: str = "", group: str | None = None) -> Collection:
        found = self.service.registry.by_name(GROUPS.get(kind, "") if group is None else group, kind)
        assert found is not None, kind
        return Collection(found, version or found.storage_version.name, namespace)

    def one(self, kind: str, name: str, namespace: str = "", subresource: str = "", version: str = "") -> Target:
        return self.all(kind, namespace, version).object(name, subresource=subresource)

    async def create(self, kind: str, name: str, namespace: str = "", *, manager: str = "test", **fields: Any) -> Any:
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"metadata": metadata, **fields}
        answer = await self.service.create(self.all(kind, namespace), body, WriteOptions(manager=manager))
        return orjson.loads(answer.value)

    def get(self, kind: str, name: str, namespace: str = "") -> Any:
        return orjson.loads(self.service.get(self.one(kind, name, namespace)))

    async def patch(
        self, target: Target, body: Any, type_: PatchType = "merge", manager: str = "test", force: bool = False
    ) -> Any:
        options = WriteOptions(manager=manager, force=force)
        return orjson.loads((await self.service.patch(target, Patch(type_, body), options)).value)

    async def gone(self, kind: str, name: str, namespace: str = "") -> None:
        """Wait until an object does not exist."""
        await self.until(lambda: self._missing(kind, name, namespace))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that background work brings about."""
        deadline = asyncio.get_running_loop().time() + 10
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, "did not happen in time"
            await asyncio.sleep(0.002)

    def _missing(self, kind: str, name: str, namespace: str) -> bool:
        try:
            self.get(kind, name, namespace)
        except StatusError as error:
            return error.code == 404
        return False


def with_service(folder: Path, work: Callable[[Bench], Awaitable[Any]], **options: Any) -> Any:
    """Run `work` on a service in a folder, and close it."""

    async def run() -> Any:
        clock = Clock()
        service = await Service.open(open_log(folder / "log.db", **options), builtin(), clock=clock)
        try:
            return await work(Bench(service, clock))
        finally:
            await service.close()

    return asyncio.run(run())


async def refused(writing: Awaitable[Any], code: int, reason: str, message: str = "") -> StatusError:
    """The refusal of a write, checked."""
    with pytest.raises(StatusError) as caught:
        await writing
    error = caught.value
    assert (error.code, error.reason) == (code, reason), error.message
    if message:
        assert error.message == message
    return error


async def events(watch: Watch, count: int) -> list[tuple[str, str, str]]:
    """The next events as (type, name, resourceVersion)."""
    found: list[Event] = []
    while len(found) < count:
        found.append(await asyncio.wait_for(anext(watch), 30))
    return [shown(event) for event in found]


def shown(event: Event) -> tuple[str, str, str]:
    """An event in short; its revision and its object's must agree."""
    metadata = orjson.loads(event.value)["metadata"]
    return event.type, metadata.get("name", ""), metadata["resourceVersion"]


def loads(answer: Answer) -> Any:
    """The object of an answer."""
    return orjson.loads(answer.value)
