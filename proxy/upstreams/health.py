"""Passive health: failures and successes of one endpoint come in, until when it is left out goes out.

The first refused connection leaves an endpoint out for a moment; every further one, with no success between, for twice
as long, up to a bound. Pure: the clock is an argument, and it measures nothing itself.
"""

from __future__ import annotations

FIRST_S = 1.0
LONGEST_S = 30.0


class Health:
    """The record of one endpoint. `failures` counts those since the last success."""

    __slots__ = ("failures", "out_until")

    def __init__(self) -> None:
        self.failures = 0
        self.out_until = 0.0

    def failed(self, now: float) -> float:
        """Note a failure at `now` (monotonic seconds); returns for how many seconds the endpoint is left out.

        Failures of connections that were begun before the endpoint was left out do not count again.
        """
        if now < self.out_until:
            return self.out_until - now
        self.failures += 1
        pause_s = min(LONGEST_S, FIRST_S * (1 << min(self.failures - 1, 10)))
        self.out_until = now + pause_s
        return pause_s

    def succeeded(self) -> None:
        """It serves: nothing is held against it any more."""
        self.failures = 0
        self.out_until = 0.0
