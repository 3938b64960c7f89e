"""An event loop whose connections are in memory: the proxy listens and connects as always, no byte meets the kernel."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any

import uvloop

CLIENT, BACKEND = ("127.0.0.1", 40000), ("127.0.0.1", 9)


class MemoryTransport(asyncio.Transport):
    """Keeps what the proxy writes until it is taken. There is always room, so it never pauses a writer."""

    def __init__(self, protocol: asyncio.BaseProtocol, peer: tuple[str, int], local: tuple[str, int]) -> None:
        super().__init__({"peername": peer, "sockname": local})
        self.protocol: Any = protocol
        self.closed = False
        self._written: list[bytes] = []

    def take(self) -> bytes:
        """Everything that was written since it was last asked."""
        if not self._written:
            return b""
        data, self._written = b"".join(self._written), []
        return data

    def write(self, data: Any) -> None:
        """See asyncio.WriteTransport; copies what may change, as a socket would."""
        self._written.append(data if type(data) is bytes else bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """See asyncio.WriteTransport."""
        self._written.append(b"".join(list_of_data))

    def close(self) -> None:
        """The proxy has no more use for it; the driver takes that for a failure."""
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        """As a socket can."""
        return True

    def write_eof(self) -> None:
        """Nobody half-closes here but to end."""
        self.closed = True

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self.closed

    def get_write_buffer_size(self) -> int:
        """All is gone as soon as it is written."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There are none."""

    def pause_reading(self) -> None:
        """What is measured does not stall; a driver that hears nothing for a turn says so."""

    def resume_reading(self) -> None:
        """See pause_reading."""

    def is_reading(self) -> bool:
        """Always."""
        return True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio.BaseTransport."""
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio.BaseTransport."""
        protocol: asyncio.BaseProtocol = self.protocol
        return protocol


class MemoryServer:
    """Stands where asyncio.Server would."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening

    def close(self) -> None:
        """Give the port back."""
        self._listening.close()


class MemoryLoop(uvloop.Loop):
    """uvloop, but for accepting and connecting.

    accept: makes the protocol of the next client, once the proxy listens. connected: transports to backends, in the
    order in which the proxy asked for them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.accept: Callable[[], asyncio.BaseProtocol] | None = None
        self.connected: list[MemoryTransport] = []

    async def create_server(  # type: ignore[override]
        self, factory: Any, *_: Any, sock: Any = None, **__: Any
    ) -> Any:
        """Remember how a client's protocol is made."""
        self.accept = factory
        return MemoryServer(sock)

    async def create_connection(  # type: ignore[override]
        self, factory: Any, *_: Any, **__: Any
    ) -> Any:
        """A backend that is there at once."""
        protocol = factory()
        transport = MemoryTransport(protocol, BACKEND, CLIENT)
        protocol.connection_made(transport)
        self.connected.append(transport)
        return transport, protocol

    def client(self) -> MemoryTransport:
        """A client comes. Raises RuntimeError when the proxy does not listen."""
        if self.accept is None:
            raise RuntimeError("the proxy does not listen")
        protocol = self.accept()
        transport = MemoryTransport(protocol, CLIENT, BACKEND)
        protocol.connection_made(transport)
        return transport
