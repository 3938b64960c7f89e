"""The end of a client's connection: what was written last is waited for as long as the client goes on taking it.

A closing transport and the time come in; when to look again goes out. It refuses to know what was written.
"""

from __future__ import annotations

import asyncio


class Farewell:
    """Of one connection. patience_s: so long may a client take nothing."""

    __slots__ = ("_patience_s", "_unsent_bytes")

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._unsent_bytes = 0

    def due_s(self, transport: asyncio.Transport, now_s: float) -> float:
        """When to ask again (`time.monotonic()`); a client that took nothing since the last time is cut off."""
        unsent = transport.get_write_buffer_size()
        if not unsent or unsent == self._unsent_bytes:
            transport.abort()
            return 0.0
        self._unsent_bytes = unsent
        return now_s + self._patience_s
