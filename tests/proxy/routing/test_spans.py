"""Where two sequences differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.spans import Span, span

A, B, C, D, X = (object() for _ in range(5))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ((), (), Span(0, 0, 0)),
        ((A, B), (A, B), Span(2, 2, 2)),
        ((A, B, C), (A, X, C), Span(1, 2, 2)),
        ((A, B, C), (A, C), Span(1, 2, 1)),
        ((A, C), (A, B, C), Span(1, 1, 2)),
        ((A, A), (A, A, A), Span(2, 2, 3)),
        ((A, B, C, D), (X, B, C, X), Span(0, 4, 4)),
    ],
)
def test_the_stretch_between_what_is_the_same(old: tuple[object], new: tuple[object], changed: Span) -> None:
    assert span(old, new) == changed


@given(st.lists(st.sampled_from([A, B, C])), st.lists(st.sampled_from([A, B, C])))
def test_the_stretch_makes_the_new_from_the_old(old: list[object], new: list[object]) -> None:
    start, old_end, new_end = span(old, new)
    assert old[:start] + new[start:new_end] + old[old_end:] == new
    assert 0 <= start <= min(old_end, new_end)
