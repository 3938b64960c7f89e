"""Ages, against what kubectl's own rules give."""

from __future__ import annotations

import pytest

from store.http.ages import DAY_S, HOUR_S, MINUTE_S, YEAR_S, age, human_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (2 * MINUTE_S, "2m"),
        (3 * MINUTE_S + 20, "3m20s"),
        (10 * MINUTE_S + 20, "10m"),
        (179 * MINUTE_S, "179m"),
        (3 * HOUR_S, "3h"),
        (3 * HOUR_S + 5 * MINUTE_S, "3h5m"),
        (8 * HOUR_S + 5 * MINUTE_S, "8h"),
        (47 * HOUR_S, "47h"),
        (2 * DAY_S, "2d"),
        (2 * DAY_S + 4 * HOUR_S, "2d4h"),
        (8 * DAY_S + 4 * HOUR_S, "8d"),
        (700 * DAY_S, "700d"),
        (2 * YEAR_S + 9 * DAY_S, "2y9d"),
        (9 * YEAR_S + 9 * DAY_S, "9y"),
    ],
)
def test_human_duration(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_age_of_a_timestamp() -> None:
    assert age("1970-01-01T00:01:00Z", 65) == "5s"
    assert age("1970-01-01T00:01:00.500000Z", 65.5) == "5s"
    assert age("yesterday", 65) == "<invalid>"
