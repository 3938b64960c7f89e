"""Owners and handlers that write down what a connection tells them, and a wire between two connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.protocols.h1_request import RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.client import ClientConnection
from proxy.protocols.h2.heads import request_block
from proxy.protocols.h2.limits import Limits
from proxy.protocols.h2.request_blocks import RequestBlock
from proxy.protocols.h2.server import ServerConnection
from proxy.protocols.h2.stream import Stream

Event = tuple[object, ...]
LIMITS = Limits()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Handler:
    """Writes down what one stream tells. name: such as 1, the stream's id."""

    def __init__(self, events: list[Event], name: int) -> None:
        self.events = events
        self.name = name

    def interim(self, response: ResponseHead) -> None:
        self.events.append(("interim", self.name, tuple(response.lines)))

    def answered(self, response: ResponseHead, ended: bool) -> None:
        self.events.append(("answered", self.name, tuple(response.lines), ended))

    def payload(self, payload: bytes, ended: bool) -> None:
        self.events.append(("payload", self.name, payload, ended))

    def trailers(self, lines: tuple[bytes, ...]) -> None:
        self.events.append(("trailers", self.name, lines))

    def lost(self, code: int, unprocessed: bool) -> None:
        self.events.append(("lost", self.name, int(code), unprocessed))

    def full(self) -> None:
        self.events.append(("full", self.name))

    def drained(self) -> None:
        self.events.append(("drained", self.name))


class Owner:
    """Writes down what a connection tells its owner."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.streams: dict[int, Stream] = {}
        self.requests: dict[int, RequestBlock] = {}
        self.dirty_count = 0
        self.on_request: Callable[[Stream, RequestBlock, bool], None] | None = None

    def dirty(self) -> None:
        self.dirty_count += 1

    def failed(self, code: int, message: str) -> None:
        self.events.append(("failed", int(code)))

    def empty(self) -> None:
        self.events.append(("empty",))

    def pong(self, payload: bytes) -> None:
        self.events.append(("pong", payload))

    def settled(self) -> None:
        self.events.append(("settled",))

    def room(self) -> None:
        self.events.append(("room",))

    def going_away(self, code: int) -> None:
        self.events.append(("going away", int(code)))

    def requested(self, stream: Stream, request: RequestBlock, ended: bool) -> None:
        stream.handler = Handler(self.events, stream.id)
        self.streams[stream.id] = stream
        self.requests[stream.id] = request
        head = request.head(ended)
        self.events.append(("requested", stream.id, tuple(head.lines), head.length, request.refusal, ended))
        if self.on_request is not None:
            self.on_request(stream, request, ended)

    def told(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event[0] == kind]

    def payload_of(self, stream_id: int) -> bytes:
        """All payload of a stream, joined."""
        return b"".join(bytes(event[2]) for event in self.told("payload") if event[1] == stream_id)  # type: ignore[call-overload]


def server(limits: Limits = LIMITS, clock: Callable[[], float] | None = None) -> tuple[ServerConnection, Owner]:
    owner = Owner()
    return ServerConnection(owner, limits, clock or Clock()), owner


def client(limits: Limits = LIMITS, clock: Callable[[], float] | None = None) -> tuple[ClientConnection, Owner]:
    owner = Owner()
    return ClientConnection(owner, limits, clock or Clock()), owner


def ask(connection: ClientConnection, owner: Owner, lines: Sequence[bytes] = (), *, ended: bool = True) -> Stream:
    """Open a stream whose answer `owner` writes down."""
    handler = Handler(owner.events, connection._next_id)
    front = b"\r\n".join(lines or (b"GET / HTTP/1.1", b"Host: a.example"))
    block = request_block(RequestHead(b"", b"", b"", [], None), front, b"", b"http")
    stream = connection.open(block, handler, head_only=front.startswith(b"HEAD "), ended=ended)
    owner.streams[stream.id] = stream
    return stream


def exchange_bytes(one: ServerConnection | ClientConnection, other: ServerConnection | ClientConnection) -> None:
    """Carry bytes both ways until nobody says anything more."""
    while (there := one.take()) or (back := other.take()):
        if there:
            other.receive(there)
        else:
            one.receive(back)
