"""Ages as kubectl prints them: 5s, 3m20s, 2d4h. The coarser the older, two units at most."""

from __future__ import annotations

from datetime import datetime

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
YEAR_S = 365 * DAY_S

# (below, unit, its letter, the finer unit that is shown as well, its letter)
_SCALE: tuple[tuple[float, int, str, int, str], ...] = (
    (2 * MINUTE_S, 1, "s", 0, ""),
    (10 * MINUTE_S, MINUTE_S, "m", 1, "s"),
    (3 * HOUR_S, MINUTE_S, "m", 0, ""),
    (8 * HOUR_S, HOUR_S, "h", MINUTE_S, "m"),
    (2 * DAY_S, HOUR_S, "h", 0, ""),
    (8 * DAY_S, DAY_S, "d", HOUR_S, "h"),
    (2 * YEAR_S, DAY_S, "d", 0, ""),
    (8 * YEAR_S, YEAR_S, "y", DAY_S, "d"),
    (float("inf"), YEAR_S, "y", 0, ""),
)


def human_duration(seconds: float) -> str:
    """A span in seconds; up to a second in the future counts as now, more is "<invalid>"."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    _, unit, letter, finer, finer_letter = next(row for row in _SCALE if whole < row[0])
    rest = whole % unit // finer if finer else 0
    return f"{whole // unit}{letter}{rest}{finer_letter}" if rest else f"{whole // unit}{letter}"


def age(timestamp: str, now_s: float) -> str:
    """How long ago an RFC 3339 time was; now_s: POSIX seconds."""
    try:
        then = datetime.fromisoformat(timestamp)
        return human_duration(now_s - then.timestamp())
    except (ValueError, OverflowError):
        return "<invalid>"
