"""Retry budgets: a share of what was attempted lately, and never less than the least rate (GEP-3388)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.snapshot.clusters import RetryBudget
from proxy.upstreams.retry_budget import LiveBudget, SlidingCount


def test_a_fifth_of_a_thousand_requests_may_be_retries() -> None:
    live = LiveBudget(RetryBudget(percent=20, interval_s=10.0, least=0))
    for _ in range(800):
        live.attempted(100.0)
    taken = 0
    while live.take(100.0):
        live.attempted(100.0)
        taken += 1
    assert taken == 200


def test_the_least_rate_is_allowed_when_nothing_was_asked_lately() -> None:
    live = LiveBudget(RetryBudget(percent=0, interval_s=10.0, least=3, least_interval_s=1.0))
    assert [live.take(50.0) for _ in range(5)] == [True, True, True, False, False]
    assert [live.take(51.5) for _ in range(4)] == [True, True, True, False]


def test_what_is_too_long_ago_does_not_count() -> None:
    live = LiveBudget(RetryBudget(percent=50, interval_s=10.0, least=0))
    for _ in range(10):
        live.attempted(0.0)
    assert live.take(1.0)
    assert not live.take(30.0)


@given(st.lists(st.floats(0, 100), max_size=200).map(sorted))
def test_a_count_is_that_of_the_interval_to_a_slice(moments: list[float]) -> None:
    count = SlidingCount(10.0)
    for moment in moments:
        count.add(moment)
    last = moments[-1] if moments else 0.0
    certain = sum(last - moment < 9.5 for moment in moments)
    possible = sum(last - moment <= 10.5 for moment in moments)
    assert certain <= count.total <= possible
