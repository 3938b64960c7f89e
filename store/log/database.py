"""The log on SQLite: `open_log` and the `Log` it makes. One connection, one writer thread, one lock on the folder.

Compare-and-set writes come in; an append's future resolves after its commit is synced to disk and after its change was
handed to every watcher. This module owns threads and hand-over; statements are in `revisions`, the file in `tables`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from store.log import revisions, tables
from store.log.compaction import keep_compacted
from store.log.contract import Change, CompactedError, Key, LogFailedError, LogUnreadableError, Write
from store.log.lock import FolderLock
from store.log.writer import Append, Outcome, Writer

T = TypeVar("T")

REPLAY_LIMIT = 500
BACKLOG_LIMIT = 10_000
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def open_log(
    path: Path | str,
    *,
    quota_bytes: int | None = None,
    keep_revisions: int = 1_000,
    keep_s: float = 300.0,
) -> SqliteLog:
    """Open or create the log at `path` (its folder must exist); blocks while it reads the keys.

    quota_bytes: bound of the database file. keep_revisions, keep_s: what compaction always leaves.
    Raises LogInUseError (a second process), LogVersionError (a newer file), LogUnreadableError (damaged).
    """
    path = Path(path)
    lock = FolderLock(path.with_name(path.name + ".lock"))
    try:
        return SqliteLog(tables.connect(path, quota_bytes), lock, keep_revisions, keep_s)
    except (sqlite3.Error, OSError) as error:
        lock.release()
        damaged = isinstance(error, sqlite3.Error) and error.sqlite_errorcode in _DAMAGE
        raise LogUnreadableError(
            f"database {path} {'is damaged' if damaged else 'cannot be opened'} ({error})", damaged=damaged
        ) from error
    except BaseException:
        lock.release()
        raise


class SqliteLog:
    """See store.log.contract.Log; `revision` is the last one that watchers have been given."""

    def __init__(self, connection: sqlite3.Connection, lock: FolderLock, keep_revisions: int, keep_s: float) -> None:
        revision = revisions.last_revision(connection)
        live = {key: at for key, at, _ in revisions.live(connection, revision)}
        self.revision = revision
        self.floor = revisions.floor(connection)
        self._connection = connection
        self._lock = lock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._backlogs: list[_Backlog] = []
        self._closed = False
        self._writer = Writer(connection, revisions.Heads(live, revision), self._settled)
        self._keep_revisions = keep_revisions
        self._keep_s = keep_s
        self._compaction: asyncio.Task[None] | None = None

    async def append(self, write: Write) -> int:
        """Commit durably, return the revision. See the contract for errors."""
        future: asyncio.Future[int] = self._running().create_future()
        self._writer.submit(Append(write, future))
        return await future

    async def read(self, revision: int | None = None) -> tuple[int, Sequence[tuple[Key, int, bytes]]]:
        """All live objects as of a revision, with the revision that was read."""

        def job(connection: sqlite3.Connection) -> tuple[int, Sequence[tuple[Key, int, bytes]]]:
            at = revisions.last_revision(connection) if revision is None else revision
            if at < revisions.floor(connection):
                raise CompactedError(revisions.floor(connection))
            return at, list(revisions.live(connection, at))

        return await self._call(job)

    async def watch(self, after: int) -> AsyncIterator[Sequence[Change]]:
        """Batches of changes after a revision, first from the disk, then as they are committed.

        A consumer that lags by more than BACKLOG_LIMIT changes is served from the disk again.
        """
        self._running()
        backlog = _Backlog()
        self._backlogs.append(backlog)
        try:
            on_disk = self.revision
            while True:
                while after < on_disk:
                    if batch := await self._replay(after, on_disk):
                        yield batch
                    after = batch[-1].revision if batch else on_disk
                if live := await backlog.take():
                    yield live
                    after = live[-1].revision
                else:
                    on_disk = self.revision
        finally:
            self._backlogs.remove(backlog)

    async def compact(self, before: int) -> None:
        """Forget what changes below `before` replaced, in short transactions between which writes go on."""
        before = min(before, self.revision)
        while self.floor + 1 < before:
            until = min(before, self.floor + 1 + REPLAY_LIMIT)
            self.floor = await self._call(partial(_forget, start=self.floor + 1, before=until))

    async def close(self) -> None:
        """Finish what is under way, checkpoint, close."""
        if self._closed:
            return
        self._closed = True
        if self._compaction is not None:
            self._compaction.cancel()
            await asyncio.wait([self._compaction])
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._writer.stop()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._lock.release()

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop that this log belongs to: the first one that uses it."""
        if self._closed:
            raise LogFailedError("the log is closed")
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._compaction = self._loop.create_task(keep_compacted(self, self._keep_revisions, self._keep_s))
        return self._loop

    async def _replay(self, after: int, until: int) -> list[Change]:
        def job(connection: sqlite3.Connection) -> list[Change]:
            if after < (floor := revisions.floor(connection)):
                raise CompactedError(floor)
            return revisions.changes(connection, after, until, REPLAY_LIMIT)

        return await self._call(job)

    async def _call(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job on the writer thread, between transactions."""
        loop = self._running()
        future: asyncio.Future[T] = loop.create_future()

        def run(connection: sqlite3.Connection) -> None:
            try:
                result = job(connection)
            except Exception as error:
                loop.call_soon_threadsafe(_fail, future, error)
            else:
                loop.call_soon_threadsafe(_resolve, future, result)

        self._writer.submit(run)
        return await future

    def _settled(self, outcomes: Sequence[tuple[asyncio.Future[int], Outcome]]) -> None:
        """On the writer thread: carry the outcomes of a group over to the loop."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._deliver, outcomes)

    def _deliver(self, outcomes: Sequence[tuple[asyncio.Future[int], Outcome]]) -> None:
        """Watchers first, then whoever waits: a write answers once everybody could have seen it."""
        if changes := [outcome for _, outcome in outcomes if isinstance(outcome, Change)]:
            self.revision = changes[-1].revision
            for backlog in self._backlogs:
                backlog.put(changes)
        for future, outcome in outcomes:
            if isinstance(outcome, Change):
                _resolve(future, outcome.revision)
            else:
                _fail(future, outcome)


class _Backlog:
    """What was committed and not yet taken by one watcher; beyond the bound it is dropped and told so."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._overflowed = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, changes: Sequence[Change]) -> None:
        if self._overflowed or len(self._changes) + len(changes) > BACKLOG_LIMIT:
            self._changes, self._overflowed = [], True
        else:
            self._changes.extend(changes)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> list[Change]:
        """Wait for changes and take them all; an empty list: they were too many, read them from the disk."""
        while not self._changes and not self._overflowed:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        changes, self._changes, self._overflowed = self._changes, [], False
        return changes


def _forget(connection: sqlite3.Connection, start: int, before: int) -> int:
    """One slice of compaction; returns the new floor."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        revisions.forget(connection, start, before)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return revisions.floor(connection)


def _resolve(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
