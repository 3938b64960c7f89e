"""The appliance's own log: lines of time, level and message on standard error or in a file that can be reopened."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from logging.handlers import WatchedFileHandler
from typing import TextIO

from appliance.problems import StartError


class _LineFormatter(logging.Formatter):
    """RFC 3339 time in UTC, level, message; line breaks inside a message are escaped, a traceback keeps its own."""

    converter: Callable[[float | None], time.struct_time] = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


class Logs:
    """The handler of the whole process. target: a file, or - for standard error."""

    def __init__(self, target: str, level: str) -> None:
        self._handler: logging.StreamHandler[TextIO] | WatchedFileHandler
        if target == "-":
            self._handler = logging.StreamHandler(sys.stderr)
        else:
            try:
                self._handler = WatchedFileHandler(target, encoding="utf-8")
            except OSError as error:
                raise StartError(f"log file {target} cannot be opened: {error.strerror}; correct --log-file") from None
        self._handler.setFormatter(_LineFormatter())
        root = logging.getLogger()
        root.handlers[:] = [self._handler]
        root.setLevel(level.upper())
        for chatty in ("uvicorn", "watchfiles"):
            logging.getLogger(chatty).setLevel(logging.WARNING)

    def reopen(self) -> None:
        """Go on in a new file when the old one was moved away."""
        if isinstance(self._handler, WatchedFileHandler):
            self._handler.reopenIfNeeded()
