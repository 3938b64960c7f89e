"""What a compiler keeps from one snapshot for the next."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """What was made for the snapshot before, and what is used again: only the latter stays."""

    def __init__(self) -> None:
        self.before: dict[K, V] = {}
        self.now: dict[K, V] = {}

    def find(self, key: K) -> V | None:
        """What was made for an equal key; it stays."""
        value = self.now.get(key) or self.before.get(key)
        if value is not None:
            self.now[key] = value
        return value

    def turn(self) -> None:
        """The snapshot is compiled."""
        self.before, self.now = self.now, {}
