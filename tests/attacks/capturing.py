"""A backend that keeps every byte it receives and answers what a test tells it, and clients that send raw bytes."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proxy.options import ProxyOptions
from tests.attacks.wire import Seen, UncleanError, read_requests
from tests.proxy.gateway import Gateway, at, free_port, gateway, http

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

PAUSE = b"<pause>"
"""In an answer: what follows is sent a moment later."""
CLOSE = b"<close>"
"""At the end of an answer: the backend closes."""


@dataclass
class Capture:
    """received: the bytes of each connection to the backend, as opened. answered: answers that were sent whole."""

    received: list[bytearray] = field(default_factory=list)
    answered: int = 0

    def requests(self) -> list[Seen]:
        """All that were received, each on its connection. Raises UncleanError."""
        return [seen for data in self.received for seen in read_requests(bytes(data))]


@dataclass
class Stage:
    """A gateway on `port` with a capturing backend."""

    gate: Gateway
    port: int
    backend_port: int
    capture: Capture

    async def say(self, wire: bytes, *, end: bool = True) -> bytes:
        """Send on a connection of its own, half-close, and read to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(wire)
            if end:
                writer.write_eof()
            return await reader.read(-1)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def trickle(self, wire: bytes) -> bytes:
        """The same, in segments of one byte as far as the network keeps them apart."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for at in range(len(wire)):
                if writer.transport.is_closing():
                    break
                writer.write(wire[at : at + 1])
                await asyncio.sleep(0)
            if not writer.transport.is_closing():
                writer.write_eof()
            return await reader.read(-1)
        except OSError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def stage(
    answer: Callable[[int], bytes] = lambda number: OK, options: ProxyOptions | None = None
) -> AsyncIterator[Stage]:
    """`answer` gives the bytes for the n-th request of a backend connection."""
    capture = Capture()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = bytearray()
        capture.received.append(data)
        answered = 0
        while piece := await reader.read(1 << 16):
            data += piece
            try:
                whole = len(read_requests(bytes(data)))
            except UncleanError:
                continue
            while answered < whole:
                out = answer(answered)
                answered += 1
                for part in re.split(PAUSE, out.removesuffix(CLOSE)):
                    writer.write(part)
                    await writer.drain()
                    if part != out:
                        await asyncio.sleep(0.02)
                capture.answered += 1
                if out.endswith(CLOSE):
                    return

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.add(writer)
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            here.discard(writer)
            writer.close()
            gone.set()

    here: set[asyncio.StreamWriter] = set()
    gone = asyncio.Event()
    settings = options or ProxyOptions(access_log="off", removed_bind_drain_s=0.5)
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    number = server.sockets[0].getsockname()[1]
    try:
        async with gateway(options=settings) as gate:
            port = free_port()
            await gate.apply([http(port, "c")], at(number))
            yield Stage(gate, port, number, capture)
    finally:
        server.close()
        while here:
            gone.clear()
            for writer in here:
                writer.close()
            await gone.wait()
