"""Wait for a condition with a deadline; never sleep for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: str, probe: Callable[[], T], deadline_s: float = 30.0, pause_s: float = 0.02) -> T:
    """The first truthy value of `probe`. AssertionError in it counts as not yet.

    Raises AssertionError with `what` and the last value, or the last assertion, when the deadline passes.
    """
    end = time.monotonic() + deadline_s
    last: object = None
    while True:
        try:
            if value := probe():
                return value
            last = value
        except AssertionError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}; last seen: {last}")
        time.sleep(pause_s)
