"""Requests to backends that speak HTTP/2: sharing, limits, retries, flow control, ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from proxy.options import HttpTimeouts, ProxyOptions
from proxy.snapshot.filters import PathModifier, URLRewrite
from proxy.snapshot.routes import HttpRule
from tests.proxy.http import stage as stages
from tests.proxy.http.h2_backend import Asked, BackendConnection, H2Backend
from tests.proxy.http.stage import FakePeer, FakeUpstream, Stage, forward, read_head, staged

GET = b"GET /a?q HTTP/1.1\r\nHost: a.example\r\n\r\n"
OPTIONS = ProxyOptions(access_log="off")


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


def asking(
    test: Callable[[Stage, H2Backend], Awaitable[None]],
    *,
    options: ProxyOptions = OPTIONS,
    backend: H2Backend | None = None,
    rules: Sequence[HttpRule] = (forward(),),
) -> None:
    """Run a test with a gateway before one HTTP/2 backend."""
    backend = backend or H2Backend()

    async def run(stage: Stage) -> None:
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(await backend.start(), http2=True)])
        try:
            await test(stage, backend)
        finally:
            backend.close()

    staged(run, None, rules, options)


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def ask(stage: Stage, request: bytes = GET) -> bytes:
    """The whole answer to a request that asks for the connection's end."""
    return await stage.say(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))


def test_a_request_is_asked_with_what_http_2_has_for_it() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        assert (await ask(stage)).endswith(b"\r\n\r\nhi")
        assert backend.asked[0].fields == [
            (b":scheme", b"http"),
            (b":method", b"GET"),
            (b":path", b"/a?q"),
            (b":authority", b"a.example"),
            (b"x-forwarded-for", b"127.0.0.1"),
            (b"x-forwarded-proto", b"http"),
            (b"x-forwarded-host", b"a.example"),
            (b"via", b"1.1 gatehouse"),
        ]

    asking(test)


@pytest.mark.parametrize("kind", ["full", "prefix"])
def test_a_path_that_is_rewritten_to_one_with_a_blank_is_encoded(kind: Literal["full", "prefix"]) -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        assert (await ask(stage)).endswith(b"hi")
        assert backend.asked[0].field(b":path") == b"/b%20c%0D%0A" + (b"?q" if kind == "full" else b"/a?q")

    asking(test, rules=(forward(filters=(URLRewrite(path=PathModifier(kind, "/b c\r\n")),)),))


def test_bodies_and_trailers_go_both_ways() -> None:
    def answer(asked: Asked) -> None:
        asked.head((b"x-a", b"b"))
        asked.send(asked.body[::-1])
        asked.trail((b"x-sum", b"1"))

    async def test(stage: Stage, backend: H2Backend) -> None:
        post = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 2\r\n\r\n"
        answer = await ask(stage, post)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\ndate: x\r\nx-a: b\r\n")
        assert answer.endswith(b"3\r\ncba\r\n0\r\nx-sum: 1\r\n\r\n")
        assert backend.asked[0].body == b"abc"
        assert backend.asked[0].trailers == [(b"x-t", b"2")]

    asking(test, backend=H2Backend(answer))


def test_an_answer_without_a_body_and_a_length_is_whole_in_http_1_1() -> None:
    async def test(stage: Stage, _: H2Backend) -> None:
        assert b"\r\nContent-Length: 0\r\n" in await ask(stage)

    asking(test, backend=H2Backend(lambda asked: asked.head(ended=True)))


def test_requests_share_a_connection() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        held: list[Asked] = []
        backend.on_end = held.append
        waiting = [asyncio.create_task(ask(stage)) for _ in range(20)]
        await until(lambda: len(held) == 20)
        for asked in reversed(held):
            asked.answer()
        assert all(answer.endswith(b"hi") for answer in await asyncio.gather(*waiting))
        backend.on_end = Asked.answer
        await ask(stage)
        assert len(backend.connections) == 1, "and it is kept"

    asking(test)


