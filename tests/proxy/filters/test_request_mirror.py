"""Mirrors take exactly their share, evenly."""

from __future__ import annotations

import pytest

from proxy.filters.request_mirror import compile_request_mirror
from proxy.snapshot.filters import RequestMirror


@pytest.mark.parametrize(("numerator", "denominator"), [(100, 100), (0, 100), (35, 100), (1, 3), (25, 50), (1, 1000)])
def test_a_share_is_exact_over_its_denominator(numerator: int, denominator: int) -> None:
    share = compile_request_mirror(RequestMirror("c", numerator, denominator))
    for _ in range(3):
        assert sum(share.takes() for _ in range(denominator)) == numerator


def test_a_share_comes_in_no_bursts() -> None:
    share = compile_request_mirror(RequestMirror("c", 20, 100))
    assert [share.takes() for _ in range(10)] == [False, False, False, False, True] * 2
