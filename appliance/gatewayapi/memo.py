"""What one translation leaves for the next, so that a change costs what it touches.

Every entry holds the inputs it was made from; it is used again while they are the same. Entries that a translation
does not use are forgotten at its end, so a memo never outgrows the objects.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """Results by key, valid while what they depend on is unchanged."""

    def __init__(self) -> None:
        self._old: dict[Hashable, tuple[Any, T]] = {}
        self._new: dict[Hashable, tuple[Any, T]] = {}

    def get(self, key: Hashable, depends: tuple[Any, ...], make: Callable[[], T]) -> T:
        """The kept result while `depends` is what it was made from; a new one equal to it stays the old object."""
        entry = self._new.get(key) or self._old.get(key)
        if entry is not None and entry[0] == depends:
            self._new[key] = entry
            return entry[1]
        made = make()
        if entry is not None and entry[1] == made:
            made = entry[1]
        self._new[key] = (depends, made)
        return made

    def same(self, key: Hashable, value: T) -> T:
        """The kept object when it equals the value, else the value."""
        entry = self._old.get(key)
        kept = entry[1] if entry is not None and entry[1] == value else value
        self._new[key] = ((), kept)
        return kept

    def turn(self) -> None:
        """The translation ended: forget what it did not use."""
        self._old, self._new = self._new, {}
