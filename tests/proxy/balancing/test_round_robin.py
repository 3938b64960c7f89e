"""Smooth weighted round robin: exact over a cycle, spread out, silent about nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.balancing.round_robin import RoundRobin


@pytest.mark.parametrize(
    ("weights", "chosen"),
    [
        ((1,), [0, 0, 0]),
        ((1, 1, 1), [0, 1, 2, 0, 1, 2]),
        ((5, 1, 1), [0, 0, 1, 0, 2, 0, 0]),
        ((0, 1), [1, 1]),
        ((), [None]),
        ((0, 0), [None]),
    ],
)
def test_the_order(weights: tuple[int, ...], chosen: list[int | None]) -> None:
    rotation = RoundRobin(weights)
    assert [rotation.choose() for _ in chosen] == chosen


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(1, 3))
def test_every_cycle_gives_each_place_its_weight(weights: list[int], cycles: int) -> None:
    rotation = RoundRobin(weights)
    counted = Counter(rotation.choose() for _ in range(sum(weights) * cycles))
    assert counted == {place: weight * cycles for place, weight in enumerate(weights) if weight}
