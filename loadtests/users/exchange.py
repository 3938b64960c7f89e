"""Report an exchange that is not HTTP to locust: how long it took, how many bytes, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from locust import User


class WrongAnswerError(Exception):
    """The gateway or its backend answered something else than it should."""


@dataclass(slots=True)
class Measured:
    """Filled in by the body of the `with` block."""

    response_bytes: int = 0


@contextmanager
def exchange(user: User, kind: str, name: str) -> Iterator[Measured]:
    """Time the block and fire locust's request event; OSError and WrongAnswerError become failures."""
    measured, error, start = Measured(), None, time.perf_counter()
    try:
        yield measured
    except (OSError, WrongAnswerError) as raised:
        error = raised
    user.environment.events.request.fire(
        request_type=kind,
        name=name,
        response_time=(time.perf_counter() - start) * 1000,
        response_length=measured.response_bytes,
        exception=error,
        context={},
    )


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, the host perhaps in brackets, as a pair. Raises ValueError without a port."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
