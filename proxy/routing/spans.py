"""Where two long sequences differ: the old one and the new one come in, the stretch that changed goes out. Pure.

Goes by identity, and at the speed of C: a snapshot shares every unchanged part with the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, count
from operator import is_not
from typing import NamedTuple


class Span(NamedTuple):
    """old[start:old_end] became new[start:new_end]; everything around it is the same objects."""

    start: int
    old_end: int
    new_end: int


def span(old: Sequence[object], new: Sequence[object]) -> Span:
    """The shortest stretch outside of which nothing has changed."""
    shorter = min(len(old), len(new))
    start = _shared(old, new, shorter)
    tail = _shared(reversed(old), reversed(new), shorter - start)
    return Span(start, len(old) - tail, len(new) - tail)


def _shared(old: Iterable[object], new: Iterable[object], limit: int) -> int:
    """How many of the first `limit` pairs are the same object, before the first that is not."""
    return min(limit, next(compress(count(), map(is_not, old, new)), limit))
