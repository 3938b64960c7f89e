"""Weighted choice without chance: weighted items come in, a fair sequence of choices goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from proxy.balancing.round_robin import RoundRobin

T = TypeVar("T")


class Split(Generic[T]):
    """Items in rotation: sum(weights) choices in a row have each exactly by its weight, spread out.

    Items of weight zero are never chosen, and not among `items`; at least one weight must be positive. only: the one
    item there is, or None.
    """

    __slots__ = ("_rotation", "items", "only")

    def __init__(self, items: Sequence[tuple[int, T]]) -> None:
        positive = [(weight, item) for weight, item in items if weight > 0]
        if not positive:
            raise ValueError("no item has a positive weight")
        self.items = [item for _, item in positive]
        self._rotation = RoundRobin([weight for weight, _ in positive])
        self.only: T | None = self.items[0] if len(positive) == 1 else None

    def choose(self) -> T:
        """The next item of the sequence."""
        place = self._rotation.choose()
        assert place is not None  # some weight is positive
        return self.items[place]
