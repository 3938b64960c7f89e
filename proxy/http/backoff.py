"""How long to wait before a retry (GEP-1731): never less than the rule says, longer each time, and not all at once."""

from __future__ import annotations

GROWTH_LIMIT = 10.0
"""No wait is longer than so many times the first, jitter aside."""
JITTER = 0.25


def backoff_s(least_s: float, retry: int, chance: float) -> float:
    """Before retry number `retry`, from 1. chance: from 0 to 1, drawn anew each time."""
    grown = min(2.0 ** min(retry - 1, 10), GROWTH_LIMIT)
    return least_s * grown * (1.0 + JITTER * chance)
