"""Own TLS in memory: an OpenSSL client on one side, a fake transport between, an inner protocol on the other.

The connections share their BIOs, so the last test is one of secrecy: whatever clients do, nobody gets another's bytes.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.contexts import server_context
from proxy.protocols.client_hello import ClientHello
from proxy.protocols.tls import Decision, HandOver, Refuse, Terminate, TlsConnection, TlsInfo
from proxy.protocols.tls_stream import Buffers
from tests.proxy.certificates import bundle, trusting_client

CONTEXT = server_context(bundle("a.test"), ["http/1.1"])
CLIENT = trusting_client()
BUFFERS = Buffers()


class Timers:
    """The part of an event loop that a connection uses; time passes when told."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timers:
        self.due.append(callback)
        return self

    def cancel(self) -> None:
        self.due.clear()


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = self.aborted = self.paused = False

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("192.0.2.1", 1)}.get(name, default)


class Inner(asyncio.Protocol):
    """Records what comes in; `greeting` is sent at once, every request answered by `answer`."""

    def __init__(self, answer: bytes = b"", greeting: bytes = b"", stay: bool = False) -> None:
        self.received = bytearray()
        self.answer, self.greeting, self.stay = answer, greeting, stay
        self.events: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = cast(TlsConnection, transport)
        self.transport.write(self.greeting)

    def data_received(self, data: bytes) -> None:
        assert not BUFFERS.incoming.pending
        assert not BUFFERS.outgoing.pending
        self.received += data
        self.transport.write(self.answer)

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.stay

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append("lost")


