"""Requests through a port to raw backends: framing, reuse, retries, refusals, timeouts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import cast

import pytest

from proxy.http.h1_connection import H1Connection
from proxy.options import HttpLimits, HttpTimeouts, ProxyOptions
from proxy.snapshot.filters import RequestHeaderModifier, RequestRedirect, ResponseHeaderModifier, URLRewrite
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, WeightedBackend
from tests.proxy.http import stage as stages
from tests.proxy.http.stage import FakePeer, FakeUpstream, Stage, answering, forward, read_head, staged

GET = b"GET /a?q HTTP/1.1\r\nHost: a.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
OPTIONS = ProxyOptions(access_log="off")


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


def test_a_request_is_forwarded_with_what_a_backend_must_know() -> None:
    seen: list[bytes] = []

    async def test(stage: Stage) -> None:
        head = b"\r\nX-Forwarded-For: 9.9.9.9\r\nForwarded: for=x\r\n\r\n"
        answer = await stage.say(GET.replace(b"\r\n\r\n", head))
        assert answer == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    staged(test, answering(OK, seen=seen))
    assert b"".join(seen) == (
        b"GET /a?q HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
        b"X-Forwarded-Host: a.example\r\nVia: 1.1 gatehouse\r\n\r\n"
    )


def test_a_trusted_proxy_is_believed_and_extended() -> None:
    seen: list[bytes] = []

    async def test(stage: Stage) -> None:
        head = b"\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n"
        await stage.say(GET.replace(b"\r\n\r\n", head))

    staged(test, answering(OK, seen=seen), options=replace(OPTIONS, trusted_proxies=(ip_network("127.0.0.0/8"),)))
    assert b"X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n" in seen[0]


def test_pipelined_requests_are_answered_in_order_on_one_backend_connection() -> None:
    answers = [b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n%d" % n for n in range(4)]

    async def test(stage: Stage) -> None:
        assert await stage.say(GET * 4) == b"".join(answers[:3]) + answers[3].replace(
            b"1\r\n\r\n", b"1\r\nConnection: close\r\n\r\n"
        )

    staged(test, answering(*answers, answers[-1]))


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_bodies_pass_however_they_are_split(piece: int) -> None:
    seen: list[bytes] = []
    wire = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for at in range(0, len(wire), piece):
            writer.write(wire[at : at + piece])
            await writer.drain()
            await asyncio.sleep(0)
        assert await reader.readuntil(b"X-Sum: 1\r\n\r\n") == answer
        writer.close()

    staged(test, answering(answer, seen=seen))
    _, _, body = seen[0].partition(b"\r\n\r\n")
    payload = b"".join(part for part in body.split(b"\r\n")[1::2])
    assert payload == b"hello!"


def test_an_answer_that_ends_with_its_connection_is_chunked_for_1_1_and_closed_for_1_0() -> None:
    answer = b"HTTP/1.1 200 OK\r\nDate: x\r\nX: until-close\r\n\r\nhello"

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        assert b"Transfer-Encoding: chunked" in await read_head(reader)
        assert await reader.readuntil(b"0\r\n\r\n") == b"5\r\nhello\r\n0\r\n\r\n"
        writer.close()
        old = await stage.say(b"GET / HTTP/1.0\r\n\r\n")
        assert old.endswith(b"Connection: close\r\n\r\nhello") and b"chunked" not in old

    staged(test, answering(answer))


def test_head_and_304_have_no_body_and_the_connection_goes_on() -> None:
    answers = (
        b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nDate: x\r\n\r\n",
    )

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for method, answer in zip((b"HEAD", b"GET"), answers, strict=True):
            writer.write(GET.replace(b"GET", method, 1))
            assert await read_head(reader) == answer
        writer.close()

    staged(test, answering(*answers))


def test_filters_change_heads_both_ways() -> None:
    seen: list[bytes] = []
    filters = (
        RequestHeaderModifier(set=(("X-Set", "new"),), remove=("x-gone",)),
        ResponseHeaderModifier(add=(("X-Out", "1"),), remove=("server",)),
        URLRewrite(hostname="inner"),
    )

    async def test(stage: Stage) -> None:
        answer = await stage.say(GET.replace(b"\r\n\r\n", b"\r\nx-set: old\r\nX-Gone: 1\r\nX-Kept: 1\r\n\r\n"))
        assert b"Server" not in answer and b"\r\nX-Out: 1\r\n" in answer

    staged(test, answering(OK.replace(b"Date", b"Server: s\r\nDate"), seen=seen), [forward(filters=filters)])
    assert b"X-Gone" not in seen[0] and b"old" not in seen[0] and b"\r\nX-Kept: 1\r\n" in seen[0]
    assert (
        b"\r\nX-Set: new\r\n" in seen[0] and b"Host: inner\r\n" in seen[0] and b"X-Forwarded-Host: a.example" in seen[0]
    )


def test_the_gateway_answers_itself_with_a_reason(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    rules = [
        forward("/gone", "missing"),
        forward("/empty", "empty"),
        forward("/refused", "refused"),
        HttpRule(
            HttpMatch(path="/bad"),
            HttpAction("ns/r", "1", backends=(WeightedBackend(1, Refusal(500, "backend_not_found")),)),
        ),
        HttpRule(HttpMatch(path="/none"), HttpAction("ns/r", "2")),
        HttpRule(
            HttpMatch(path="/moved"), HttpAction("ns/r", "3", filters=(RequestRedirect(scheme="https", status=301),))
        ),
    ]

    async def test(stage: Stage) -> None:
        stage.registry.upstreams["empty"] = FakeUpstream([])
        stage.registry.upstreams["refused"] = FakeUpstream([FakePeer(("127.0.0.1", 1))])
        for path in (b"/gone", b"/empty", b"/refused", b"/bad", b"/none", b"/moved", b"/else"):
            answer = await stage.say(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
            assert answer.endswith(b")\n")
        assert (await stage.say(b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert stage.registry.upstreams["refused"].peers[0].failures

    staged(test, None, rules, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["status"], line["reason"]) for line in lines] == [
        (500, "backend_not_found"), (503, "no_endpoint"), (503, "connect_failed"), (500, "backend_not_found"),
        (500, "no_backend"), (301, "redirected"), (404, "route_not_found"), (400, "bad_request"),
    ]  # fmt: skip
    fields = "time method path request_bytes response_bytes duration_ms upstream_ms client host route rule endpoint"
    assert lines[0].keys() >= {*fields.split(), "listener", "protocol", "tls_version", "termination", "user_agent"}


def test_a_refused_endpoint_is_left_for_another() -> None:
    async def test(stage: Stage) -> None:
        good = stage.registry.upstreams["c"].peers[0]
        stage.registry.upstreams["c"].peers.insert(0, FakePeer(("127.0.0.1", 1)))
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 200")
        assert not good.failures and stage.metrics.upstream_retries == 1

    staged(test, answering(OK))


@pytest.mark.parametrize(("method", "status"), [(b"GET", 200), (b"POST", 502)])
def test_a_pooled_connection_that_died_is_replaced_where_that_is_safe(method: bytes, status: int) -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_head(reader)
        writer.write(OK)
        if connections == 1:
            await read_head(reader)  # the second request comes, and the connection dies under it
            return
        await reader.read()

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        assert await reader.readexactly(len(OK)) == OK
        writer.write(GET.replace(b"GET", method, 1))
        assert (await read_head(reader)).startswith(b"HTTP/1.1 %d " % status)
        writer.close()

    staged(test, handler)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_a_502(answer: bytes) -> None:
    async def test(stage: Stage) -> None:
        assert b"502 Bad Gateway\r\n" in await stage.say(GET)

    staged(test, answering(answer))


def test_surplus_bytes_never_reach_the_next_request() -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for _ in range(2):
            writer.write(GET)
            assert await reader.readexactly(len(OK)) == OK
        writer.close()
        assert stage.services.pool.idle_count(stage.registry.upstreams["c"].peers[0].address) == 0

    staged(test, answering(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))


def test_a_cut_answer_is_seen_as_cut() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        await read_head(reader)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(10)
        writer.close()

    staged(test, handler)


@pytest.mark.parametrize("timeout", ["request_timeout_s", "backend_timeout_s"])
def test_a_rules_timeout_is_a_504(timeout: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        assert b"504 Gateway Timeout" in await read_head(reader)
        writer.close()

    staged(test, handler, [forward(**{timeout: 0.1})])  # type: ignore[arg-type]


def test_slow_heads_and_idle_connections_are_ended() -> None:
    options = replace(OPTIONS, timeouts=HttpTimeouts(head_s=0.1, keep_alive_idle_s=0.2, linger_s=0.1))

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(b"GET / HT")
        assert b"408 Request Timeout" in await reader.read()
        writer.close()
        reader, writer = await stage.connect()
        writer.write(GET)
        assert await reader.read() == OK
        writer.close()

    staged(test, answering(OK), options=options)


def test_limits_hold_for_heads_and_connections() -> None:
    options = replace(OPTIONS, limits=HttpLimits(head_limit_bytes=4096, target_limit_bytes=1024, connection_limit=2))

    async def test(stage: Stage) -> None:
        assert b" 431 " in await stage.say(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 5000)
        assert b" 414 " in await stage.say(b"GET /" + b"a" * 5000)
        assert b" 414 " in await stage.say(b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        held = [await stage.connect() for _ in range(2)]
        for reader, writer in held:
            writer.write(GET)
            await reader.readexactly(len(OK))
        reader, over = await stage.connect()
        assert b" 503 " in await reader.read()
        for writer in (over, *(each for _, each in held)):
            writer.close()

    staged(test, answering(OK), options=options)


def test_expectations_are_passed_on_and_the_body_follows() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"Expect: 100-continue" in await read_head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await reader.readexactly(5) == b"hello"
        writer.write(OK)

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert await read_head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        assert await reader.readexactly(len(OK)) == OK
        writer.close()

    staged(test, handler)


def test_an_early_answer_keeps_the_connection_when_the_rest_of_the_body_is_small() -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(b"POST /else HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
        assert b" 404 " in await read_head(reader)
        await reader.readexactly(len("404 not found (route_not_found)\n"))
        writer.write(b"lo" + GET)
        assert await reader.readexactly(len(OK)) == OK
        writer.close()

    staged(test, answering(OK), [forward("/a")])


def test_a_websocket_is_a_tunnel_and_nothing_goes_before_101() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        assert b"Connection: Upgrade\r\nUpgrade: websocket\r\n" in head and b"Sec-WebSocket-Key: k" in head
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
        assert await reader.readexactly(5) == b"early"
        writer.write(await reader.read())
        writer.write_eof()

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: k\r\n\r\nearly"
        )
        assert b"101 Switching" in await read_head(reader)
        assert await reader.readexactly(5) == b"first"
        writer.write(b"later")
        writer.write_eof()
        assert await reader.read() == b"later"
        writer.close()

    staged(test, handler)


def test_a_refused_upgrade_is_an_ordinary_answer() -> None:
    async def test(stage: Stage) -> None:
        answer = await stage.say(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")

    staged(test, answering(OK))


def test_a_new_snapshot_serves_the_next_request_of_a_live_connection() -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        assert await reader.readexactly(len(OK)) == OK
        stage.update([forward("/b")])
        writer.write(GET)
        assert b" 404 " in await read_head(reader)
        writer.close()

    staged(test, answering(OK))


def test_a_client_that_does_not_read_stops_the_backend() -> None:
    sent = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while sent < 100_000_000:
            writer.write(b"x" * 100_000)
            await asyncio.wait_for(writer.drain(), 0.5)
            sent += 100_000

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET)
        await asyncio.sleep(0.7)
        assert sent < 60_000_000
        writer.transport.abort()

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except TimeoutError:  # that is what the test is about
            pass

    staged(test, patient)


def test_a_chain_of_trusted_proxies_is_kept_whole_and_a_strangers_is_dropped() -> None:
    chain = b"\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8, 7.7.7.7\r\nX-Forwarded-Host: outer\r\n"
    wire = GET.replace(b"\r\n\r\n", chain + b"X-Forwarded-Port: 443\r\nForwarded: for=9.9.9.9\r\n\r\n")

    async def test(stage: Stage) -> None:
        await stage.say(wire)

    for trusted, expected in (
        ("127.0.0.0/8", (b"X-Forwarded-For: 9.9.9.9, 8.8.8.8, 7.7.7.7, 127.0.0.1\r\n", b"X-Forwarded-Host: outer\r\n")),
        ("10.0.0.0/8", (b"X-Forwarded-For: 127.0.0.1\r\n", b"X-Forwarded-Host: a.example\r\n")),
    ):
        seen: list[bytes] = []
        staged(test, answering(OK, seen=seen), options=replace(OPTIONS, trusted_proxies=(ip_network(trusted),)))
        assert all(seen[0].count(line) == 1 for line in expected)
        assert (
            (b"Forwarded: for=9.9.9.9" in seen[0]) is (b"X-Forwarded-Port: 443" in seen[0]) is (trusted[0:3] == "127")
        )


def test_trailers_reach_the_backend_without_those_that_frame_or_route() -> None:
    wire = (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
        b"X-Sum: 1\r\nHost: evil\r\nContent-Length: 9\r\n\r\n"
    )
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    async def test(stage: Stage) -> None:
        assert (await stage.say(wire)).endswith(b"hi")

    staged(test, handler)
    assert seen[1] == b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"


def test_a_backend_may_be_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "backend")

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await read_head(reader):
                writer.write(OK)
        writer.close()
        await writer.wait_closed()

    async def test(stage: Stage) -> None:
        served: list[asyncio.Task[None]] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(asyncio.ensure_future(handler(reader, writer)))

        async with await asyncio.start_unix_server(accept, path):
            stage.registry.upstreams["c"] = FakeUpstream([FakePeer(path)])
            reader, writer = await stage.connect()
            for _ in range(3):
                writer.write(GET)
                assert await reader.readexactly(len(OK)) == OK
            writer.close()
            assert stage.services.pool.idle_count(path) == 1 and len(served) == 1
            stage.services.pool.close()
            await asyncio.gather(*served)

    staged(test)


@pytest.mark.parametrize("keep", [b"Connection: keep-alive\r\n", b""])
def test_http_1_0_keeps_its_connection_where_both_say_so(keep: bytes) -> None:
    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for _ in range(2 if keep else 1):
            writer.write(b"GET / HTTP/1.0\r\n" + keep + b"\r\n")
            assert (b"keep-alive" in await read_head(reader)) is bool(keep)
            assert await reader.readexactly(2) == b"hi"
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (b"Connection: close" in await reader.read()) is bool(keep)
        writer.close()

    staged(test, answering(OK))


def test_draining_lets_answers_end_and_closes_the_rest() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        asked.set()
        await go.wait()
        writer.write(OK)

    async def test(stage: Stage) -> None:
        idle, idle_writer = await stage.connect()
        busy, busy_writer = await stage.connect()
        busy_writer.write(GET)
        await asked.wait()
        drained = asyncio.ensure_future(stage.port.drain(5))
        assert await idle.read() == b""
        assert not drained.done()
        go.set()
        assert (await busy.read()).endswith(b"Connection: close\r\n\r\nhi")
        await drained
        assert stage.port.connection_count == 0
        for writer in (idle_writer, busy_writer):
            writer.close()

    staged(test, handler)


def test_a_client_that_takes_no_answers_is_asked_for_no_more_requests() -> None:
    answered = 0
    big = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        while await read_head(reader):
            answered += 1
            writer.write(big)

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET * 1000)
        before = -1
        while answered != before:
            before = answered
            await asyncio.sleep(0.3)
        assert 0 < answered < 900
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        await reader.readexactly(len(big) * 1000)
        writer.close()

    staged(test, handler)


def test_a_client_that_is_gone_when_its_connection_closes_after_a_while_is_only_lost() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(stage: Stage) -> None:
        with socket.create_connection(("127.0.0.1", stage.number)) as client:
            client.sendall(GET)
            while not stage.port.connection_count:
                await asyncio.sleep(0)
            connection = cast(H1Connection, next(iter(stage.port._connections)))
            connection.lingering = True
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        while stage.port.connection_count:
            await asyncio.sleep(0)

    staged(test, silent)
