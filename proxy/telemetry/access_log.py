"""The access log: lines come in from the event loop, finished or as what they are made of; a thread writes them.

It works in batches: most of what a line costs is finding code and data cold, and a thousand in a row pay that once.
A line that finds the queue full is counted and lost; traffic never waits. The file is reopened on demand, so that it
can be rotated. This module refuses to know what the lines say.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from pathlib import Path
from time import monotonic, sleep, time

from proxy.telemetry.log_line import Clock, PlainExchange, plain_line

_BATCH_INTERVAL_S = 0.1
_CLOSE_LIMIT_S = 5.0
"""How long a reader that takes nothing may hold up the end."""
_LINES_PER_TURN = 64
"""Formatted in a row, before the event loop may go on: less than a tenth of a millisecond."""


class AccessLog:
    """Lines to a file, to standard output, or nowhere. `dropped` counts lines lost to a full queue or a failed write.

    target: a path, "stdout" or "off". limit: lines that may wait. Raises OSError when the file cannot be opened.
    """

    def __init__(self, target: str, limit: int = 100_000) -> None:
        self.enabled = target != "off"
        self.dropped = 0
        self._target = target
        self._limit = limit
        self._lines: deque[bytes | PlainExchange] = deque()
        self._wake = threading.Event()
        self._reopen = False
        self._stopping = False
        self._descriptor = self._open() if self.enabled else -1
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        if self.enabled:
            self._thread.start()

    def write(self, line: bytes | PlainExchange) -> None:
        """Queue one line, finished and with its line end, or what makes one. From the loop's thread only."""
        lines = self._lines
        if len(lines) >= self._limit:
            self.dropped += 1
            return
        lines.append(line)
        if len(lines) == 1:
            self._wake.set()

    def reopen(self) -> None:
        """Write to a newly opened file from the next batch on. From any thread."""
        self._reopen = True
        self._wake.set()

    def close(self) -> None:
        """Write what waits, then stop. Blocks for as long as the disk needs, within a bound; call it off the loop."""
        if self.enabled and not self._stopping:
            self._stopping = True
            self._wake.set()
            self._thread.join(_CLOSE_LIMIT_S)

    def _run(self) -> None:
        pause = threading.Event()
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            if not self._stopping:
                pause.wait(_BATCH_INTERVAL_S)  # lets a batch gather; an idle gateway does not wake at all
            if self._reopen:
                self._reopen = False
                self._replace()
            self._flush()
            if self._lines:  # they came meanwhile, and found a queue that was not empty: nobody was woken for them
                self._wake.set()
        self._flush()
        if self._target != "stdout":
            os.close(self._descriptor)

    def _flush(self) -> None:
        count = len(self._lines)
        if not count:
            return
        batch = memoryview(b"".join(self._formatted(count)))
        try:
            while batch:
                batch = batch[os.write(self._descriptor, batch) :]
        except OSError:  # a full disk must not stop traffic; the counter in the metrics tells of it
            self.dropped += count

    def _formatted(self, count: int) -> list[bytes]:
        take, clock, offset_s = self._lines.popleft, Clock(), time() - monotonic()
        formatted: list[bytes] = []
        for at in range(count):
            line = take()
            formatted.append(line if isinstance(line, bytes) else plain_line(line, clock, offset_s))
            if at % _LINES_PER_TURN == _LINES_PER_TURN - 1:
                sleep(0)
        return formatted

    def _open(self) -> int:
        if self._target == "stdout":
            return sys.stdout.fileno()
        return os.open(Path(self._target), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _replace(self) -> None:
        if self._target == "stdout":
            return
        try:
            fresh = self._open()
        except OSError:  # the folder may be away during a rotation; the old file goes on
            return
        os.close(self._descriptor)
        self._descriptor = fresh
