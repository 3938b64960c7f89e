"""Regular expressions have RE2's meaning and bounds, wherever they stand in a match."""

from __future__ import annotations

import pytest
import re2

from proxy.routing.conditions import whole_value


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("v[12]", b"v1", True),
        ("v[12]", b"v12", False),  # the whole value, as the API's other matches
        ("v1|v2", b"xv2", False),
        ("(?i)gold", b"GOLD", True),
        ("ü+", "üü".encode(), True),
        (".*", b"\xff", False),  # no text
        (".", b"\n", False),
        ("(?s).", b"\n", True),
    ],
)
def test_an_expression_covers_a_whole_value(pattern: str, value: bytes, matches: bool) -> None:
    assert whole_value(pattern)(value) is matches


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(a", r"\pL{1000}", "((a{100}){100}){10}"])
def test_what_costs_more_than_linear_time_or_bounded_memory_is_no_expression(pattern: str) -> None:
    with pytest.raises(re2.error):
        whole_value(pattern)


def test_what_would_backtrack_for_ever_is_answered() -> None:
    assert not whole_value("(a|a|aa)*b")(b"a" * 50_000)
