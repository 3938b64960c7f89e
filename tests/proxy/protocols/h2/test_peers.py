"""Our two roles against the `h2` package: it must be understood, and must not complain."""

from __future__ import annotations

from random import Random

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h2.heads import response_block
from proxy.protocols.h2.request_blocks import RequestBlock
from proxy.protocols.h2.stream import Stream
from tests.proxy.protocols.h2.recording import ask, client, server

Message = tuple[int, bytes, bool]
"""How many fields, the body, whether trailers follow."""

messages = st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=70_000), st.booleans()), min_size=1, max_size=6)


def referee(*, asks: bool) -> h2.connection.H2Connection:
    peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=asks, header_encoding=None))
    peer.initiate_connection()
    return peer


class Peer:
    """The package's side of a connection: sends messages as windows allow, gives windows back, writes down."""

    def __init__(self, *, asks: bool) -> None:
        self.connection = referee(asks=asks)
        self.unsent: dict[int, tuple[bytes, bool]] = {}
        self.bodies: dict[int, bytes] = {}
        self.heads: dict[int, list[tuple[bytes, bytes]]] = {}
        self.trailers: dict[int, list[tuple[bytes, bytes]]] = {}
        self.ended: set[int] = set()
        self.asked: list[int] = []

    def say(self, stream_id: int, head: list[tuple[bytes, bytes]], body: bytes, trailers: bool) -> None:
        self.connection.send_headers(stream_id, head, end_stream=not body and not trailers)
        if body or trailers:
            self.unsent[stream_id] = (body, trailers)
            self.pump()

    def pump(self) -> None:
        for stream_id, (body, trailers) in list(self.unsent.items()):
            while body and (room := self.connection.local_flow_control_window(stream_id)) > 0:
                size = min(room, len(body), 16384)
                piece, body = body[:size], body[size:]
                self.connection.send_data(stream_id, piece, end_stream=not body and not trailers)
            if body:
                self.unsent[stream_id] = (body, trailers)
                continue
            del self.unsent[stream_id]
            if trailers:
                self.connection.send_headers(stream_id, [(b"x-sum", b"1")], end_stream=True)

    def receive(self, received: bytes) -> None:
        for event in self.connection.receive_data(received):
            if isinstance(event, h2.events.RequestReceived | h2.events.ResponseReceived):
                self.heads[event.stream_id] = [(bytes(name), bytes(value)) for name, value in event.headers]
                self.asked.append(event.stream_id)
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                self.trailers[event.stream_id] = [(bytes(name), bytes(value)) for name, value in event.headers]
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
        self.pump()


def talk(peer: Peer, ours: object, random: Random) -> None:
    """Carry bytes both ways, ours in pieces of any size, until nobody says anything more."""
    while True:
        there, back = peer.connection.data_to_send(), ours.take()  # type: ignore[attr-defined]
        if not there and not back:
            return
        while there:
            size = random.choice((1, 7, 100, 5000, 1 << 20))
            ours.receive(there[:size])  # type: ignore[attr-defined]
            there = there[size:]
        if back:
            peer.receive(back)


def _asking(path: bytes) -> list[tuple[bytes, bytes]]:
    return [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"a")]


def _fields(count: int, at: int) -> list[tuple[bytes, bytes]]:
    return [(b"x-field-%d" % number, b"%d" % (at * number)) for number in range(count)]


