"""The statements of the log: what a group of writes inserts, what a revision looked like, what compaction forgets.

Plain functions over one SQLite connection that belongs to the writer thread; no threads, no event loop here.

A row is a change. `previous_revision` points at the row it replaced (0: none), so that a change can be told with the
state before it; a row is forgotten once the row that replaced it is itself below the compaction floor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from store.log.contract import Change, ConflictError, Key, Write

INSERT = "INSERT INTO log (revision, resource, namespace, name, value, previous_revision) VALUES (?, ?, ?, ?, ?, ?)"

CHANGES = """
SELECT log.revision, log.resource, log.namespace, log.name, log.value, before.value, log.previous_revision
FROM log LEFT JOIN log AS before ON before.revision = log.previous_revision
WHERE log.revision > ? AND log.revision <= ? ORDER BY log.revision LIMIT ?
"""

LIVE = """
SELECT resource, namespace, name, max(revision), value
FROM log WHERE revision <= ? GROUP BY resource, namespace, name
"""

FORGET = """
DELETE FROM log WHERE revision IN (
    SELECT previous_revision FROM log WHERE revision >= ?1 AND revision < ?2
) OR (revision >= ?1 AND revision < ?2 AND value IS NULL)
"""


class Heads:
    """The current revision of every live key, with the uncommitted writes of the group under way laid over it."""

    def __init__(self, committed: dict[Key, int], revision: int) -> None:
        self.revision = revision
        self._committed = committed
        self._pending: dict[Key, int] = {}
        self._next = revision

    def current(self, key: Key) -> int:
        """The revision of the key, 0 when it does not exist."""
        pending = self._pending.get(key)
        return self._committed.get(key, 0) if pending is None else pending

    def advance(self, key: Key, live: bool) -> int:
        """Give the key the next revision (or take the key away) and return that revision."""
        self._next += 1
        self._pending[key] = self._next if live else 0
        return self._next

    @property
    def next(self) -> int:
        """The revision that the next write will get."""
        return self._next + 1

    def commit(self) -> None:
        """The group lasts."""
        for key, revision in self._pending.items():
            if revision:
                self._committed[key] = revision
            else:
                self._committed.pop(key, None)
        self._pending.clear()
        self.revision = self._next

    def rollback(self) -> None:
        """The group never was."""
        self._pending.clear()
        self._next = self.revision


def insert(connection: sqlite3.Connection, heads: Heads, write: Write) -> Change:
    """Write one change inside the open transaction. Raises ConflictError (nothing written) or sqlite3.Error."""
    key = write.key
    current = heads.current(key)
    if write.expected is not None and write.expected != current:
        raise ConflictError(key, current)
    if write.value is None and not current:
        raise ConflictError(key, 0)
    previous: bytes | None = None
    if current:
        previous = connection.execute("SELECT value FROM log WHERE revision = ?", (current,)).fetchone()[0]
    value: bytes | None = None
    if write.value is not None:
        value = b"%b%d%b" % (write.value[0], heads.next, write.value[1])
    text = None if value is None else value.decode()
    connection.execute(INSERT, (heads.next, key.resource, key.namespace, key.name, text, current))
    return Change(heads.advance(key, value is not None), key, value, previous, current)


def changes(connection: sqlite3.Connection, after: int, until: int, limit: int) -> list[Change]:
    """At most `limit` changes with after < revision <= until, in order."""
    return [
        Change(revision, Key(_text(resource), _text(namespace), _text(name)), value, previous, previous_revision)
        for revision, resource, namespace, name, value, previous, previous_revision in connection.execute(
            CHANGES, (after, until, limit)
        )
    ]


def live(connection: sqlite3.Connection, revision: int) -> Iterator[tuple[Key, int, bytes]]:
    """Every object as of a revision."""
    for resource, namespace, name, at, value in connection.execute(LIVE, (revision,)):
        if value is not None:
            yield Key(_text(resource), _text(namespace), _text(name)), at, value


def last_revision(connection: sqlite3.Connection) -> int:
    """The highest revision ever given out, also when its row is compacted away."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
    return row[0] if row else 0


def floor(connection: sqlite3.Connection) -> int:
    """The first revision that can still be watched from, and read at."""
    return int(connection.execute("SELECT floor FROM compaction").fetchone()[0])


def forget(connection: sqlite3.Connection, start: int, before: int) -> None:
    """Forget what changes in [start, before) replaced, and deletions among them, inside the open transaction."""
    connection.execute(FORGET, (start, before))
    connection.execute("UPDATE compaction SET floor = ?", (before - 1,))


def _text(value: bytes) -> str:
    return value.decode()
