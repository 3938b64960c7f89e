"""The endpoints controller on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson

from appliance.controller.endpoints import EndpointsController
from store.kinds.registry import builtin
from store.log.database import open_log
from store.service import Service
from store.verbs import Collection, Target

LIMIT_S = 30.0
Json = dict[str, Any]


class Store:
    """A store with the controller beside it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def at(self, group: str, plural: str) -> Collection:
        kind = self.service.registry.find(group, plural)
        assert kind is not None
        return Collection(kind, "v1", "default")

    def pod(self, name: str, subresource: str = "") -> Target:
        return self.at("", "pods").object(name, subresource=subresource)

    async def make_pod(self, name: str, ip: str) -> None:
        metadata = {"name": name, "labels": {"app": "web"}}
        spec = {"containers": [{"name": "web", "image": "web"}]}
        body = orjson.loads(
            (await self.service.create(self.at("", "pods"), {"metadata": metadata, "spec": spec})).value
        )
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": self.service.now()}
        body["status"] = {"phase": "Running", "podIPs": [{"ip": ip}], "conditions": [ready]}
        await self.service.replace(self.pod(name, "status"), body)

    def slices(self) -> list[Json]:
        return [orjson.loads(item) for item in self.service.list(self.at("discovery.k8s.io", "endpointslices")).items]

    def addresses(self) -> list[str]:
        return sorted(a for piece in self.slices() for e in piece["endpoints"] for a in e["addresses"])

    async def until(self, expected: list[str]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.addresses() != expected:
                await asyncio.sleep(0.01)


def run(path: Path, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def play() -> None:
        service = await Service.open(open_log(path / "store.db"), builtin(serve_workloads=True))
        controller = asyncio.create_task(EndpointsController(service).run())
        try:
            await scenario(Store(service))
            assert not controller.done()
        finally:
            controller.cancel()
            await asyncio.wait([controller])
            await service.close()

    asyncio.run(play())


SERVICE: Json = {
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 3000}]},
}


def test_endpoints_follow_pods_and_services(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.make_pod("a", "10.0.0.1")
        await store.service.create(store.at("", "services"), SERVICE)
        await store.until(["10.0.0.1"])
        await store.make_pod("b", "10.0.0.2")
        await store.until(["10.0.0.1", "10.0.0.2"])
        assert len(store.slices()) == 1
        await store.service.delete(store.pod("a"))
        await store.until(["10.0.0.2"])
        await store.service.delete(store.at("", "services").object("web"))
        await store.until([])

    run(tmp_path, scenario)


def test_pods_that_come_together_share_a_slice(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.service.create(store.at("", "services"), SERVICE)
        await asyncio.gather(*(store.make_pod(f"p{n}", f"10.0.0.{n + 1}") for n in range(20)))
        await store.until(sorted(f"10.0.0.{n + 1}" for n in range(20)))
        assert len(store.slices()) == 1

    run(tmp_path, scenario)


def test_slices_of_others_are_left_alone(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        theirs = {
            "metadata": {"name": "web-theirs", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.9.9.9"]}],
        }
        await store.service.create(store.at("discovery.k8s.io", "endpointslices"), theirs)
        await store.service.create(store.at("", "services"), SERVICE)
        await store.make_pod("a", "10.0.0.1")
        await store.until(["10.0.0.1", "10.9.9.9"])
        await store.service.delete(store.pod("a"))
        await store.until(["10.9.9.9"])

    run(tmp_path, scenario)


def test_a_slice_that_is_refused_is_tried_again(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.service.create(store.at("", "services"), SERVICE)
        await store.make_pod("link-local", "169.254.1.1")
        await store.make_pod("b", "10.0.0.2")
        await store.service.delete(store.pod("link-local"))
        await store.until(["10.0.0.2"])

    run(tmp_path, scenario)
