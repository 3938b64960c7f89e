"""The service against a simple model: any order of verbs gives the same objects, and a watch tells every step."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import StatusError
from store.verbs import DeleteOptions, WatchOptions
from tests.store.service.running import Bench, with_service

NAMES = ("a", "b", "c")
STEPS = st.tuples(
    st.sampled_from(("create", "patch", "replace", "stale", "hold", "release", "delete")),
    st.sampled_from(NAMES),
    st.integers(0, 3),
)


class Model:
    """What should exist: name -> (value, held, deleting)."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[int, bool, bool]] = {}

    def step(self, verb: str, name: str, value: int) -> int:
        """Carry a verb out; the status code that the service should answer with."""
        state = self.objects.get(name)
        if verb == "create":
            if state is not None:
                return 409
            self.objects[name] = (value, False, False)
            return 200
        if state is None:
            return 404
        old, held, deleting = state
        if verb == "stale":
            return 409
        if verb in ("patch", "replace"):
            self.objects[name] = (value, held, deleting)
        elif verb == "hold":
            if deleting:
                return 200 if held else 422
            self.objects[name] = (old, True, deleting)
        elif verb == "release":
            self.objects[name] = (old, False, deleting)
            if deleting:
                del self.objects[name]
        elif held:
            self.objects[name] = (old, True, True)
        else:
            del self.objects[name]
        return 200


async def carry_out(bench: Bench, verb: str, name: str, value: int) -> int:
    target = bench.one("ConfigMap", name, "default")
    data = {"v": str(value)}
    try:
        match verb:
            case "create":
                await bench.create("ConfigMap", name, "default", data=data)
            case "patch":
                await bench.patch(target, {"data": data})
            case "replace":
                await bench.service.replace(target, bench.get("ConfigMap", name, "default") | {"data": data})
            case "stale":
                await bench.patch(target, {"metadata": {"resourceVersion": "1"}, "data": data})
            case "hold":
                await bench.patch(target, {"metadata": {"finalizers": ["example.com/hold"]}})
            case "release":
                await bench.patch(target, {"metadata": {"finalizers": None}})
            case "delete":
                await bench.service.delete(target, DeleteOptions())
    except StatusError as error:
        return error.code
    return 200


def shown(obj: Any) -> tuple[int, bool, bool]:
    metadata = obj["metadata"]
    return int(obj["data"]["v"]), bool(metadata.get("finalizers")), "deletionTimestamp" in metadata


@settings(max_examples=25)
@given(st.lists(STEPS, max_size=25))
def test_any_order_of_verbs(steps: list[tuple[str, str, int]]) -> None:
    async def work(bench: Bench) -> None:
        model = Model()
        everything = bench.all("ConfigMap")
        watch = bench.service.watch(everything, WatchOptions(resource_version=str(bench.service.revision)))
        for verb, name, value in steps:
            assert await carry_out(bench, verb, name, value) == model.step(verb, name, value), (verb, name)
        found = [orjson.loads(item) for item in bench.service.list(everything).items]
        assert {obj["metadata"]["name"]: shown(obj) for obj in found} == model.objects
        bench.service._current.hub.end()
        told: dict[str, Any] = {}
        async for event in watch:
            obj = orjson.loads(event.value)
            name = obj["metadata"]["name"]
            assert (name in told) == (event.type != "ADDED")
            told.pop(name, None)
            if event.type != "DELETED":
                told[name] = obj
        assert sorted(told.values(), key=lambda obj: obj["metadata"]["name"]) == found
        await asyncio.sleep(0)

    with tempfile.TemporaryDirectory() as folder:
        with_service(Path(folder), work)
