"""How long an endpoint that refuses is left out."""

from __future__ import annotations

from proxy.upstreams.health import LONGEST_S, Health


def test_every_failure_doubles_the_pause_up_to_a_bound() -> None:
    health, now, pauses = Health(), 100.0, []
    for _ in range(8):
        pauses.append(health.failed(now))
        now = health.out_until
    assert pauses == [1, 2, 4, 8, 16, LONGEST_S, LONGEST_S, LONGEST_S]


def test_failures_of_connections_begun_before_do_not_count() -> None:
    health = Health()
    health.failed(100.0)
    assert health.failed(100.25) == 0.75
    assert health.failures == 1


def test_a_success_clears_it() -> None:
    health = Health()
    health.failed(100.0)
    health.succeeded()
    assert health.failed(100.1) == 1.0