def test_there_are_more_connections_when_the_backend_allows_no_more_streams() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        held: list[Asked] = []
        backend.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 2}
        backend.on_end = held.append
        waiting = [asyncio.create_task(ask(stage)) for _ in range(6)]
        await until(lambda: len(held) == 6)
        assert [len(connection.asked) for connection in backend.connections] == [2, 2, 2]
        for asked in held:
            asked.answer()
        assert all(answer.endswith(b"hi") for answer in await asyncio.gather(*waiting))

    asking(test)


def test_our_own_limit_of_streams_makes_more_connections_too() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        held: list[Asked] = []
        backend.on_end = held.append
        waiting = [asyncio.create_task(ask(stage)) for _ in range(3)]
        await until(lambda: len(held) == 3)
        assert [len(connection.asked) for connection in backend.connections] == [1, 1, 1]
        for asked in held:
            asked.answer()
        await asyncio.gather(*waiting)

    asking(test, options=replace(OPTIONS, upstream_streams_limit=1))


def test_an_idle_connection_is_closed_with_a_word() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        await until(lambda: backend.connections[0].closed)
        assert backend.connections[0].goaway == ErrorCodes.NO_ERROR
        assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 2

    asking(test, options=replace(OPTIONS, timeouts=HttpTimeouts(upstream_keep_alive_s=0.1)))


def test_after_goaway_streams_above_its_last_id_are_asked_again_and_the_others_finish() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        held: list[Asked] = []
        backend.on_end = held.append
        waiting = [asyncio.create_task(ask(stage)) for _ in range(3)]
        await until(lambda: len(held) == 3)
        first = backend.connections[0]
        backend.on_end = Asked.answer
        first.transport.write(bytes((0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)))  # GOAWAY, last id 1
        await until(lambda: len(backend.asked) == 5)
        assert backend.asked[3].connection is not first
        first.asked[1].answer(b"late")
        answers = await asyncio.gather(*waiting)
        assert sorted(answer[-2:] for answer in answers) == [b"hi", b"hi", b"te"]
        await until(lambda: first.closed)

    asking(test)


def test_a_connection_without_streams_is_closed_when_its_backend_goes_away() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        first = backend.connections[0]
        first.go_away(1)
        await until(lambda: first.closed)
        assert (await ask(stage)).endswith(b"hi")

    asking(test)


def test_a_refused_stream_is_asked_again_whatever_its_method() -> None:
    def refuse_once(asked: Asked) -> None:
        if len(asked.connection.backend.asked) == 1:
            asked.give_up(ErrorCodes.REFUSED_STREAM)
        else:
            asked.answer()

    async def test(stage: Stage, backend: H2Backend) -> None:
        assert (await ask(stage, GET.replace(b"GET", b"POST"))).endswith(b"hi")
        assert len(backend.asked) == 2
        assert len(backend.connections) == 1

    asking(test, backend=H2Backend(refuse_once))


