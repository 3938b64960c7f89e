"""Why something is not as asked: a value that already carries its API reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """reason: as in conditions (CamelCase); message: a sentence that names the object and, if any, the remedy."""

    reason: str
    message: str


def worst(problems: tuple[Problem, ...]) -> Problem | None:
    """One problem that speaks for all: the first one's reason, every distinct message."""
    if not problems:
        return None
    messages = list(dict.fromkeys(p.message for p in problems))
    return Problem(problems[0].reason, "; ".join(messages)[:MESSAGE_LIMIT])


MESSAGE_LIMIT = 4096
"""Characters in a condition's message: stays far below the 32768 that the API allows."""

LISTED_LIMIT = 4
"""Names in an enumeration that speaks of others, however many there are."""


def listed(names: Iterable[str]) -> str:
    """An enumeration that stays short: the first few names, and how many more there are."""
    found = list(names)
    more = len(found) - LISTED_LIMIT
    return ", ".join(found) if more <= 0 else f"{', '.join(found[:LISTED_LIMIT])} and {more} more"
