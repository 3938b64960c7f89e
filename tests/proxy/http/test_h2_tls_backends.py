"""Requests through a real proxy to a backend that speaks HTTP/2 inside TLS alone: whole answers, and ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import h11
import pytest

from certs.contexts import server_context
from certs.trust import parse_trust
from proxy.snapshot.clusters import Cluster, Endpoint, UpstreamTls
from tests.proxy.certificates import authority, bundle
from tests.proxy.gateway import eventually, free_port, gateway, http, run
from tests.proxy.http.h2_backend import Asked, H2Backend
from tests.proxy.http.h2_client import H2Client

MANY_BYTES = 3_000_000
"""Many times the window of 65,535 bytes that a stream begins with, and what the kernel keeps of a connection."""

Fields = dict[str, str]


@dataclass
class Got:
    """status: 0 where no head came. whole: to its proper end."""

    status: int = 0
    body: bytes = b""
    trailers: Fields = field(default_factory=dict)
    whole: bool = False


class Client(Protocol):
    """One connection to the gateway, in either version of HTTP."""

    async def ask(self, body: bytes = b"", trailers: Fields | None = None) -> Got:
        """A GET, or a POST of a body; the answer is read while the body is sent."""

    async def close(self) -> None:
        """Go."""


class Http1:
    """Made of the `h11` package."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.CLIENT)

    @classmethod
    async def connect(cls, port: int) -> Http1:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, body: bytes = b"", trailers: Fields | None = None) -> Got:
        sending = asyncio.create_task(self._send(body, trailers or {}))
        got = Got()
        while not got.whole:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(65536)
                if not data:
                    sending.cancel()
                    return got
                self._h11.receive_data(data)
            elif isinstance(event, h11.Response):
                got.status = event.status_code
            elif isinstance(event, h11.Data):
                got.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                got.trailers = {name.decode(): value.decode() for name, value in event.headers}
                got.whole = True
        await sending
        self._h11.start_next_cycle()
        return got

    async def _send(self, body: bytes, trailers: Fields) -> None:
        head = [("Host", "a.example"), ("TE", "trailers"), ("Connection", "TE")]
        framing = [("Transfer-Encoding", "chunked")] if body or trailers else []
        self._write(h11.Request(method="POST" if framing else "GET", target="/a", headers=[*head, *framing]))
        for begin in range(0, len(body), 65536):
            self._write(h11.Data(body[begin : begin + 65536]))
            await self._writer.drain()
        self._write(h11.EndOfMessage(headers=list(trailers.items())))

    def _write(self, event: h11.Event) -> None:
        self._writer.write(self._h11.send(event) or b"")

    async def close(self) -> None:
        self._writer.close()


class Http2:
    """Made of the `h2` package."""

    def __init__(self, client: H2Client) -> None:
        self._client = client

    @classmethod
    async def connect(cls, port: int) -> Http2:
        return cls(await H2Client.connect(port))

    async def ask(self, body: bytes = b"", trailers: Fields | None = None) -> Got:
        empty = not body and not trailers
        te = (("te", "trailers"),)
        stream = self._client.send("/a", "GET" if empty else "POST", te, end=empty)
        if not empty:
            await self._client.pour(stream, body, tuple((trailers or {}).items()))
        answer = await self._client.answer(stream)
        return Got(answer.status, answer.body, answer.trailers, answer.ended)

    async def close(self) -> None:
        await self._client.close()


@pytest.fixture(params=[Http1, Http2])
def version(request: pytest.FixtureRequest) -> type[Http1] | type[Http2]:
    kind: type[Http1] | type[Http2] = request.param
    return kind


