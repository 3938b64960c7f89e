"""The product does not know that it is under test."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("appliance", "certs", "proxy", "store")
WORDS = ("gateway-conformance", "infra-backend", "echo-basic", "gateway-api-conformance", "skip-this-for-readiness")


@pytest.mark.parametrize("word", WORDS)
def test_no_name_of_the_suite_is_in_the_product(word: str) -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    assert [str(path.relative_to(ROOT)) for path in files if word in path.read_text().lower()] == []
