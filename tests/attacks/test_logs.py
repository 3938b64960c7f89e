"""Logs that cannot be written: traffic goes on, what is lost is counted, and the end comes in time."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from proxy.options import ProxyOptions
from tests.attacks.capturing import stage
from tests.proxy.gateway import eventually, run

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_full_disk_costs_lines_and_no_requests() -> None:
    async def test() -> None:
        async with stage(options=ProxyOptions(access_log="/dev/full")) as staged:
            for _ in range(20):
                assert b"200 OK" in await staged.say(GET)
            await eventually(lambda: staged.gate.proxy.metrics.log_dropped() == 20)

    run(test)


def test_a_blocked_pipe_costs_lines_and_no_requests(tmp_path: Path) -> None:
    """Nobody reads the pipe: it fills up, then the queue does; then lines are lost and counted."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    os.set_blocking(reader, False)

    async def test() -> None:
        async with stage(options=ProxyOptions(access_log=str(pipe), access_log_limit=50)) as staged:
            while not staged.gate.proxy.metrics.log_dropped():
                assert (await staged.say(GET * 100)).count(b"200 OK") == 100
            began = time.monotonic()
            await staged.gate.proxy.drain(0.1)
            assert time.monotonic() - began < 15
            os.close(reader)  # the blocked write fails now, and its thread ends

    run(test)


@pytest.mark.parametrize("moves", [5])
def test_reopening_under_traffic_loses_no_line(moves: int, tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def test() -> None:
        async with stage(options=ProxyOptions(access_log=str(log))) as staged:
            for number in range(moves):
                asked = [asyncio.ensure_future(staged.say(GET)) for _ in range(20)]
                log.rename(tmp_path / f"access.log.{number}")
                staged.gate.proxy.reopen_logs()
                await asyncio.gather(*asked)
                await eventually(log.exists)

    run(test)
    assert sum(path.read_text().count("\n") for path in tmp_path.glob("access.log*")) == moves * 20
