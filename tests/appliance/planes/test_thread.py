from __future__ import annotations

import asyncio
import threading

import pytest

from appliance.planes.thread import PlaneThread


def test_a_plane_that_fails_hands_over_its_exception() -> None:
    async def fail() -> None:
        raise RuntimeError("the plane fell")

    async def own() -> None:
        thread = PlaneThread("plane", fail)
        thread.start()
        with pytest.raises(RuntimeError, match="the plane fell"):
            await thread.ended

    asyncio.run(own())


def test_a_plane_runs_on_a_loop_of_its_own_in_its_own_thread() -> None:
    seen: list[tuple[str, int]] = []

    async def note() -> None:
        seen.append((threading.current_thread().name, id(asyncio.get_running_loop())))

    async def own() -> None:
        thread = PlaneThread("plane", note)
        thread.start()
        await thread.ended
        assert seen[0][0] == "plane"
        assert seen[0][1] != id(asyncio.get_running_loop())

    asyncio.run(own())
