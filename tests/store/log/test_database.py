"""The log on SQLite: compare-and-set, order, durability, refusals, compaction."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from store.log.contract import (
    Change,
    CompactedError,
    ConflictError,
    Key,
    LogFullError,
    LogInUseError,
    LogUnreadableError,
    LogVersionError,
    Write,
)
from store.log.database import SqliteLog, open_log

A, B = Key("things", "here", "a"), Key("things", "here", "b")


def body(text: str = "") -> tuple[bytes, bytes]:
    return b'{"revision":"', b'","text":"%b"}' % text.encode()


def value(revision: int, text: str = "") -> bytes:
    head, tail = body(text)
    return head + str(revision).encode() + tail


def with_log(folder: Path, work: Callable[[SqliteLog], Awaitable[Any]], **options: Any) -> Any:
    """Run `work` with a log in a folder, and close it."""

    async def run() -> Any:
        log = open_log(folder / "log.db", **options)
        try:
            return await work(log)
        finally:
            await log.close()

    return asyncio.run(run())


async def collect(log: SqliteLog, after: int, until: int) -> list[Change]:
    """The changes with after < revision <= until, as a watcher sees them."""
    seen: list[Change] = []
    async with aclosing(log.watch(after)) as batches:  # type: ignore[type-var]
        while not seen or seen[-1].revision < until:
            seen.extend(await asyncio.wait_for(anext(batches), 30))
    return seen


def test_revisions_are_consecutive_and_stand_in_the_value(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        assert [await log.append(Write(key, 0, body())) for key in (A, B)] == [1, 2]
        assert await log.read() == (2, [(A, 1, value(1)), (B, 2, value(2))])

    with_log(tmp_path, work)


@pytest.mark.parametrize(
    ("write", "current"),
    [
        (Write(A, 0, body()), 1),
        (Write(A, 7, body()), 1),
        (Write(A, 7, None), 1),
        (Write(B, 1, body()), 0),
        (Write(B, None, None), 0),
    ],
)
def test_a_write_with_wrong_expectations_changes_nothing(tmp_path: Path, write: Write, current: int) -> None:
    async def work(log: SqliteLog) -> None:
        await log.append(Write(A, 0, body()))
        with pytest.raises(ConflictError) as conflict:
            await log.append(write)
        assert conflict.value.current == current
        assert await log.read() == (1, [(A, 1, value(1))])
        assert await log.append(Write(B, 0, body())) == 2

    with_log(tmp_path, work)


def test_one_of_many_concurrent_writers_wins_each_revision(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        current = await log.append(Write(A, 0, body()))
        for _ in range(5):
            outcomes = await asyncio.gather(
                *(log.append(Write(A, current, body(str(i)))) for i in range(20)), return_exceptions=True
            )
            won = [outcome for outcome in outcomes if isinstance(outcome, int)]
            assert won == [current + 1]
            assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 19
            current = won[0]

    with_log(tmp_path, work)


def test_a_watch_tells_states_before_and_after(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        first = await log.append(Write(A, 0, body("x")))
        second = await log.append(Write(A, first, body("y")))
        third = await log.append(Write(A, None, None))
        fourth = await log.append(Write(A, 0, body("z")))
        expected = [
            Change(1, A, value(1, "x"), None, 0),
            Change(2, A, value(2, "y"), value(1, "x"), first),
            Change(3, A, None, value(2, "y"), second),
            Change(4, A, value(4, "z"), None, 0),
        ]
        assert await collect(log, 0, fourth) == expected
        assert await collect(log, second, fourth) == expected[2:]
        assert third == 3

    with_log(tmp_path, work)


def test_a_watch_that_begins_during_writes_misses_nothing(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        async def write(worker: int) -> None:
            for i in range(40):
                await log.append(Write(Key("things", "", f"{worker}-{i}"), 0, body()))

        writers = [asyncio.create_task(write(worker)) for worker in range(8)]
        watchers = []
        for _ in range(5):
            await asyncio.sleep(0.002)
            watchers.append(asyncio.create_task(collect(log, 0, 320)))
        await asyncio.gather(*writers)
        for seen in await asyncio.gather(*watchers):
            assert [change.revision for change in seen] == list(range(1, 321))

    with_log(tmp_path, work)


def test_a_watcher_that_lags_too_far_is_served_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.log.database.BACKLOG_LIMIT", 10)

    async def work(log: SqliteLog) -> None:
        await log.append(Write(A, 0, body()))
        async with aclosing(log.watch(0)) as batches:  # type: ignore[type-var]
            seen = [change.revision for change in await anext(batches)]
            following = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            for i in range(50):
                await log.append(Write(Key("things", "", str(i)), 0, body()))
            seen += [change.revision for change in await following]
            while seen[-1] < 51:
                seen += [change.revision for change in await anext(batches)]
            assert seen == list(range(1, 52))

    with_log(tmp_path, work)


def test_older_states_can_be_read_until_they_are_compacted(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        await log.append(Write(A, 0, body("1")))
        await log.append(Write(B, 0, body("1")))
        await log.append(Write(A, 1, body("2")))
        await log.append(Write(B, 2, None))
        await log.append(Write(A, 3, body("3")))
        assert await log.read(2) == (2, [(A, 1, value(1, "1")), (B, 2, value(2, "1"))])
        assert await log.read(4) == (4, [(A, 3, value(3, "2"))])
        await log.compact(5)
        assert await log.read(4) == (4, [(A, 3, value(3, "2"))])
        for lost in (1, 3):
            with pytest.raises(CompactedError) as compacted:
                await log.read(lost)
            assert compacted.value.oldest == 4
            with pytest.raises(CompactedError):
                await collect(log, lost, 5)
        assert await collect(log, 4, 5) == [Change(5, A, value(5, "3"), value(3, "2"), 3)]

    with_log(tmp_path, work)


def test_compaction_survives_a_restart_and_no_revision_is_given_twice(tmp_path: Path) -> None:
    async def write(log: SqliteLog) -> None:
        await log.append(Write(A, 0, body()))
        await log.append(Write(A, 1, None))
        await log.append(Write(B, 0, body()))
        await log.append(Write(B, 3, None))
        await log.compact(10)

    async def again(log: SqliteLog) -> None:
        assert log.floor == 3
        assert await log.read() == (4, [])
        assert await log.append(Write(A, 0, body())) == 5

    with_log(tmp_path, write)
    with_log(tmp_path, again)


def test_a_full_quota_refuses_writes_keeps_reads_and_ends_when_there_is_room(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        revision = await log.append(Write(A, 0, body()))
        with pytest.raises(LogFullError):
            for _ in range(1_000):
                revision = await log.append(Write(A, revision, body("x" * 4_000)))
        assert (await log.read())[1] == [(A, revision, value(revision, "x" * 4_000))]
        await log.compact(revision)
        assert await log.append(Write(A, revision, body("y" * 4_000))) == revision + 1

    with_log(tmp_path, work, quota_bytes=400_000)


def test_one_write_that_does_not_fit_fails_alone(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        large = Write(Key("things", "", "large"), 0, body("x" * 500_000))
        outcomes = await asyncio.gather(
            *(log.append(write) for write in (Write(A, 0, body()), large, Write(B, 0, body()))), return_exceptions=True
        )
        assert isinstance(outcomes[1], LogFullError)
        assert outcomes[::2] == [1, 2]
        assert [key for key, _, _ in (await log.read())[1]] == [A, B]

    with_log(tmp_path, work, quota_bytes=200_000)


def test_the_file_is_private_and_readable_with_sqlite(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        await log.append(Write(A, 0, body("x")))
        await log.append(Write(B, 0, body("x")))
        await log.append(Write(B, 2, None))
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        reader = sqlite3.connect(f"file:{tmp_path / 'log.db'}?mode=ro", uri=True)
        rows = reader.execute("SELECT name, json_extract(value, '$.text') FROM objects").fetchall()
        reader.close()
        assert rows == [("a", "x")]

    with_log(tmp_path, work)


def test_a_second_opener_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        with pytest.raises(LogInUseError, match=f"{tmp_path} is in use by process {os.getpid()}$"):
            open_log(tmp_path / "log.db")

    with_log(tmp_path, work)
    with_log(tmp_path, lambda log: log.read())


def test_a_newer_file_is_refused_with_both_versions(tmp_path: Path) -> None:
    with_log(tmp_path, lambda log: log.append(Write(A, 0, body())))
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(LogVersionError, match=r"schema version 9, this program knows version 1: a newer Gatehouse"):
        open_log(tmp_path / "log.db")
    # The refusal left the folder free.
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert len(with_log(tmp_path, lambda log: log.read())[1]) == 1


KILLED = """
import asyncio, sys
from store.log.contract import Key, LogUnreadableError, Write
from store.log.database import open_log

