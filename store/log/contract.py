"""The narrow interface of the log, and the values that cross it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Key(NamedTuple):
    """Where an object lies. resource: Kind.resource; namespace: "" for cluster-scoped kinds."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Write:
    """One compare-and-set.

    expected: the revision that the key must have now; 0: it must not exist; None: whatever it has.
    value: None deletes; otherwise the object as JSON in two pieces, between which the log puts the new revision in
    decimal digits (…"resourceVersion":" | ",…), so that the bytes at rest are the bytes that are served.
    """

    key: Key
    expected: int | None
    value: tuple[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision changed. value None: deleted; previous None: created. Both are whole encoded objects.

    For a deletion `previous` is the last state with its old resourceVersion.
    previous_revision: the key's revision before, 0 when there was none.
    """

    revision: int
    key: Key
    value: bytes | None
    previous: bytes | None
    previous_revision: int


class ConflictError(Exception):
    """The key's revision is not the expected one. current: what it is, 0 when the key does not exist."""

    def __init__(self, key: Key, current: int) -> None:
        super().__init__(f"{key.resource} {key.namespace}/{key.name} is at revision {current}")
        self.key = key
        self.current = current


class CompactedError(Exception):
    """The asked revision is older than what is kept. oldest: the first revision that can still be watched from."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"revisions before {oldest} are compacted")
        self.oldest = oldest


class LogFullError(Exception):
    """The disk or quota is full: nothing was written, everything acknowledged before stays readable."""


class LogFailedError(Exception):
    """The disk failed in some other way: whether the write lasts is unknown until it is read again."""


class LogInUseError(Exception):
    """Another process holds the data folder. The message names it."""


class LogVersionError(Exception):
    """The file at rest was written by a newer version. The message names both."""


class LogUnreadableError(Exception):
    """The file at rest cannot be opened. The message says what it is; damaged: rather than out of reach."""

    def __init__(self, message: str, *, damaged: bool) -> None:
        super().__init__(message)
        self.damaged = damaged


class Log(Protocol):
    """The durable sequence of changes. Every method belongs to the control plane's event loop."""

    async def append(self, write: Write) -> int:
        """Commit durably, return the revision. Raises ConflictError or LogFullError, and then nothing has changed.

        Raises LogFailedError when the disk fails in some other way.
        """

    async def read(self, revision: int | None = None) -> tuple[int, Sequence[tuple[Key, int, bytes]]]:
        """All live objects as of `revision` (None: now) with their revisions. Raises CompactedError."""

    def watch(self, after: int) -> AsyncIterator[Sequence[Change]]:
        """Batches of changes after a revision, in order, without gaps, for ever. Raises CompactedError."""

    async def compact(self, before: int) -> None:
        """Forget changes with a revision below `before` that later ones replaced."""

    async def close(self) -> None:
        """Finish what is under way, checkpoint, close."""
