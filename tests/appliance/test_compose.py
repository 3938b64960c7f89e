"""The end of the whole: what goes wrong in it is said."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from appliance import compose
from appliance.planes.control import ControlPlane
from appliance.planes.thread import PlaneThread


class Control:
    """A control plane that is asked to stop, and then does what a test wants."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    def stop(self) -> None:
        self.stopped.set()


@pytest.mark.parametrize(
    ("error", "words"), [(None, ""), (OSError("no space left on device"), "the control plane failed while it ended")]
)
def test_a_control_plane_that_fails_while_it_ends_is_not_passed_over(
    error: Exception | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def own() -> None:
        loop, control = asyncio.get_running_loop(), Control()

        async def live() -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(control.stopped.wait(), loop))
            if error is not None:
                raise error

        thread = PlaneThread("control", live)
        thread.start()
        await compose.end(cast(ControlPlane, control), thread)
        assert thread.ended.done()

    asyncio.run(own())
    assert [record.message for record in caplog.records] == ([words] if words else [])
    if error is not None:
        assert str(error) in caplog.text


def test_a_control_plane_that_does_not_end_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compose, "CONTROL_STOP_S", 0.05)

    async def own() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        async def live() -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(over.wait(), loop))

        thread = PlaneThread("control", live)
        thread.start()
        await compose.end(cast(ControlPlane, Control()), thread)
        over.set()
        await thread.ended

    asyncio.run(own())
    assert "has not ended within 0.05 s" in caplog.text


def test_what_had_failed_before_is_told_by_whoever_waited_for_it(caplog: pytest.LogCaptureFixture) -> None:
    async def own() -> None:
        async def fall() -> None:
            raise RuntimeError("the plane fell")

        thread = PlaneThread("control", fall)
        thread.start()
        await asyncio.wait({thread.ended})
        await compose.end(cast(ControlPlane, Control()), thread)

    asyncio.run(own())
    assert not caplog.records
