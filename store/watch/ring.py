"""The recent past: committed changes, bounded by number and by bytes, for replay to watchers and for older lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from store.log.contract import Change

CHANGES_LIMIT = 16_384
BYTES_LIMIT = 64 * 1024 * 1024


class Ring:
    """`floor`: the revision after which every change is here."""

    def __init__(self, floor: int = 0, changes_limit: int = CHANGES_LIMIT, bytes_limit: int = BYTES_LIMIT) -> None:
        self.floor = floor
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self._changes_limit = changes_limit
        self._bytes_limit = bytes_limit

    def put(self, changes: Sequence[Change]) -> None:
        """Add changes in order; the oldest make room."""
        for change in changes:
            self._changes.append(change)
            self._bytes += _size(change)
        while self._changes and (len(self._changes) > self._changes_limit or self._bytes > self._bytes_limit):
            oldest = self._changes.popleft()
            self._bytes -= _size(oldest)
            self.floor = oldest.revision

    def after(self, revision: int) -> list[Change]:
        """The changes after a revision, oldest first; meaningful from `floor` on. Costs what it returns."""
        return list(self._newer(revision))[::-1]

    def newest_first(self, revision: int) -> list[Change]:
        """The same, newest first: the order in which to take them back."""
        return list(self._newer(revision))

    def _newer(self, revision: int) -> Iterator[Change]:
        for change in reversed(self._changes):
            if change.revision <= revision:
                return
            yield change


def _size(change: Change) -> int:
    return len(change.value or b"") + 200
