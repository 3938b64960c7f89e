"""expected.toml: how many tests passed in the best run so far."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.conformance.scores import Numbers

EXPECTED = Path(__file__).parent / "expected.toml"


def read(text: str) -> Numbers:
    """Raises tomllib.TOMLDecodeError, and ValueError for what is not a section of numbers."""
    sections = tomllib.loads(text)
    for section, levels in sections.items():
        if not isinstance(levels, dict) or not all(type(count) is int and count >= 0 for count in levels.values()):
            raise ValueError(f"{section} is not a section of numbers")
    return sections
