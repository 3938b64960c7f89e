"""A client of HTTP/2 for tests, made of the `h2` package, and what it received in words that a test can compare."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.settings

DEADLINE_S = 30.0
Fields = Sequence[tuple[str, str]]


@dataclass
class Answer:
    """What came on one stream. ended: with END_STREAM; reset: the code of RST_STREAM."""

    interim: list[dict[str, str]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.fields.get(":status", "0"))

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def over(self) -> bool:
        return self.ended or self.reset is not None


class H2Client:
    """One connection. It gives window back for what it receives, unless `hold` is set."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **settings: int) -> None:
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        if settings:
            self.h2.local_settings = h2.settings.Settings(
                client=True,
                initial_values={getattr(h2.settings.SettingCodes, name): value for name, value in settings.items()},
            )
        # The package takes every GOAWAY for the end; streams that are open go on (RFC 9113 section 6.8).
        states, inputs = h2.connection.ConnectionState, h2.connection.ConnectionInputs
        going = {(states.CLIENT_OPEN, inputs.RECV_GOAWAY): (None, states.CLIENT_OPEN)}
        self.h2.state_machine._transitions = self.h2.state_machine._transitions | going
        self.hold = False
        self.answers: dict[int, Answer] = {}
        self.uploaded_bytes = 0
        self.goaways: list[tuple[int, int]] = []
        self.closed = False
        self._ended = False
        self._reader = reader
        self._writer = writer
        self._changed = asyncio.Condition()
        self.h2.initiate_connection()
        self.flush()
        self._task = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def connect(cls, port: int, **settings: int) -> H2Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, **settings)

    @classmethod
    async def connect_tls(cls, port: int, server_name: str, context: ssl.SSLContext) -> H2Client:
        """context: offers h2."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=server_name)
        return cls(reader, writer)

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if not self._ended:
            self._writer.write(data)

    def end(self) -> None:
        """Send nothing more."""
        self._ended = True
        self._writer.write_eof()

    def send(
        self,
        path: str = "/a",
        method: str = "GET",
        fields: Fields = (),
        *,
        authority: str = "a.example",
        scheme: str = "http",
        end: bool = True,
    ) -> int:
        """Begin a request; its stream."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path), *fields]
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, head, end_stream=end)
        self.flush()
        return stream

    def payload(self, stream: int, payload: bytes, *, end: bool = False) -> None:
        self.h2.send_data(stream, payload, end_stream=end)
        self.flush()

    def trailers(self, stream: int, fields: Fields) -> None:
        self.h2.send_headers(stream, list(fields), end_stream=True)
        self.flush()

    def reset(self, stream: int) -> None:
        self.h2.reset_stream(stream, error_code=8)
        self.flush()

    async def upload(self, stream: int, size: int) -> None:
        """Send `size` bytes as fast as windows allow, and the end."""
        await self.pour(stream, bytes(size))

    async def pour(self, stream: int, body: bytes, trailers: Fields = ()) -> None:
        """Send a body as fast as windows allow, and the end."""
        left = memoryview(body)
        while left:
            await self.until(lambda: self.h2.local_flow_control_window(stream) > 0)
            piece = left[: min(self.h2.local_flow_control_window(stream), 16384)]
            left = left[len(piece) :]
            self.uploaded_bytes += len(piece)
            self.payload(stream, bytes(piece), end=not left and not trailers)
            await self._writer.drain()
        if trailers:
            self.trailers(stream, trailers)

    def take(self, stream: int, size: int) -> None:
        """Give window back on the stream and the connection."""
        self.h2.acknowledge_received_data(size, stream)
        self.flush()

    async def answer(self, stream: int) -> Answer:
        """The whole answer, or what came before a reset."""
        await self.until(lambda: self.answers[stream].over or self.closed)
        return self.answers[stream]

    async def ask(
        self, path: str = "/a", method: str = "GET", fields: Fields = (), *, body: bytes | None = None, **parts: str
    ) -> Answer:
        """Send a request and wait for its answer."""
        stream = self.send(path, method, fields, end=body is None, **parts)
        if body is not None:
            self.payload(stream, body, end=True)
        return await self.answer(stream)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until what was received makes the condition hold."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(condition)

    async def close(self) -> None:
        self._writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                for event in self.h2.receive_data(data):
                    self._note(event)
                self.flush()
                await self._tell()
        except ConnectionError:
            pass  # the gateway cut it off
        finally:
            self.closed = True
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.last_stream_id or 0, int(event.error_code or 0)))
            return
        answer = self.answers.get(getattr(event, "stream_id", None) or 0)
        if answer is None:
            return
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(_named(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.fields = _named(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = _named(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.pieces.append(event.data)
            if not self.hold and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)


def _named(headers: Iterable[tuple[str | bytes, str | bytes]]) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers}