def asking(version: type[Http1] | type[Http2], backend: H2Backend, test: Callable[[Client], Awaitable[None]]) -> None:
    """Run a test with a client and a gateway; at its end all connections to the backend end by themselves."""

    async def whole() -> None:
        _, port = await backend.start(server_context(bundle("a.test"), ["h2"]))
        tls = UpstreamTls("a.test", parse_trust(authority().ca_pem))
        async with gateway() as gate:
            front = free_port()
            endpoint = Endpoint("ip", "127.0.0.1", port)
            await gate.apply([http(front, "c")], {"c": Cluster("c", "http2", (endpoint,), tls=tls)})
            client = await version.connect(front)
            try:
                await test(client)
            finally:
                await client.close()
        await eventually(lambda: all(connection.closed for connection in backend.connections))
        backend.close()

    run(whole)


def test_bodies_and_trailers_go_both_ways(version: type[Http1] | type[Http2]) -> None:
    def answer(asked: Asked) -> None:
        asked.head()
        asked.pour(asked.body[::-1])
        asked.end((b"x-sum", b"1"))

    async def test(client: Client) -> None:
        for _ in range(2):
            got = await client.ask(b"abc", {"x-t": "2"})
            assert got == Got(200, b"cba", {"x-sum": "1"}, whole=True)
        assert [asked.trailers for asked in backend.asked] == [[(b"x-t", b"2")]] * 2
        assert {asked.field(b":scheme") for asked in backend.asked} == {b"https"}
        assert len(backend.connections) == 1

    backend = H2Backend(answer)
    asking(version, backend, test)


def test_large_bodies_go_both_ways_at_once(version: type[Http1] | type[Http2]) -> None:
    """The answer begins with the request, so that windows hold both up at the same time, and ends after it."""
    up, down = (random.Random(seed).randbytes(MANY_BYTES) for seed in (1, 2))

    def begin(asked: Asked) -> None:
        asked.head()
        asked.pour(down)

    async def test(client: Client) -> None:
        got = await client.ask(up, {"x-t": "2"})
        assert (got.status, got.trailers, got.whole) == (200, {"x-sum": "1"}, True)
        assert got.body == down
        (asked,) = backend.asked
        assert asked.body == up
        assert asked.trailers == [(b"x-t", b"2")]

    backend = H2Backend(lambda asked: asked.end((b"x-sum", b"1")))
    backend.on_head = begin
    asking(version, backend, test)


@pytest.mark.parametrize("how", ["goaway", "close_notify", "both"])
def test_a_connection_that_its_backend_ends_is_replaced(version: type[Http1] | type[Http2], how: str) -> None:
    """What is under way when a GOAWAY comes is answered there."""
    goaway = bytes((0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0))  # the last stream is 1; the package would stop

    def answer(asked: Asked) -> None:
        first = len(backend.asked) == 1
        if first and how != "close_notify":
            asked.connection.transport.write(goaway)
        asked.answer()
        if first and how != "goaway":
            asked.connection.transport.close()

    async def test(client: Client) -> None:
        for number in (1, 2, 2):
            assert await client.ask() == Got(200, b"hi", whole=True)
            await eventually(lambda: backend.connections[0].closed)
            assert len(backend.connections) == number

    backend = H2Backend(answer)
    asking(version, backend, test)


def test_an_answer_that_a_close_notify_cuts_off_is_not_whole(version: type[Http1] | type[Http2]) -> None:
    def answer(asked: Asked) -> None:
        asked.head()
        asked.pour(b"some of it")
        asked.connection.transport.close()

    async def test(client: Client) -> None:
        got = await client.ask()
        assert (got.status, got.whole) == (200, False)
        await eventually(lambda: backend.connections[0].closed)

    backend = H2Backend(answer)
    asking(version, backend, test)


def test_a_gateway_that_stops_says_goodbye(version: type[Http1] | type[Http2]) -> None:
    """To backends as well: a GOAWAY, and the end of TLS."""

    async def test(client: Client) -> None:
        assert (await client.ask()).whole

    backend = H2Backend()
    asking(version, backend, test)
    (connection,) = backend.connections
    assert (connection.goaway, connection.error) == (0, None)
