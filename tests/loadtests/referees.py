"""Ends of HTTP/2 made of the `h2` package, against which our generator and backend in C must hold their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, TrailersReceived, WindowUpdated
from h2.settings import SettingCodes, Settings

from loadtests.compare.work import PAGE

Values = dict[SettingCodes, int]
NARROW: Values = {SettingCodes.INITIAL_WINDOW_SIZE: 40, SettingCodes.HEADER_TABLE_SIZE: 0}
"""Less than a message, and no dynamic table."""
Fields = dict[bytes, bytes]


class Waiting:
    """Sends as far as windows go."""

    def __init__(self, connection: H2Connection) -> None:
        self._connection = connection
        self._bytes: dict[int, bytes] = {}

    def send(self, stream: int, data: bytes) -> None:
        self._bytes[stream] = self._bytes.get(stream, b"") + data
        self.go_on()

    def go_on(self) -> None:
        for stream, data in list(self._bytes.items()):
            while data and (allowed := min(self._connection.local_flow_control_window(stream), 16384)):
                self._connection.send_data(stream, data[:allowed])
                data = data[allowed:]
            self._bytes[stream] = data

    def empty(self, stream: int) -> bool:
        return not self._bytes.get(stream)


class Server:
    """Pages that end in the path, and echoed messages. requests: what was asked."""

    def __init__(self, settings: Values, status: str) -> None:
        self.requests: list[Fields] = []
        self._by_stream: dict[int, Fields] = {}
        self._status = status
        self._connection = H2Connection(H2Configuration(client_side=False))
        self._connection.local_settings = Settings(client=False, initial_values=settings)
        self._waiting = Waiting(self._connection)

    def serve(self, client: socket.socket) -> None:
        self._connection.initiate_connection()
        client.sendall(self._connection.data_to_send())
        while wire := client.recv(1 << 16):
            for event in self._connection.receive_data(wire):
                self._follow(event)
            client.sendall(self._connection.data_to_send())

    def _follow(self, event: Event) -> None:
        connection = self._connection
        match event:
            case RequestReceived(stream_id=int(stream), headers=list(headers)):
                fields = {bytes(name): bytes(value) for name, value in headers}
                self.requests.append(fields)
                self._by_stream[stream] = fields
                connection.send_headers(stream, [(":status", self._status), ("content-type", "text/plain")])
            case DataReceived(stream_id=int(stream), data=bytes(data), flow_controlled_length=int(charged)):
                connection.acknowledge_received_data(charged, stream)
                self._waiting.send(stream, data)
            case StreamEnded(stream_id=int(stream)):
                fields = self._by_stream.pop(stream)
                if fields[b":method"] == b"GET":
                    self._waiting.send(stream, PAGE.encode() + b" " + fields[b":path"] + b"\n")
                    assert self._waiting.empty(stream)
                    connection.end_stream(stream)
                else:
                    assert self._waiting.empty(stream)
                    connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)
            case WindowUpdated():
                self._waiting.go_on()


@contextmanager
def serving(settings: Values | None = None, status: str = "200") -> Iterator[tuple[int, Server]]:
    """A server of one connection at a time on a port of its own."""
    server = Server(settings or {}, status)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            client, _ = listening.accept()
            with client:
                try:
                    server.serve(client)
                except ConnectionError:  # generators do not say goodbye
                    pass

        thread = threading.Thread(target=accept)
        thread.start()
        yield listening.getsockname()[1], server
        thread.join()


def converse(port: int, requests: list[tuple[list[tuple[str, str]], bytes]], window: int) -> dict[int, list[Event]]:
    """Make requests on one connection, each with its body, granting `window` bytes at a time: the events by stream."""
    connection = H2Connection()
    connection.local_settings = Settings(client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
    connection.initiate_connection()
    waiting, open_streams = Waiting(connection), set[int]()
    for fields, body in requests:
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, fields, end_stream=not body)
        if body:
            waiting.send(stream, body)
            connection.end_stream(stream)
        open_streams.add(stream)
    seen: dict[int, list[Event]] = {stream: [] for stream in open_streams}
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        while open_streams:
            wire.sendall(connection.data_to_send())
            heard = wire.recv(1 << 16)
            assert heard, "the backend closed the connection"
            for event in connection.receive_data(heard):
                if isinstance(event, DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                if isinstance(event, StreamEnded):
                    open_streams.discard(event.stream_id)
                if (number := getattr(event, "stream_id", None)) in seen:
                    seen[number].append(event)
    return seen


def body_of(events: list[Event]) -> bytes:
    """The body among the events of a stream."""
    return b"".join(event.data or b"" for event in events if isinstance(event, DataReceived))


def trailers_of(events: list[Event]) -> Fields:
    """The trailers among the events of a stream."""
    return {
        bytes(name): bytes(value)
        for event in events
        if isinstance(event, TrailersReceived)
        for name, value in event.headers or ()
    }
