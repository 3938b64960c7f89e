"""Waits between retries grow, within bounds, and are never shorter than the rule's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.http.backoff import backoff_s


def test_waits_double_up_to_ten_times_the_first() -> None:
    assert [backoff_s(0.1, retry, 0.0) for retry in range(1, 7)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(st.floats(0.001, 3600), st.integers(1, 10**6), st.floats(0, 1))
def test_no_wait_is_shorter_than_the_least_or_much_longer(least_s: float, retry: int, chance: float) -> None:
    assert least_s <= backoff_s(least_s, retry, chance) <= least_s * 12.500001
