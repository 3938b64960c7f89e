"""When a file that changed is worth reading, and when a missing one is really gone. Pure: the clock is an argument.

A file that is being written must stay the same for a moment; an editor that removes a file and puts a new one in its
place must not have its objects deleted in between.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from appliance.manifests.folders import Stamp

SETTLE_S = 0.1
GONE_S = 0.5


@dataclass(frozen=True, slots=True)
class Due:
    """What may be acted on now. wait_s: when to look again, None: no need."""

    read: tuple[str, ...]
    removed: tuple[str, ...]
    wait_s: float | None


class Settling:
    """Remembers the stamps of what was read, and since when something differs from it."""

    def __init__(self) -> None:
        self.known: dict[str, Stamp | None] = {}
        self._pending: dict[str, tuple[Stamp | None, float]] = {}

    def observe(self, seen: Mapping[str, Stamp], kept: Container[str], now_s: float, *, at_once: bool = False) -> Due:
        """Compare what is there with what is known.

        kept: files that cannot be seen now and are not to be taken for removed. at_once: do not wait, as at the start.
        """
        read: list[str] = []
        removed: list[str] = []
        waits: list[float] = []
        for path in self._pending.keys() - seen.keys() - self.known.keys():  # it came and went unread
            del self._pending[path]
        missing = ((path, None) for path in self.known.keys() - seen.keys() if path not in kept)
        for path, stamp in [*seen.items(), *missing]:
            if stamp is not None and self.known.get(path) == stamp:
                self._pending.pop(path, None)
                continue
            before, since_s = self._pending.get(path, (None, now_s))
            if path not in self._pending or before != stamp:
                since_s = now_s
            self._pending[path] = stamp, since_s
            left_s = since_s + (GONE_S if stamp is None else SETTLE_S) - now_s
            if at_once or left_s <= 0:
                (removed if stamp is None else read).append(path)
            else:
                waits.append(left_s)
        return Due(tuple(sorted(read)), tuple(sorted(removed)), min(waits, default=None))

    def postpone(self, path: str) -> None:
        """A file changed while it was read: begin to wait anew."""
        self._pending.pop(path, None)

    def done(self, path: str, stamp: Stamp | None) -> None:
        """A file was read with this stamp, or its removal was acted on (None)."""
        self._pending.pop(path, None)
        if stamp is None:
            self.known.pop(path, None)
        else:
            self.known[path] = stamp
