"""Copies for mirrors: what they hold, that nobody waits for them, and what happens to those that cannot keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from proxy.options import HttpLimits, HttpTimeouts, ProxyOptions
from proxy.snapshot.filters import RequestHeaderModifier, RequestMirror, URLRewrite
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, WeightedBackend
from tests.proxy.http.stage import FakePeer, FakeUpstream, Handler, Stage, answering, forward, read_head, staged

OPTIONS = ProxyOptions(access_log="off")
GET = b"GET /a?q HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
NO = b"HTTP/1.1 500 No\r\nDate: x\r\nContent-Length: 5\r\n\r\nwrong"
MIRROR = RequestMirror("m")


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def with_mirror(
    mirror: Handler, test: Callable[[Stage], Awaitable[None]], *, name: str = "m"
) -> Callable[[Stage], Awaitable[None]]:
    async def run(stage: Stage) -> None:
        stage.registry.upstreams[name] = FakeUpstream([FakePeer(await stage.backend(mirror))])
        await test(stage)

    return run


def test_a_copy_goes_to_every_mirror_and_its_answer_nowhere() -> None:
    seen: list[bytes] = []
    copies: list[bytes] = []
    filters = (MIRROR, RequestMirror("n"), RequestHeaderModifier(set=(("X-Set", "1"),)), URLRewrite(hostname="inner"))

    async def test(stage: Stage) -> None:
        stage.registry.upstreams["n"] = FakeUpstream([FakePeer(await stage.backend(answering(NO, seen=copies)))])
        assert (await stage.say(GET)).endswith(b"hi")
        await until(lambda: len(copies) == 2 and not stage.port.copies)
        assert copies == [seen[0], seen[0]]
        assert b"X-Set: 1\r\n" in copies[0] and b"Host: inner\r\n" in copies[0]
        assert (stage.metrics.mirrored, stage.metrics.mirrors_lost) == (2, {})

    staged(with_mirror(answering(NO, seen=copies), test), answering(OK, seen=seen), [forward(filters=filters)])


def test_a_share_of_requests_is_copied() -> None:
    copies: list[bytes] = []

    async def test(stage: Stage) -> None:
        for _ in range(10):
            await stage.say(GET)
        await until(lambda: not stage.port.copies)
        assert len(copies) == 3

    filters = (RequestMirror("m", 30, 100),)
    staged(with_mirror(answering(NO, seen=copies), test), answering(OK), [forward(filters=filters)])


def test_a_backends_mirror_sees_the_backends_edits_and_the_rules_does_not() -> None:
    copies: dict[str, list[bytes]] = {"m": [], "n": []}
    own = (RequestMirror("n"), RequestHeaderModifier(set=(("X-Own", "1"),)))
    action = HttpAction("ns/r", "0", (MIRROR,), (WeightedBackend(1, "c", own),))

    async def test(stage: Stage) -> None:
        peer = FakePeer(await stage.backend(answering(NO, seen=copies["n"])))
        stage.registry.upstreams["n"] = FakeUpstream([peer])
        await stage.say(GET)
        await until(lambda: all(copies.values()))
        assert b"X-Own" in copies["n"][0] and b"X-Own" not in copies["m"][0]

    rules = [HttpRule(HttpMatch(), action)]
    staged(with_mirror(answering(NO, seen=copies["m"]), test), answering(OK), rules)


def test_a_body_is_copied_as_it_comes() -> None:
    copies: list[bytes] = []
    wire = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        for piece in (wire, b"5\r\nhello\r\n", b"1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        assert (await read_head(reader)).startswith(b"HTTP/1.1 200 ")
        await until(lambda: bool(copies))
        assert copies[0].partition(b"\r\n\r\n")[2] == b"5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
        writer.close()

    async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        copies.append(await read_head(reader) + await reader.readuntil(b"X-T: 1\r\n\r\n"))
        writer.write(NO)

    async def backend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"X-T: 1\r\n\r\n")
        writer.write(OK)

    staged(with_mirror(mirror, test), backend, [forward(filters=(MIRROR,))])


def test_a_mirror_that_reads_nothing_costs_the_request_nothing() -> None:
    size = 16 * 1024 * 1024
    options = replace(OPTIONS, limits=HttpLimits(mirror_backlog_limit_bytes=65536))

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.readexactly(size)
        writer.write(OK)

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            writer.write(b"x" * 65536)
            await writer.drain()
        assert (await read_head(reader)).startswith(b"HTTP/1.1 200 ")
        assert stage.metrics.mirrors_lost == {"overloaded": 1}
        assert not stage.port.copies
        writer.close()

    staged(with_mirror(deaf, test), counting, [forward(filters=(MIRROR,))], options)


def test_a_mirror_that_is_gone_or_silent_or_mad_is_counted() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def mad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"what?\r\n\r\n")

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def test(stage: Stage) -> None:
        upstreams = stage.registry.upstreams
        for handler, reason in (
            (silent, "upstream_timeout"),
            (mad, "upstream_protocol_error"),
            (endless, "upstream_timeout"),
        ):
            upstreams["m"] = FakeUpstream([FakePeer(await stage.backend(handler))])
            stage.metrics.mirrors_lost.clear()
            assert (await stage.say(GET)).endswith(b"hi")
            await until(lambda: not stage.port.copies)
            assert stage.metrics.mirrors_lost == {reason: 1}
        stage.metrics.mirrors_lost.clear()
        upstreams["m"] = FakeUpstream([FakePeer(("127.0.0.1", 1))])
        assert (await stage.say(GET)).endswith(b"hi")
        upstreams["m"] = FakeUpstream([])
        assert (await stage.say(GET)).endswith(b"hi")
        del upstreams["m"]
        assert (await stage.say(GET)).endswith(b"hi")
        await until(lambda: not stage.port.copies)
        assert stage.metrics.mirrors_lost == {"connect_failed": 1, "no_endpoint": 1, "backend_not_found": 1}

    options = replace(OPTIONS, timeouts=HttpTimeouts(mirror_s=0.2))
    staged(test, answering(OK), [forward(filters=(MIRROR,))], options)


def test_copies_under_way_are_bounded() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(stage: Stage) -> None:
        for _ in range(5):
            assert (await stage.say(GET)).endswith(b"hi")
        assert len(stage.port.copies) == 3
        assert stage.metrics.mirrors_lost == {"overloaded": 2}

    options = replace(OPTIONS, limits=HttpLimits(mirror_limit=3))
    staged(with_mirror(silent, test), answering(OK), [forward(filters=(MIRROR,))], options)


def test_a_request_that_is_cut_off_takes_its_copies_with_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        begun.set()
        await reader.read()
        ended.set()

    async def test(stage: Stage) -> None:
        _, writer = await stage.connect()
        writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        await begun.wait()
        assert stage.port.copies
        writer.close()
        await ended.wait()
        assert not stage.port.copies

    staged(with_mirror(mirror, test), silent, [forward(filters=(MIRROR,))])


def test_an_answer_before_the_end_of_the_request_ends_the_copies() -> None:
    ended = asyncio.Event()

    async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.read()
        ended.set()

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"abc")
        writer.write(OK)

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        assert (await read_head(reader)).startswith(b"HTTP/1.1 200 ")
        await ended.wait()
        assert not stage.port.copies
        writer.close()

    staged(with_mirror(mirror, test), hasty, [forward(filters=(MIRROR,))])


def test_a_waiting_connection_that_the_mirror_closed_is_replaced() -> None:
    copies: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        copies.append(await read_head(reader))
        writer.write(NO)
        await writer.drain()
        await reader.read(1)  # the next request, which gets no answer

    async def test(stage: Stage) -> None:
        for count in range(1, 4):
            assert (await stage.say(GET)).endswith(b"hi")
            await until(lambda count=count: len(copies) == count and not stage.port.copies)  # type: ignore[misc]
        assert stage.metrics.mirrors_lost == {}

    staged(with_mirror(once, test), answering(OK), [forward(filters=(MIRROR,))])
