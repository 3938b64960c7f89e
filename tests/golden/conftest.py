"""`pytest tests/golden --regolden` rewrites the answers; a person reads the difference."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regolden", action="store_true", help="rewrite golden answers with what the code says now")


@pytest.fixture
def regolden(request: pytest.FixtureRequest) -> bool:
    # Runs of the whole suite read this file too late to know the option.
    return bool(request.config.getoption("--regolden", default=False))
