"""Smooth weighted round robin: weights come in, places of the list go out, each as often as its weight says.

Exact over every cycle and never in bursts: with weights 5, 1, 1 the heavy one is not chosen five times in a row.
Pure; knows nothing of what is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence


class RoundRobin:
    """A rotation over places 0..n-1. Weights are not negative; a place of weight 0 is never chosen."""

    __slots__ = ("_current", "_even", "_next", "_total", "_weights")

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = tuple(weights)
        self._total = sum(weights)
        self._current = [0] * len(self._weights)
        self._even = len(self._weights) if len(set(self._weights)) == 1 else 0
        self._next = -1

    def choose(self) -> int | None:
        """The next place; None when no weight is above zero."""
        if not self._total:
            return None
        if self._even:
            self._next = (self._next + 1) % self._even
            return self._next
        current = self._current
        best, most = 0, -self._total - 1
        for place, weight in enumerate(self._weights):
            if not weight:
                continue
            current[place] = credit = current[place] + weight
            if credit > most:
                best, most = place, credit
        current[best] -= self._total
        return best
