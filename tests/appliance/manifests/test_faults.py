"""An object over which the store stumbles, without a refusal, keeps nothing else in the folder from being applied."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from store.kinds.registry import Registry
from store.service import Service
from store.verbs import Answer, Collection, ListOptions, Patch, Target, WriteOptions
from tests.appliance.manifests.lives import World
from tests.appliance.manifests.test_cut_short import config_map


def files_of(service: Service, registry: Registry) -> list[dict[str, Any]]:
    kind = registry.by_name("gatehouse.dev", "ManifestFile")
    assert kind is not None
    items = service.list(Collection(kind, kind.storage_version.name), ListOptions()).items
    return [json.loads(item)["status"] for item in items]


def test_a_fault_over_one_object_is_told_and_the_others_are_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    patch = Service.patch

    async def stumbling(self: Service, target: Target, change: Patch, options: WriteOptions = WriteOptions()) -> Answer:
        if target.name == "odd":
            raise TypeError("'int' object is not iterable")
        return await patch(self, target, change, options)

    monkeypatch.setattr(Service, "patch", stumbling)
    world = World(tmp_path / "folder", tmp_path / "data")
    world.hold({"a.yaml": config_map("odd", k="1") + config_map("good", k="1"), "b.yaml": config_map("too", k="1")})
    statuses: list[dict[str, Any]] = []

    async def look(service: Service) -> None:
        statuses.extend(files_of(service, service.registry))

    async def lives() -> dict[str, Any]:
        assert await world.live()
        assert await world.live()
        await world.visit(look)
        return await world.settled()

    found = asyncio.run(lives())
    assert {name for name in found if name.startswith("ConfigMap")} == {"ConfigMap good", "ConfigMap too"}
    (problem,) = [problem for status in statuses for problem in status.get("problems") or ()]
    assert (problem["object"], problem["line"]) == ("ConfigMap default/odd", 2)
    assert "a fault of the appliance" in problem["message"]
    assert "'int' object is not iterable" in caplog.text
