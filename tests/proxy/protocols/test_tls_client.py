"""The client's end of TLS in memory: an OpenSSL server on one side, a fake transport between, an inner protocol inside.

All connections share their BIOs, so the last test is one of secrecy: whatever backends do, nobody gets another's bytes.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.contexts import server_context
from proxy.protocols.tls_client import BrokenOffError, CutOffError, HandshakeError, TlsClient
from proxy.protocols.tls_stream import Buffers
from tests.proxy.certificates import bundle, trusting_client
from tests.proxy.protocols.test_tls import Wire, bytewise

SERVER = server_context(bundle("a.test"), ["http/1.1"])
CLIENT = trusting_client()
BUFFERS = Buffers()


class Inner(asyncio.Protocol):
    """Records what comes in; `greeting` is sent at once."""

    def __init__(self, greeting: bytes = b"", stay: bool = False) -> None:
        self.received = bytearray()
        self.greeting, self.stay = greeting, stay
        self.events: list[str] = []
        self.error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = cast(TlsClient, transport)
        if self.greeting:
            self.transport.write(self.greeting)

    def data_received(self, data: bytes) -> None:
        assert not BUFFERS.incoming.pending
        assert not BUFFERS.outgoing.pending
        self.received += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.stay

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append("lost")
        self.error = error


class Pair:
    """A connection under test with its backend."""

    def __init__(
        self,
        inner: Inner | None = None,
        server: ssl.SSLContext = SERVER,
        name: str = "a.test",
        context: ssl.SSLContext = CLIENT,
        accepts: Callable[[bytes], bool] | None = None,
        alpn: str | None = None,
    ) -> None:
        self.inner = inner or Inner()
        self.wire = Wire()
        self.client = TlsClient(self.inner, BUFFERS, context, name, accepts=accepts, alpn=alpn)
        self.to_server, self.from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(self.to_server, self.from_server, server_side=True)
        self.got = bytearray()
        self.client.connection_made(cast(asyncio.Transport, self.wire))

    def shake(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        for _ in range(4):
            self.carry()
            try:
                self.server.do_handshake()
            except ssl.SSLError:
                pass
            self.flow(cut)

    def carry(self) -> None:
        self.to_server.write(bytes(self.wire.written))
        self.wire.written.clear()

    def flow(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        """Carry what the backend has written."""
        for part in cut(self.from_server.read()):
            if part:
                self.client.data_received(part)
                assert not BUFFERS.incoming.pending
                assert not BUFFERS.outgoing.pending

    def hear(self) -> None:
        self.carry()
        try:
            while part := self.server.read(65536):
                self.got += part
        except ssl.SSLWantReadError:
            pass

    def failure(self) -> HandshakeError:
        with asyncio.Runner() as runner, pytest.raises(HandshakeError) as failed:
            runner.run(self.client.shaken(runner.get_loop()))
        return failed.value


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise], ids=["whole", "bytewise"])
def test_a_handshake_and_bytes_both_ways(cut: Callable[[bytes], list[bytes]]) -> None:
    pair = Pair(Inner(greeting=b"ping"))
    pair.shake(cut)
    with asyncio.Runner() as runner:
        runner.run(pair.client.shaken(runner.get_loop()))
    pair.hear()
    pair.server.write(b"pong")
    pair.flow(cut)
    assert (bytes(pair.got), bytes(pair.inner.received)) == (b"ping", b"pong")


def test_nothing_is_sent_inside_before_the_backend_is_believed() -> None:
    pair = Pair(Inner(greeting=b"secret"), accepts=lambda _: False)
    pair.shake()
    assert (pair.inner.events, pair.wire.aborted) == ([], True)
    pair.hear()
    assert not pair.got


@pytest.mark.parametrize(
    ("pair", "words", "untrusted"),
    [
        (lambda: Pair(name="b.test"), "Hostname mismatch", True),
        (lambda: Pair(context=ssl.create_default_context()), "unable to get local issuer certificate", True),
        (lambda: Pair(accepts=lambda _: False), "none of the wanted names", True),
        (lambda: Pair(alpn="h2"), "does not speak h2", False),
    ],
    ids=["name", "authority", "names", "alpn"],
)
def test_a_backend_that_is_not_the_wanted_one_is_refused(pair: Callable[[], Pair], words: str, untrusted: bool) -> None:
    made = pair()
    made.shake()
    error = made.failure()
    assert words in str(error)
    assert error.untrusted is untrusted
    assert made.wire.closed
    made.client.connection_lost(None)
    assert made.inner.events == []


def test_a_backend_that_speaks_no_tls_is_refused() -> None:
    pair = Pair()
    pair.client.data_received(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert "TLS with the backend failed" in str(pair.failure())


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")])
def test_a_backend_that_goes_away_is_no_backend(error: Exception | None) -> None:
    pair = Pair()
    pair.client.connection_lost(error)
    assert "closed the connection during the handshake" in str(pair.failure())
    assert not pair.failure().untrusted


def test_waiting_for_the_handshake_can_be_given_up() -> None:
    async def wait(pair: Pair) -> None:
        waiting = asyncio.ensure_future(pair.client.shaken(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    pair = Pair()
    with asyncio.Runner() as runner:
        runner.run(wait(pair))
    assert pair.wire.aborted
    pair.client.connection_lost(None)
    assert pair.inner.events == []


def test_an_end_without_close_notify_is_an_error() -> None:
    pair = Pair()
    pair.shake()
    assert not pair.client.eof_received()
    pair.client.connection_lost(None)
    assert isinstance(pair.inner.error, CutOffError)


def test_a_close_notify_is_an_orderly_end() -> None:
    pair = Pair()
    pair.shake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.server.unwrap()
    pair.flow()
    pair.client.connection_lost(None)
    assert pair.inner.events == ["made", "eof", "lost"]
    assert pair.inner.error is None


def test_an_end_that_we_made_is_no_error() -> None:
    pair = Pair()
    pair.shake()
    pair.client.close()
    pair.client.connection_lost(None)
    assert pair.inner.error is None


def test_an_alert_after_the_handshake_tells_why() -> None:
    """TLS 1.3 lets a client believe that all is well before its own certificate is judged."""
    strict = server_context(bundle("a.test"))
    strict.verify_mode = ssl.CERT_REQUIRED
    pair = Pair(server=strict)
    pair.shake()
    pair.client.connection_lost(None)
    assert isinstance(pair.inner.error, BrokenOffError)
    assert "certificate required" in str(pair.inner.error)


def test_connections_that_resume_nothing_keep_reading_tickets() -> None:
    pair = Pair()
    pair.shake()
    pair.hear()
    assert not pair.inner.received
    assert pair.inner.events == ["made"]


@given(st.integers(0, 2**32))
@settings(max_examples=40)
def test_no_bytes_ever_cross_between_connections(seed: int) -> None:
    """Many backends at once: honest, cut anywhere, damaged, ended early. Each side sees the beginning of its own."""
    chance = random.Random(seed)
    pairs = [Pair(Inner(greeting=b"<%d>" % number * chance.choice((1, 5000)))) for number in range(4)]
    stories = [bytearray() for _ in pairs]
    pending = [bytearray() for _ in pairs]
    for _ in range(100):
        number = chance.randrange(len(pairs))
        pair = pairs[number]
        pair.carry()
        try:
            pair.server.do_handshake()
            message = b"[%d]" % number * chance.choice((1, 10, 9000))
            pair.server.write(message)
            stories[number] += message
            pair.hear()
            if chance.random() < 0.02:
                pair.server.unwrap()
        except ssl.SSLError:
            pass
        pending[number] += pair.from_server.read()
        size = chance.randrange(len(pending[number]) + 1)
        data = bytearray(pending[number][:size])
        del pending[number][:size]
        match chance.random():
            case roll if roll < 0.03 and data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case roll if roll < 0.05:
                data += chance.randbytes(chance.randrange(100))
            case roll if roll < 0.06:
                pair.client.connection_lost(None)
        if data:
            pair.client.data_received(bytes(data))
        assert not BUFFERS.incoming.pending
        assert not BUFFERS.outgoing.pending
    for number, pair in enumerate(pairs):
        assert stories[number].startswith(bytes(pair.inner.received))
        assert bytes(pair.got).replace(b"<%d>" % number, b"") == b""