class Pair:
    """A connection under test with its client."""

    def __init__(self, inner: Inner | None = None, decision: Decision | None = None, room: bool = True) -> None:
        self.inner = inner or Inner()
        self.infos: list[TlsInfo] = []
        self.hellos: list[ClientHello] = []
        self.open = 0
        self.room = room
        self.decision = decision or Terminate(CONTEXT, "listener", self._make)
        self.timers = Timers()
        self.wire = Wire()
        self.server = TlsConnection(cast(asyncio.AbstractEventLoop, self.timers), self, BUFFERS, 10)
        self.server.connection_made(cast(asyncio.Transport, self.wire))
        self.to_client, self.from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = CLIENT.wrap_bio(self.to_client, self.from_client, server_hostname="a.test")
        self.got = bytearray()
        self.over = False

    def _make(self, info: TlsInfo) -> Inner:
        self.infos.append(info)
        return self.inner

    def opened(self, connection: TlsConnection) -> bool:
        self.open += 1
        return self.room

    def closed(self, connection: TlsConnection) -> None:
        self.open -= 1

    def decide(self, hello: ClientHello) -> Decision:
        self.hellos.append(hello)
        return self.decision

    def shake(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        for _ in range(6):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            self.flow(cut)

    def flow(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        """Carry what both sides have written."""
        for part in cut(self.from_client.read()):
            if part:
                self.server.data_received(part)
                assert not BUFFERS.incoming.pending
                assert not BUFFERS.outgoing.pending
        self.to_client.write(bytes(self.wire.written))
        self.wire.written.clear()

    def say(self, data: bytes, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        self.client.write(data)
        self.flow(cut)
        self.hear()

    def hear(self) -> None:
        try:
            while part := self.client.read(65536):
                self.got += part
            self.over = True
        except ssl.SSLWantReadError:
            pass


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise], ids=["whole", "bytewise"])
def test_a_handshake_and_bytes_both_ways(cut: Callable[[bytes], list[bytes]]) -> None:
    pair = Pair(Inner(answer=b"pong", greeting=b"hello "))
    pair.shake(cut)
    pair.say(b"ping", cut)
    assert bytes(pair.got) == b"hello pong"
    assert bytes(pair.inner.received) == b"ping"
    assert pair.infos == [TlsInfo("a.test", "TLSv1.3", None, "listener")]
    assert not pair.timers.due


@given(st.lists(st.binary(min_size=1, max_size=40_000), max_size=4), st.integers(1, 20_000))
@settings(max_examples=25)
def test_any_split_carries_the_same_bytes(messages: list[bytes], size: int) -> None:
    pair = Pair()
    pair.shake()
    for message in messages:
        pair.say(message, lambda data: [data[at : at + size] for at in range(0, len(data), size)])
    assert bytes(pair.inner.received) == b"".join(messages)


def test_large_answers_arrive_whole() -> None:
    pair = Pair(Inner(answer=bytes(1_000_000)))
    pair.shake()
    pair.say(b"x")
    assert len(pair.got) == 1_000_000


def test_bytes_that_come_with_the_last_handshake_message_are_delivered() -> None:
    pair = Pair()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.flow()
    pair.client.do_handshake()
    pair.client.write(b"early")
    pair.flow()
    assert bytes(pair.inner.received) == b"early"


def test_a_close_notify_ends_what_is_inside() -> None:
    pair = Pair()
    pair.shake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.flow()
    assert pair.inner.events == ["made", "eof"]
    assert pair.wire.closed
    assert not pair.wire.aborted


def test_what_follows_a_close_notify_is_thrown_away() -> None:
    pair = Pair(Inner(stay=True))
    pair.shake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.server.data_received(pair.from_client.read() + b"more")
    assert not BUFFERS.incoming.pending
    assert not pair.inner.received


def test_half_closes_both_ways() -> None:
    pair = Pair(Inner(stay=True))
    pair.shake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.flow()
    assert not pair.wire.closed
    assert pair.server.eof_received()
    pair.server.write(b"still here")
    pair.server.write_eof()
    pair.flow()
    assert pair.client.read(100) == b"still here"


def test_our_half_close_lets_the_client_go_on() -> None:
    pair = Pair(Inner(stay=True))
    pair.shake()
    pair.server.write_eof()
    pair.flow()
    pair.hear()
    assert pair.over
    assert not pair.wire.closed
    pair.client.write(b"late")
    pair.flow()
    assert bytes(pair.inner.received) == b"late"


def test_an_end_without_close_notify_is_no_end_of_stream() -> None:
    pair = Pair()
    pair.shake()
    assert not pair.server.eof_received()
    pair.server.connection_lost(None)
    assert pair.inner.events == ["made", "lost"]
    assert pair.open == 0


def test_closing_says_so_and_does_not_wait() -> None:
    pair = Pair()
    pair.shake()
    pair.server.close()
    assert pair.wire.closed
    assert pair.server.is_closing()
    pair.server.write(b"too late")


def test_a_slow_client_is_cut() -> None:
    pair = Pair()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.server.data_received(pair.from_client.read()[:20])
    (timeout,) = pair.timers.due
    timeout()
    assert pair.wire.aborted


def test_rubbish_instead_of_a_hello_is_cut() -> None:
    pair = Pair()
    pair.server.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert pair.wire.aborted
    assert not pair.wire.written


def test_a_connection_too_many_is_cut() -> None:
    assert Pair(room=False).wire.aborted


@pytest.mark.parametrize(("alert", "written"), [(None, b""), (112, b"\x15\x03\x03\x00\x02\x02\x70")])
def test_a_refusal(alert: int | None, written: bytes) -> None:
    pair = Pair(decision=Refuse(alert))
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.server.data_received(pair.from_client.read())
    assert bytes(pair.wire.written) == written
    assert pair.wire.closed
    assert pair.wire.aborted == (alert is None)
    (timeout,) = pair.timers.due  # for a client that does not take the alert
    timeout()
    assert pair.wire.aborted


def test_handing_over_gives_exactly_the_bytes_that_came() -> None:
    taken: list[Any] = []
    pair = Pair(decision=HandOver(lambda transport, data: taken.append((transport, data))))
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    hello = pair.from_client.read()
    for part in bytewise(hello):
        pair.server.data_received(part)
    assert taken == [(pair.wire, hello)]
    assert not pair.wire.written


def test_a_damaged_record_ends_only_its_connection() -> None:
    good, bad = Pair(), Pair()
    good.shake()
    bad.shake()
    bad.client.write(b"secret")
    damaged = bytearray(bad.from_client.read())
    damaged[-1] ^= 1
    bad.server.data_received(bytes(damaged) + b"leftover")
    assert bad.wire.closed
    good.say(b"fine")
    assert bytes(good.inner.received) == b"fine"
    assert not bad.inner.received


def test_an_inner_protocol_that_fails_leaves_nothing_behind() -> None:
    class Failing(Inner):
        def data_received(self, data: bytes) -> None:
            self.transport.write(b"half an answer")
            raise RuntimeError

    failing, good = Pair(Failing()), Pair(Inner(answer=b"ok"))
    failing.shake()
    good.shake()
    failing.client.write(b"x")
    with pytest.raises(RuntimeError):
        failing.flow()
    good.say(b"y")
    assert bytes(good.got) == b"ok"


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_no_bytes_ever_cross_between_connections(seed: int) -> None:
    """Many clients at once: honest, cut anywhere, damaged, ended early. Each side sees a beginning of its own story."""
    chance = random.Random(seed)
    pairs = [Pair(Inner(answer=b"<%d>" % number * chance.choice((1, 5000)))) for number in range(5)]
    stories = [bytearray() for _ in pairs]
    pending = [bytearray() for _ in pairs]
    for _ in range(120):
        number = chance.randrange(len(pairs))
        pair = pairs[number]
        try:
            pair.client.do_handshake()
            message = b"[%d]" % number * chance.choice((1, 10, 9000))
            pair.client.write(message)
            stories[number] += message
            if chance.random() < 0.02:
                pair.client.unwrap()
        except ssl.SSLError:
            pass
        pending[number] += pair.from_client.read()
        size = chance.randrange(len(pending[number]) + 1)
        data = bytearray(pending[number][:size])
        del pending[number][:size]
        match chance.random():
            case roll if roll < 0.03 and data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case roll if roll < 0.05:
                data += chance.randbytes(chance.randrange(100))
            case roll if roll < 0.06:
                pair.server.connection_lost(None)
        if data:
            pair.server.data_received(bytes(data))
        assert not BUFFERS.incoming.pending
        assert not BUFFERS.outgoing.pending
        pair.to_client.write(bytes(pair.wire.written))
        pair.wire.written.clear()
        try:
            pair.hear()
        except ssl.SSLError:
            pass
    for number, pair in enumerate(pairs):
        assert stories[number].startswith(bytes(pair.inner.received))
        assert bytes(pair.got).replace(b"<%d>" % number, b"") == b""
