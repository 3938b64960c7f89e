"""What compaction may forget and when."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque

import pytest

from store.log.compaction import SAMPLES, due, keep_compacted


@pytest.mark.parametrize(
    ("oldest", "revision", "keep", "before"),
    [
        (0, 50, 100, 0),
        (0, 5_000, 100, 0),
        (4_000, 5_000, 100, 4_000),
        (4_990, 5_000, 100, 4_900),
        (5_000, 5_000, 0, 5_000),
    ],
)
def test_the_last_revisions_and_the_last_while_are_kept(oldest: int, revision: int, keep: int, before: int) -> None:
    assert due(deque([oldest, *[revision] * SAMPLES]), revision, keep) == before


def test_nothing_is_forgotten_before_the_time_has_passed_once() -> None:
    assert due(deque([100] * SAMPLES), 100, 0) == 0


class FullLog:
    """A log whose first compaction fails."""

    def __init__(self) -> None:
        self.revision = 500
        self.asked: list[int] = []
        self.done = asyncio.Event()

    async def compact(self, before: int) -> None:
        self.asked.append(before)
        if len(self.asked) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        self.done.set()


def test_a_failed_compaction_is_tried_again() -> None:
    async def run() -> None:
        log = FullLog()
        task = asyncio.create_task(keep_compacted(log, 100, 0.01))
        await asyncio.wait_for(log.done.wait(), 30)
        task.cancel()
        assert log.asked == [400, 400]

    asyncio.run(run())
