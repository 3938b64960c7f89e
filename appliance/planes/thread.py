"""A thread with an event loop of its own, whose end is never overlooked.

A coroutine function comes in; its result or exception goes out, as a future of the loop that started the thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine

import uvloop


class PlaneThread:
    """Runs one coroutine on a new uvloop loop in a new thread. `ended` is a future of the loop that called start()."""

    def __init__(self, name: str, main: Callable[[], Coroutine[object, object, None]]) -> None:
        self._main = main
        self._owner = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.ended: asyncio.Future[None] = self._owner.create_future()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._main())
        except BaseException as error:
            self._tell(error)
        else:
            self._tell(None)

    def _tell(self, error: BaseException | None) -> None:
        def settle() -> None:
            if self.ended.done():
                return
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)

        try:
            self._owner.call_soon_threadsafe(settle)
        except RuntimeError:  # the owner's loop is closed: it has stopped waiting, and the process is ending
            pass