@pytest.mark.parametrize(("size", "status"), [(1000, b"200"), (OPTIONS.limits.replay_limit_bytes + 1, b"502")])
def test_a_request_whose_body_was_sent_is_asked_again_with_it_unless_that_is_large(size: int, status: bytes) -> None:
    def refuse_once(asked: Asked) -> None:
        if len(asked.connection.backend.asked) == 1:
            asked.give_up(ErrorCodes.REFUSED_STREAM)
        else:
            asked.answer()

    async def test(stage: Stage, backend: H2Backend) -> None:
        body = bytes(range(256)) * (size // 256 + 1)
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
        assert (await ask(stage, head + body[:size])).startswith(b"HTTP/1.1 " + status)
        assert backend.asked[-1].body == body[:size]

    asking(test, backend=H2Backend(refuse_once))


def test_after_goaway_what_was_sent_of_a_body_is_sent_again_before_the_rest() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        _, writer = await stage.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        await until(lambda: backend.asked and backend.asked[0].body == b"abc")
        backend.connections[0].transport.write(bytes((0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
        await until(lambda: len(backend.asked) == 2 and backend.asked[1].body == b"abc")
        writer.write(b"def")
        await until(lambda: backend.asked[1].ended)
        assert backend.asked[1].body == b"abcdef"
        writer.close()

    asking(test)


def test_a_stream_that_is_always_refused_is_given_up() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        assert (await ask(stage)).startswith(b"HTTP/1.1 502 ")
        assert len(backend.asked) == OPTIONS.attempt_limit

    asking(test, backend=H2Backend(lambda asked: asked.give_up(ErrorCodes.REFUSED_STREAM)))


def test_any_other_reset_is_not_tried_again() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        assert (await ask(stage)).startswith(b"HTTP/1.1 502 ")
        assert len(backend.asked) == 1

    asking(test, backend=H2Backend(lambda asked: asked.give_up(ErrorCodes.INTERNAL_ERROR)))


def test_a_reset_in_the_middle_of_an_answer_cuts_it_off() -> None:
    def begin(asked: Asked) -> None:
        asked.head((b"content-length", b"100"))
        asked.send(b"begun")
        asked.give_up(ErrorCodes.INTERNAL_ERROR)

    async def test(stage: Stage, _: H2Backend) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        assert b"content-length: 100\r\n" in await read_head(reader)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() in (b"", b"begun")
        writer.close()

    asking(test, backend=H2Backend(begin))


def test_a_lost_connection_that_was_idle_before_is_replaced_for_what_may_be_repeated() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        backend.on_head = lambda asked: asked.connection.transport.abort() if len(backend.asked) == 2 else None
        assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 2

    asking(test)


def test_a_client_that_leaves_cancels_its_stream_alone() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        backend.on_end = lambda asked: None
        _, writer = await stage.connect()
        writer.write(GET)
        await until(lambda: backend.asked)
        linger = struct.pack("ii", 1, 0)  # a reset, for a mere end only says that nothing more is asked
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        await until(lambda: backend.asked[0].reset is not None)
        assert backend.asked[0].reset == ErrorCodes.CANCEL
        backend.on_end = Asked.answer
        assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 1

    asking(test)


def test_a_client_that_does_not_read_stalls_its_stream_alone_and_the_backend_with_it() -> None:
    sent: dict[int, int] = {}

    def pour(connection: BackendConnection) -> None:
        for stream_id in sent:
            while (room := connection.h2.local_flow_control_window(stream_id)) > 0 and sent[stream_id] < 64_000_000:
                size = min(room, 16384)
                connection.h2.send_data(stream_id, bytes(size))
                sent[stream_id] += size
        connection.flush()

    def answer(asked: Asked) -> None:
        if asked.field(b":path") == b"/large":
            asked.head()
            sent[asked.id] = 0
            pour(asked.connection)
        else:
            asked.answer()

    async def test(stage: Stage, backend: H2Backend) -> None:
        backend.on_window = pour
        reader, writer = await stage.connect()
        writer.write(GET.replace(b"/a?q", b"/large"))
        await read_head(reader)
        before = -1
        while before != sum(sent.values()):  # until nothing moves any more
            before = sum(sent.values())
            await asyncio.sleep(0.1)
        assert before < 16_000_000, "what the kernel and the windows hold, and no more"
        for _ in range(3):
            assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 1
        got = 0
        while got < before + 1_000_000:
            got += len(await reader.read(1 << 20))
        writer.close()
        assert sum(sent.values()) > before, "it goes on when the client does"

    asking(test, backend=H2Backend(answer))


def test_a_backend_that_does_not_read_stalls_the_client() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        backend.reads = False
        _, writer = await stage.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        written = 0

        async def pour() -> None:
            nonlocal written
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                written += 65536

        pouring = asyncio.create_task(pour())
        await until(lambda: backend.asked and len(backend.asked[0].body) == 65535)
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.1)
        pouring.cancel()
        assert len(backend.asked[0].body) == 65535
        assert before < 16_000_000
        assert (await ask(stage)).endswith(b"hi"), "the others go on"
        writer.transport.abort()

    asking(test)


def test_an_answer_that_comes_before_the_request_is_whole_ends_both() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        backend.on_head = lambda asked: asked.answer(b"too large", status=b"413")
        reader, writer = await stage.connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
        assert (await read_head(reader)).startswith(b"HTTP/1.1 413")
        await until(lambda: backend.asked[0].reset is not None)
        writer.close()

    asking(test)


def test_interim_answers_are_passed_on() -> None:
    def answer(asked: Asked) -> None:
        asked.connection.h2.send_headers(asked.id, [(b":status", b"103"), (b"link", b"</s>")])
        asked.answer()

    async def test(stage: Stage, _: H2Backend) -> None:
        answer = await ask(stage)
        assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </s>\r\n\r\nHTTP/1.1 200 OK\r\n")

    asking(test, backend=H2Backend(answer))


def test_a_backend_that_says_nothing_is_not_waited_for_longer_than_for_connecting() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        backend.silent = True
        stage.registry.upstreams["c"].connect_timeout_s = 0.1
        assert (await ask(stage)).startswith(b"HTTP/1.1 503 ")
        await until(lambda: all(connection.closed for connection in backend.connections))
        assert stage.registry.upstreams["c"].peers[0].failures

    asking(test)


def test_a_backend_that_speaks_http_1_1_is_no_backend() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await reader.read()

    async def test(stage: Stage) -> None:
        stage.registry.upstreams["c"].peers[0].http2 = True
        assert (await ask(stage)).startswith(b"HTTP/1.1 503 ")

    staged(test, respond)


def test_a_connection_that_has_died_without_a_word_is_found_out() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        dead = backend.connections[0]
        backend.silent = True
        assert (await ask(stage)).startswith(b"HTTP/1.1 504 ")
        backend.silent = False
        await until(lambda: dead.closed)
        assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 2

    timeouts = HttpTimeouts(upstream_ping_s=0.1)
    asking(test, options=replace(OPTIONS, timeouts=timeouts), rules=(forward(backend_timeout_s=0.2),))


def test_a_slow_request_alone_does_not_cost_the_connection() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        backend.on_end = lambda asked: None
        assert (await ask(stage)).startswith(b"HTTP/1.1 504 ")
        backend.on_end = Asked.answer
        connection = stage.services.h2_pool.with_room(stage.registry.upstreams["c"].peers[0].address)
        assert connection is not None
        await until(lambda: backend.connections[0].pings and not connection._pong_due_s)
        assert (await ask(stage)).endswith(b"hi")
        assert len(backend.connections) == 1

    timeouts = HttpTimeouts(upstream_ping_s=2.0)
    asking(test, options=replace(OPTIONS, timeouts=timeouts), rules=(forward(backend_timeout_s=0.2),))


def test_a_connection_whose_ids_have_run_out_is_replaced() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        await ask(stage)
        connection = stage.services.h2_pool.with_room(stage.registry.upstreams["c"].peers[0].address)
        assert connection is not None
        connection.engine._next_id = 2**31 - 1
        for _ in range(2):
            assert (await ask(stage)).endswith(b"hi")
        assert [len(each.asked) for each in backend.connections] == [2, 1]
        await until(lambda: backend.connections[0].closed)

    asking(test)


def test_settings_that_are_never_acknowledged_end_the_connection() -> None:
    async def test(stage: Stage, backend: H2Backend) -> None:
        async def greet_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
            said = await reader.read(1 << 16)
            while not said.endswith(b"SETTINGS were not acknowledged"):
                said += await reader.readexactly(1)
            ended.set()

        ended = asyncio.Event()
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(await stage.backend(greet_only), http2=True)])
        assert (await ask(stage)).startswith(b"HTTP/1.1 502 ")
        await ended.wait()

    asking(test, options=replace(OPTIONS, timeouts=HttpTimeouts(head_s=0.2)))
