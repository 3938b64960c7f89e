"""What every kind of listener does for a bind: the interface between a bound socket and what is served on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol


class Serving(Protocol):
    """One kind of traffic on one socket. It owns the socket it was given."""

    async def start(self) -> None:
        """Begin to accept."""

    def stop(self) -> None:
        """Accept nothing more and close the socket; what was accepted goes on."""

    async def drain(self, timeout_s: float) -> None:
        """Returns when nothing that was accepted goes on; after the timeout it is cut."""


class StreamServer:
    """Accepts stream connections for protocols of the event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, listening: socket.socket, factory: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self._loop = loop
        self._listening = listening
        self._factory = factory
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to accept. Out of descriptors, the loop's library accepts and closes, so it does not spin."""
        self._server = await self._loop.create_server(self._factory, sock=self._listening)

    def stop(self) -> None:
        """Close the listening socket."""
        if self._server is not None:
            self._server.close()
        else:
            self._listening.close()
