"""A bounded memory of pure answers: keys and values come in, the recent ones stay.

It refuses to know what it remembers; everything in it can be computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Two generations of at most `limit` entries each: what is asked for again becomes young, the rest is forgotten.

    Hot paths read `young` themselves and call `recall` when it has nothing: a dict's `get` is the whole cost of a hit.
    """

    __slots__ = ("_limit", "_old", "young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def recall(self, key: K) -> V | None:
        """The value of `key`, from either generation; None when it was never there or is forgotten."""
        value = self.young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.remember(key, value)
        return value

    def remember(self, key: K, value: V) -> None:
        """Keep `value`, at the cost of the generation before last when the young one is full."""
        if len(self.young) >= self._limit:
            self._old, self.young = self.young, {}
        self.young[key] = value

    def only(self, holds: Callable[[V], bool]) -> Memo[K, V]:
        """A new memory of what still holds. From any thread; what is remembered meanwhile may be missing."""
        new: Memo[K, V] = Memo(self._limit)
        old, young = self._old.copy(), self.young.copy()
        new._old = {key: value for key, value in old.items() if holds(value)}
        new.young = {key: value for key, value in young.items() if holds(value)}
        return new

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
