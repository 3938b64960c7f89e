"""The file at rest: its permissions, its settings, its tables and its version.

A path comes in, a SQLite connection comes out. Tables are made with sqlite-utils, so `sqlite-utils` and `sqlite3` in
read-only mode show an operator what is there: `log` is every change, `objects` is a view of what exists now.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import sqlite_utils

from store.log.contract import LogVersionError

SCHEMA_VERSION = 1

# AUTOINCREMENT because SQLite otherwise hands out the highest row id again after compaction took that row.
LOG_TABLE = """
CREATE TABLE log (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    previous_revision INTEGER NOT NULL
)
"""

OBJECTS_VIEW = """
SELECT resource, namespace, name, revision, value FROM log
WHERE revision IN (SELECT max(revision) FROM log GROUP BY resource, namespace, name) AND value IS NOT NULL
"""


def connect(path: Path, quota_bytes: int | None = None) -> sqlite3.Connection:
    """Open or make the database; mode 0600, WAL, every commit synced (synchronous=FULL).

    quota_bytes: an upper bound of the database file; beyond it writes are refused as on a full disk.
    Raises LogVersionError when a newer version wrote the file.
    """
    # SQLite gives the -wal and -shm files the permissions of the database file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA cache_size = -16384")
        if quota_bytes is not None:
            page_size = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {max(1, quota_bytes // page_size)}")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    # Values are text for the operator's sake and bytes for ours.
    connection.text_factory = bytes
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise LogVersionError(
            f"{path} has schema version {version}, this program knows version {SCHEMA_VERSION}: "
            "a newer Gatehouse wrote it; run that one, or restore a backup made before the upgrade"
        )
    if version == 0:
        connection.execute("BEGIN IMMEDIATE")
        _create(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    database = sqlite_utils.Database(connection)
    connection.execute(LOG_TABLE)
    connection.execute("CREATE UNIQUE INDEX log_key ON log (resource, namespace, name, revision)")
    connection.execute("CREATE TABLE compaction (floor INTEGER NOT NULL)")
    connection.execute("INSERT INTO compaction VALUES (0)")
    database.create_view("objects", OBJECTS_VIEW)
