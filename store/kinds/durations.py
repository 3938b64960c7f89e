"""Durations as the Gateway API writes them (GEP-2257)."""

from __future__ import annotations

import re
from fractions import Fraction

_PART = re.compile(r"(\d+)(ms|h|m|s)")
_UNITS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}


def seconds(text: str) -> Fraction:
    """1h30m -> 5400. Text that is no duration is 0: its pattern has said so already."""
    return sum((int(count) * _UNITS[unit] for count, unit in _PART.findall(text)), Fraction(0))
