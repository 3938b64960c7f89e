"""How HTTP/2 connections begin and end: by a preface, in two steps, for idleness, for a fault, with their port."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from h2.errors import ErrorCodes

from proxy.http.port import HttpPort
from proxy.options import HttpLimits, HttpTimeouts, ProxyOptions
from proxy.protocols.h2 import frames
from proxy.protocols.tls import TlsInfo
from tests.proxy.http import stage as stages
from tests.proxy.http.h2_client import H2Client
from tests.proxy.http.stage import Stage, answering, forward, read_head, staged

OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
GET = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n"
OPTIONS = ProxyOptions(access_log="off")
GREETING = frames.PREFACE + frames.settings({})


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


def kinds(data: bytes) -> list[int]:
    """The types of the frames in what a gateway sent."""
    found = []
    while data:
        size = int.from_bytes(data[:3], "big")
        found.append(data[3])
        data = data[9 + size :]
    return found


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_a_preface_in_any_pieces_begins_http_2(piece: int) -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for at in range(0, len(GREETING), piece):
            writer.write(GREETING[at : at + piece])
            await writer.drain()
            await asyncio.sleep(0)
        head = await reader.readexactly(9)
        assert head[3] == frames.SETTINGS
        assert stage.metrics.connections == stage.metrics.connections_total == 1
        writer.close()

    staged(test, answering(OK))


@pytest.mark.parametrize("between", [b"", b"\r\n"], ids=["whole", "after an empty line"])
@pytest.mark.parametrize("rest", [GREETING, GREETING[:20]], ids=["at once", "in part"])
def test_a_preface_after_a_request_is_no_preface(rest: bytes, between: bytes) -> None:
    async def test(stage: Stage) -> None:
        for request, answer in ((GET, OK), (GET.replace(b"GET", b"HEAD"), OK[:-2])):  # by the lane, and not
            reader, writer = await stage.connect()
            for _ in range(2):
                writer.write(request)
                assert await reader.readexactly(len(answer)) == answer
            writer.write(between + rest[:10])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(rest[10:])
            assert (await read_head(reader)).startswith(b"HTTP/1.1 505 ")
            writer.close()

    staged(test, answering(OK, OK, OK[:-2]))


@pytest.mark.parametrize(
    ("alpn", "begins"), [("http/1.1", b"HTTP/1.1 505 "), (None, b"HTTP/1.1 505 "), ("h2", b"\0\0")]
)
def test_alpn_decides_inside_tls(alpn: str | None, begins: bytes) -> None:
    tls = TlsInfo("a.example", "TLSv1.3", alpn, "ns/g/l")

    async def test(stage: Stage) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: stage.port.protocol(tls), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(GREETING)
        assert (await reader.read(100)).startswith(begins)
        writer.close()
        server.close()

    staged(test, answering(OK))


async def until_gone(port: HttpPort) -> None:
    async with asyncio.timeout(stages.DEADLINE_S):
        while port.connection_count:
            await asyncio.sleep(0.01)


def test_a_drain_ends_in_two_steps_and_loses_nothing() -> None:
    release, came = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            if b"/slow" in await read_head(reader):
                came.set()
                await release.wait()
            writer.write(OK)

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        slow = client.send("/slow")
        await came.wait()
        stage.port.close_idle()
        late = client.send()  # on its way while the gateway says that it leaves
        await client.until(lambda: len(client.goaways) == 2)
        assert client.goaways == [(2**31 - 1, 0), (late, 0)]
        assert (await client.answer(late)).body == b"hi"
        release.set()
        assert (await client.answer(slow)).body == b"hi"
        await client.until(lambda: client.closed)
        await until_gone(stage.port)
        await client.close()

    staged(test, handler)


def test_a_connection_whose_port_has_no_listener_any_more_ends() -> None:
    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        assert (await client.ask()).status == 200
        stage.port.update(HttpPort(stage.services).site)
        await client.until(lambda: client.closed)
        assert [code for _, code in client.goaways] == [0, 0]
        await client.close()

    staged(test, answering(OK))


def test_a_handshake_that_is_not_good_enough_any_more_begins_no_request() -> None:
    release, came = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        came.set()
        await release.wait()
        writer.write(OK)

    async def test(stage: Stage) -> None:
        listener = next(iter(stage.port.site.names))
        tls = TlsInfo("a.example", "TLSv1.3", "h2", listener)
        server = await asyncio.get_running_loop().create_server(lambda: stage.port.protocol(tls), "127.0.0.1", 0)
        client = await H2Client.connect(server.sockets[0].getsockname()[1])
        early = client.send()
        await came.wait()
        stage.port.update(stage.port.site, frozenset((listener,)))
        client.send()
        await client.until(lambda: bool(client.goaways))
        assert client.goaways == [(early, 0)]
        release.set()
        assert (await client.answer(early)).body == b"hi"
        await client.until(lambda: client.closed)
        assert stage.metrics.unrouted.by_class == [0] * len(stage.metrics.unrouted.by_class)
        await client.close()
        server.close()

    staged(test, slow)


def test_a_client_has_a_while_to_read_the_end_whatever_else_was_due() -> None:
    head_s = 0.2
    options = replace(OPTIONS, timeouts=HttpTimeouts(head_s=head_s, linger_s=60.0))

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GREETING + b"\0\0\0\7\0\0\0\0\0")  # a GOAWAY that is too short
        assert kinds(await reader.read())[-1] == frames.GOAWAY
        await asyncio.sleep(2 * head_s)
        assert stage.port.connection_count == 1
        writer.close()
        await until_gone(stage.port)

    staged(test, answering(OK), options=options)


def test_a_client_that_does_not_answer_a_ping_is_left_after_a_while() -> None:
    options = replace(OPTIONS, timeouts=HttpTimeouts(linger_s=0.1))

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GREETING + frames.SETTINGS_ACK)
        await reader.readexactly(9)
        stage.port.close_idle()
        received = await reader.read()
        assert kinds(received[-(17 + 17) :]) == [frames.PING, frames.GOAWAY]
        writer.close()
        await until_gone(stage.port)

    staged(test, answering(OK), options=options)


@pytest.mark.parametrize(
    ("sent", "timeouts", "code"),
    [
        (frames.PREFACE[:10], HttpTimeouts(head_s=0.1, linger_s=0.1), None),
        (frames.PREFACE, HttpTimeouts(head_s=0.1, linger_s=0.1), 4),
        (GREETING, HttpTimeouts(head_s=0.1, linger_s=0.1), 4),
        (GREETING + frames.SETTINGS_ACK, HttpTimeouts(keep_alive_idle_s=0.1, linger_s=0.1), 0),
    ],
    ids=["half a preface", "no settings", "no acknowledgement", "no request"],
)
def test_a_client_that_does_nothing_is_left(sent: bytes, timeouts: HttpTimeouts, code: int | None) -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(sent)
        received = await reader.read()
        if code is None:
            assert b"408 Request Timeout" in received
        else:
            assert bytes((frames.GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code)) in received
        writer.close()
        await until_gone(stage.port)

    staged(test, answering(OK), options=replace(OPTIONS, timeouts=timeouts))


def test_an_end_of_the_client_lets_answers_come_and_ends_unfinished_requests() -> None:
    release, came, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/up" in await read_head(reader):
            came.set()
            await reader.read()
            gone.set()
            return
        await release.wait()
        writer.write(OK)

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        stream, up = client.send(), client.send("/up", "POST", end=False)
        await came.wait()
        client.end()
        await gone.wait()
        release.set()
        await client.until(lambda: client.closed)
        assert client.answers[stream].body == b"hi" and client.answers[up].reset == 8
        await client.close()

    staged(test, handler)


def test_a_connection_over_the_limit_is_told_so() -> None:
    options = replace(OPTIONS, limits=HttpLimits(connection_limit=1))
    tls = TlsInfo("a.example", "TLSv1.3", "h2", "ns/g/l")

    async def test(stage: Stage) -> None:
        held = await H2Client.connect(stage.number)
        assert (await held.ask()).status == 200
        server = await asyncio.get_running_loop().create_server(lambda: stage.port.protocol(tls), "127.0.0.1", 0)
        over = await H2Client.connect(server.sockets[0].getsockname()[1])
        await over.until(lambda: over.closed)
        assert over.goaways == [(0, 11)]
        assert (await held.ask()).status == 200
        for client in (over, held):
            await client.close()
        server.close()

    staged(test, answering(OK), options=options)


@pytest.mark.parametrize("timeout", ["request_timeout_s", "backend_timeout_s"])
def test_a_rules_timeout_is_a_504_of_its_stream(timeout: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/late" in await read_head(reader):
            await reader.read()
        writer.write(OK)

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        assert (await client.ask("/late")).status == 504
        assert (await client.ask("/a")).status == 200
        await client.close()

    staged(test, handler, [forward("/late", **{timeout: 0.1}), forward("/a")])  # type: ignore[arg-type]


def test_a_body_that_does_not_come_is_a_408_of_its_stream() -> None:
    options = replace(OPTIONS, timeouts=HttpTimeouts(client_idle_s=0.1))

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        answer = await client.answer(client.send(method="POST", end=False))
        assert answer.status == 408
        assert (await client.ask()).status == 200
        await client.close()

    staged(test, answering(OK), options=options)


def test_a_body_that_was_answered_may_end_within_a_while_and_then_is_not_wanted() -> None:
    options = replace(OPTIONS, timeouts=HttpTimeouts(linger_s=0.1))

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        quick = client.send("/nowhere", method="POST", end=False)
        client.payload(quick, b"body", end=True)
        assert (await client.answer(quick)).status == 404
        slow = client.send("/nowhere", method="POST", end=False)
        answer = await client.answer(slow)
        await client.until(lambda: answer.reset == ErrorCodes.NO_ERROR)
        assert answer.status == 404 and client.answers[quick].reset is None
        assert (await client.ask("/a")).status == 200
        await client.close()

    staged(test, answering(OK), [forward("/a")], options)
