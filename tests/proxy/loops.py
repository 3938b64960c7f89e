"""Runs a test on an event loop, and sees that the test leaves nothing open on it."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine


def run_on(loop_factory: Callable[[], asyncio.AbstractEventLoop], test: Coroutine[None, None, None]) -> None:
    """AssertionError when uvloop finds a transport that is still open when its loop closes.

    It warns of each, in a callback that no error can leave: where warnings are errors, that transport is never closed,
    and closing the loop waits for it for ever.
    """
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        runner.run(test)
    finally:
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always", ResourceWarning)
            runner.close()
    assert not left, [str(warning.message) for warning in left]
