"""The writer: one thread that owns the connection, and commits whatever queued up while the last commit synced.

Writes and reading jobs come in by a queue; outcomes go out by callbacks on that thread. It knows no event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from store.log import revisions
from store.log.contract import Change, ConflictError, LogFailedError, LogFullError, Write

GROUP_LIMIT = 256

Outcome = Change | Exception


@dataclass(frozen=True, slots=True)
class Append:
    """A write under way; ticket, a future of its event loop, is handed back with its outcome, untouched here."""

    write: Write
    ticket: asyncio.Future[int]


Job = Callable[[sqlite3.Connection], None]
Settled = Callable[[Sequence[tuple[asyncio.Future[int], Outcome]]], None]


class Writer:
    """settled: called on the writer thread after each commit, with the outcomes of its group in revision order."""

    def __init__(self, connection: sqlite3.Connection, heads: revisions.Heads, settled: Settled) -> None:
        self._connection = connection
        self._heads = heads
        self._settled = settled
        self._waiting: list[Append | Job] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="store-log", daemon=True)
        self._thread.start()

    def submit(self, item: Append | Job) -> None:
        """Queue a write or a job. Jobs see every write queued before them."""
        with self._changed:
            self._waiting.append(item)
            self._changed.notify()

    def stop(self) -> None:
        """Finish what is queued and end the thread; blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while items := self._take():
            for are_appends, run in groupby(items, lambda item: isinstance(item, Append)):
                if are_appends:
                    self._append([item for item in run if isinstance(item, Append)])
                else:
                    for job in run:
                        if not isinstance(job, Append):
                            job(self._connection)

    def _take(self) -> list[Append | Job]:
        """Everything that waits; nothing only at the end."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            items, self._waiting = self._waiting, []
            return items

    def _append(self, appends: list[Append]) -> None:
        for start in range(0, len(appends), GROUP_LIMIT):
            self._settled(self._commit(appends[start : start + GROUP_LIMIT]))

    def _commit(self, group: list[Append]) -> list[tuple[asyncio.Future[int], Outcome]]:
        try:
            return self._transaction(group)
        except Exception as error:  # whatever it was, the thread must live and the writer must hear of it
            self._undo()
            if len(group) == 1:
                return [(group[0].ticket, _refusal(error))]
        # One write too large for the room that is left must not fail its neighbours.
        return [outcome for append in group for outcome in self._commit([append])]

    def _transaction(self, group: list[Append]) -> list[tuple[asyncio.Future[int], Outcome]]:
        outcomes: list[tuple[asyncio.Future[int], Outcome]] = []
        self._connection.execute("BEGIN IMMEDIATE")
        for append in group:
            try:
                outcomes.append((append.ticket, revisions.insert(self._connection, self._heads, append.write)))
            except ConflictError as conflict:
                outcomes.append((append.ticket, conflict))
        self._connection.execute("COMMIT")
        self._heads.commit()
        return outcomes

    def _undo(self) -> None:
        self._heads.rollback()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _refusal(error: Exception) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return LogFullError("the disk or the quota of the database is full")
    return LogFailedError(f"the database failed: {error}")
