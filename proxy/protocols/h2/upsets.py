"""Peers that make work and want none of it done: events come in, whether there were too many in a while goes out."""

from __future__ import annotations

from collections.abc import Callable


class Upsets:
    """Counts events in windows of time that begin with their first event."""

    __slots__ = ("_began_at", "_clock", "_count", "_interval_s", "_limit")

    def __init__(self, limit: int, interval_s: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._interval_s = interval_s
        self._clock = clock
        self._count = 0
        self._began_at = 0.0

    def one_more(self) -> bool:
        """Count one; whether it is still bearable."""
        now = self._clock()
        if not self._count or now - self._began_at > self._interval_s:
            self._count, self._began_at = 0, now
        self._count += 1
        return self._count <= self._limit