async def main():
    log = open_log(sys.argv[1])
    async def write(worker):
        for i in range(100_000):
            revision = await log.append(Write(Key("things", str(worker), str(i)), 0, (b'{"revision":"', b'"}')))
            print(worker, i, revision, flush=True)
    await asyncio.gather(*(write(worker) for worker in range(8)))

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    for _ in range(3):
        path = tmp_path / "log.db"
        path.unlink(missing_ok=True)
        root = Path(__file__).parents[3]
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        revision, objects = with_log(tmp_path, lambda log: log.read())
        found = {(key.namespace, key.name): at for key, at, _ in objects}
        for line in acknowledged:
            if line.endswith("\n"):
                worker, i, at = line.split()
                assert found[worker, i] == int(at)
        assert sorted(found.values()) == list(range(1, revision + 1))
        for name in ("log.db-wal", "log.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)


def test_a_damaged_file_is_told_from_one_out_of_reach(tmp_path: Path) -> None:
    damaged, folder = tmp_path / "damaged.db", tmp_path / "folder.db"
    damaged.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    folder.mkdir()
    for path, is_damage in ((damaged, True), (folder, False)):
        with pytest.raises(LogUnreadableError, match=str(path)) as caught:
            open_log(path)
        assert caught.value.damaged is is_damage
