"""GEP-2257 durations."""

from __future__ import annotations

import pytest

from appliance.gatewayapi.durations import parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("10s", 10), ("500ms", 0.5), ("1h30m", 5400), ("1m1s1ms", 61.001), ("5s5s", 10), ("99999h", 359996400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "s", "1.5s", "-1s", "1d", "100000s", "1h1h1h1h1h", " 1s", "1s "])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_s(text)