@given(messages, messages, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_a_client_of_the_package_is_served(asked: list[Message], answered: list[Message], random: Random) -> None:
    connection, owner = server()
    peer = Peer(asks=True)

    def answer(stream: Stream, _: RequestBlock, __: bool) -> None:
        count, body, trailers = answered[(stream.id // 2) % len(answered)]
        lines = [b"%b: %b" % pair for pair in _fields(count, stream.id)]
        stream.head(response_block([b"HTTP/1.1 200 OK", *lines]), not body and not trailers)
        if body:
            stream.send(body, not trailers)
        if trailers:
            stream.trailers([b"x-sum: 1"])

    owner.on_request = answer
    for at, (count, body, trailers) in enumerate(asked):
        peer.say(1 + 2 * at, _asking(b"/%d" % at) + _fields(count, at), body, trailers)
    talk(peer, connection, random)
    assert not owner.told("failed")
    for at, (count, body, trailers) in enumerate(asked):
        stream_id = 1 + 2 * at
        assert owner.requests[stream_id].head(True).lines[2:] == [b"%b: %b" % pair for pair in _fields(count, at)]
        assert owner.payload_of(stream_id) == body
        assert bool([each for each in owner.told("trailers") if each[1] == stream_id]) == trailers
        count, body, trailers = answered[at % len(answered)]
        assert peer.heads[stream_id] == [(b":status", b"200"), *_fields(count, stream_id)]
        assert peer.bodies.get(stream_id, b"") == body
        assert (stream_id in peer.trailers) == trailers
    assert peer.ended == set(peer.heads)
    assert not connection.streams


@given(messages, messages, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_a_server_of_the_package_is_asked(asked: list[Message], answered: list[Message], random: Random) -> None:
    connection, owner = client()
    peer = Peer(asks=False)
    for at, (count, body, trailers) in enumerate(asked):
        lines = [b"POST /%d HTTP/1.1" % at, b"Host: a", *(b"%b: %b" % pair for pair in _fields(count, at))]
        stream = ask(connection, owner, lines, ended=not body and not trailers)
        if body:
            stream.send(body, not trailers)
        if trailers:
            stream.trailers([b"x-sum: 1"])
    talk(peer, connection, random)
    for stream_id in peer.asked:
        count, body, trailers = answered[(stream_id // 2) % len(answered)]
        peer.say(stream_id, [(b":status", b"200"), *_fields(count, stream_id)], body, trailers)
    talk(peer, connection, random)
    assert not owner.told("failed")
    for at, (count, body, trailers) in enumerate(asked):
        stream_id = 1 + 2 * at
        assert peer.heads[stream_id][4:] == _fields(count, at)
        assert peer.bodies.get(stream_id, b"") == body
        assert (stream_id in peer.trailers) == trailers
        count, body, trailers = answered[at % len(answered)]
        answer = next(each for each in owner.told("answered") if each[1] == stream_id)
        assert answer[2][1:] == tuple(b"%b: %b" % pair for pair in _fields(count, stream_id))  # type: ignore[index]
        assert owner.payload_of(stream_id) == body
        assert bool([each for each in owner.told("trailers") if each[1] == stream_id]) == trailers
    assert not connection.streams


@pytest.fixture(scope="module")
def conversation() -> bytes:
    """What a client of the package sends in a while, some of it broken."""
    peer = Peer(asks=True)
    random = Random(9113)
    for at in range(12):
        head = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/%d" % at), (b":authority", b"a")]
        peer.say(
            1 + 2 * at, head + _fields(random.randint(0, 9), at), random.randbytes(random.randint(0, 4000)), at % 2 > 0
        )
        if at % 5 == 4:
            peer.connection.reset_stream(1 + 2 * at)
        peer.connection.ping(b"%08d" % at)
    return peer.connection.data_to_send() + b"\x00\x00\x04\x08\x00\x00\x00\x00\x00" + bytes(4)


def _events(pieces: list[bytes]) -> tuple[list[object], bytes]:
    connection, owner = server()
    out = []
    for piece in pieces:
        connection.receive(piece)
        out.append(connection.take())
    return list(owner.events), b"".join(out)


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 1000])
def test_every_split_of_the_same_bytes_has_the_same_effect(conversation: bytes, size: int) -> None:
    whole = _events([conversation])
    assert len(whole[0]) > 30
    assert whole[0][-1] == ("failed", 1)
    assert _events([conversation[at : at + size] for at in range(0, len(conversation), size)]) == whole


@given(st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_random_splits_too(random: Random) -> None:
    peer = Peer(asks=True)
    for at in range(3):
        head = [
            (b":method", b"PUT"),
            (b":scheme", b"http"),
            (b":path", b"/"),
            (b":authority", b"a"),
            (b"n", b"%d" % at),
        ]
        peer.say(1 + 2 * at, head, random.randbytes(random.randint(1, 500)), bool(at % 2))
    said = peer.connection.data_to_send()
    pieces, at = [], 0
    while at < len(said):
        size = random.randint(1, 60)
        pieces.append(said[at : at + size])
        at += size
    assert _events(pieces) == _events([said])
