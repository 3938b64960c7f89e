"""A backend that speaks HTTP/2 by the `h2` package, and does what a test tells it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings


class Asked:
    """One request. reset: the code with which its client gave it up."""

    def __init__(self, connection: BackendConnection, stream_id: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.connection = connection
        self.id = stream_id
        self.fields = fields
        self.body = b""
        self.trailers: list[tuple[bytes, bytes]] = []
        self.ended = False
        self.reset: int | None = None
        self._left = memoryview(b"")
        self._trailers: tuple[tuple[bytes, bytes], ...] | None = None

    def field(self, name: bytes) -> bytes:
        return next(value for other, value in self.fields if other == name)

    def head(self, *fields: tuple[bytes, bytes], status: bytes = b"200", ended: bool = False) -> None:
        self.connection.h2.send_headers(self.id, [(b":status", status), (b"date", b"x"), *fields], end_stream=ended)
        self.connection.flush()

    def answer(self, body: bytes = b"hi", *fields: tuple[bytes, bytes], status: bytes = b"200") -> None:
        """A whole answer; small enough for the window."""
        self.head(*fields, (b"content-length", b"%d" % len(body)), status=status)
        self.send(body, ended=True)

    def send(self, payload: bytes, *, ended: bool = False) -> None:
        self.connection.h2.send_data(self.id, payload, end_stream=ended)
        self.connection.flush()

    def pour(self, body: bytes) -> None:
        """A body of any size, as windows allow, now and when they open. After `head`."""
        self._left = memoryview(bytes(self._left) + body)
        self.go_on()

    def end(self, *trailers: tuple[bytes, bytes]) -> None:
        """End the answer after all that is poured."""
        self._trailers = trailers
        self.go_on()

    def go_on(self) -> None:
        """Send what the window allows of what is poured."""
        engine = self.connection.h2
        while (
            self._left and (room := min(engine.local_flow_control_window(self.id), engine.max_outbound_frame_size)) > 0
        ):
            engine.send_data(self.id, bytes(self._left[:room]))
            self._left = self._left[room:]
        if not self._left and self._trailers is not None:
            trailers, self._trailers = self._trailers, None
            self.trail(*trailers)
        self.connection.flush()

    def trail(self, *fields: tuple[bytes, bytes]) -> None:
        self.connection.h2.send_headers(self.id, list(fields), end_stream=True)
        self.connection.flush()

    def give_up(self, code: int) -> None:
        self.connection.h2.reset_stream(self.id, code)
        self.connection.flush()


class BackendConnection(asyncio.Protocol):
    """One connection to the backend. goaway: the code that its client went away with; error: what it was lost by."""

    def __init__(self, backend: H2Backend) -> None:
        self.backend = backend
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self.transport: asyncio.Transport
        self.asked: dict[int, Asked] = {}
        self.goaway: int | None = None
        self.pings = 0
        self.closed = False
        self.error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.backend.connections.append(self)
        if not self.backend.silent:
            self.h2.local_settings = h2.settings.Settings(client=False, initial_values=self.backend.settings)
            self.h2.initiate_connection()
            self.flush()

    def data_received(self, data: bytes) -> None:
        if self.backend.silent:
            return
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code or 0)
        elif isinstance(event, h2.events.PingReceived):
            self.pings += 1
        elif isinstance(event, h2.events.RequestReceived):
            asked = Asked(self, event.stream_id, [(bytes(name), bytes(value)) for name, value in event.headers])
            self.asked[event.stream_id] = asked
            self.backend.asked.append(asked)
            self.backend.on_head(asked)
        elif isinstance(event, h2.events.DataReceived):
            asked = self.asked[event.stream_id]
            asked.body += event.data
            if self.backend.reads:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.asked[event.stream_id].trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, h2.events.StreamEnded):
            asked = self.asked[event.stream_id]
            asked.ended = True
            self.backend.on_end(asked)
        elif isinstance(event, h2.events.StreamReset) and event.remote_reset:
            self.asked[event.stream_id].reset = int(event.error_code)
        elif isinstance(event, h2.events.WindowUpdated):
            for asked in self.asked.values():
                asked.go_on()
            self.backend.on_window(self)

    def flush(self) -> None:
        if (output := self.h2.data_to_send()) and not self.transport.is_closing():
            self.transport.write(output)

    def go_away(self, last_id: int) -> None:
        self.h2.close_connection(last_stream_id=last_id)
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self.error = error


def _nothing(_: Any) -> None:
    return None


class H2Backend:
    """asked: all requests, in their order. on_head, on_end: called when a request's head, and its end, have come.

    silent: says nothing at all. reads: gives windows back. settings: what it announces.
    """

    def __init__(self, on_end: Callable[[Asked], None] = Asked.answer) -> None:
        self.connections: list[BackendConnection] = []
        self.asked: list[Asked] = []
        self.on_head: Callable[[Asked], None] = _nothing
        self.on_end = on_end
        self.on_window: Callable[[BackendConnection], None] = _nothing
        self.silent = False
        self.reads = True
        self.settings: dict[h2.settings.SettingCodes, int] = {}
        self._server: asyncio.Server

    async def start(self, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: BackendConnection(self), "127.0.0.1", 0, ssl=tls)
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return address

    def close(self) -> None:
        self._server.close()
        for connection in self.connections:
            connection.transport.abort()
