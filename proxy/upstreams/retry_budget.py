"""Retry budgets (GEP-3388): attempts and retries are counted as they begin; whether one more retry may begin goes out.

Pure: the time comes in with every call. Counts are kept in a few slices of the interval, whatever the traffic.
"""

from __future__ import annotations

from proxy.snapshot.clusters import RetryBudget

_SLICES = 20


class SlidingCount:
    """How many there were in the last `interval_s` seconds, to a slice's exactness."""

    __slots__ = ("_at", "_slice_s", "_slices", "total")

    def __init__(self, interval_s: float) -> None:
        self._slice_s = interval_s / _SLICES
        self._slices = [0] * _SLICES
        self._at = 0
        self.total = 0

    def add(self, now_s: float) -> None:
        """One more."""
        self.turn(now_s)
        self._slices[self._at % _SLICES] += 1
        self.total += 1

    def turn(self, now_s: float) -> None:
        """Forget what is too long ago."""
        at = int(now_s / self._slice_s)
        for slot in range(max(self._at + 1, at - _SLICES + 1), at + 1):
            self.total -= self._slices[slot % _SLICES]
            self._slices[slot % _SLICES] = 0
        self._at = max(self._at, at)


class LiveBudget:
    """The budget of one cluster. Times are `time.monotonic()` seconds."""

    __slots__ = ("_attempts", "_least", "_retries", "budget")

    def __init__(self, budget: RetryBudget) -> None:
        self.budget = budget
        self._attempts = SlidingCount(budget.interval_s)
        self._retries = SlidingCount(budget.interval_s)
        self._least = SlidingCount(budget.least_interval_s)

    def attempted(self, now_s: float) -> None:
        """An attempt began, a first one or a retry."""
        self._attempts.add(now_s)

    def take(self, now_s: float) -> bool:
        """Whether one more retry may begin, which is then counted."""
        for count in (self._attempts, self._retries, self._least):
            count.turn(now_s)
        within = (self._retries.total + 1) * 100 <= self.budget.percent * (self._attempts.total + 1)
        if not within and self._least.total >= self.budget.least:
            return False
        self._retries.add(now_s)
        self._least.add(now_s)
        return True
