"""Clients of HTTP/2 that make work and want none of it done: each is ended in time, and the others notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final

import psutil
import pytest

from proxy.options import HttpLimits, HttpTimeouts, ProxyOptions
from tests.attacks import h2_wire as wire
from tests.attacks.apart import apart
from tests.attacks.capturing import Stage, stage
from tests.proxy.gateway import backend, eventually, run

MIB: Final = 1 << 20
LIMIT: Final = 50_000
"""So many frames are sent at most: a gateway that bears them all has failed."""
OPTIONS = ProxyOptions(
    access_log="off", removed_bind_drain_s=0.1, timeouts=HttpTimeouts(linger_s=0.1), limits=HttpLimits(stream_limit=20)
)


def numbered(make: Callable[[int], bytes]) -> Iterator[bytes]:
    """The same for stream after stream."""
    return (make(stream) for stream in range(1, 2 * LIMIT, 2))


def again(piece: bytes) -> Iterator[bytes]:
    """The same again and again."""
    return (piece for _ in range(LIMIT))


def opened(*pieces: bytes, then: Iterable[bytes] = ()) -> Iterator[bytes]:
    """After the beginning of a connection."""
    yield wire.GREETING
    yield from pieces
    yield from then


BOMB = b"".join((wire.integer(62, 7, 0x80),) * 8000)
"""Refers to the first entry of the dynamic table again and again: a byte for each 4 KB."""
ENTRY = b"\x40" + wire.string(b"x-big") + wire.string(b"b" * 4000)
FLOODS: dict[str, tuple[Callable[[], Iterable[bytes]], tuple[int, ...]]] = {
    "rapid reset": (
        lambda: opened(then=numbered(lambda n: wire.head(n) + wire.frame(wire.RST_STREAM, wire.u32(8), stream=n))),
        (wire.ENHANCE_YOUR_CALM,),
    ),
    "resets that the gateway is made to send, by a window that grows by nothing": (
        lambda: opened(then=numbered(lambda n: wire.head(n) + wire.frame(wire.WINDOW_UPDATE, wire.u32(0), stream=n))),
        (wire.ENHANCE_YOUR_CALM, 5),  # or STREAM_CLOSED, once an answer was quicker than the frame
    ),
    "requests that break the rules": (
        lambda: opened(then=numbered(lambda n: wire.head(n, wire.GET[1:]))),
        (wire.ENHANCE_YOUR_CALM,),
    ),
    "streams above the limit": (
        lambda: opened(then=numbered(lambda n: wire.head(n, wire.POST, end=False))),
        (wire.ENHANCE_YOUR_CALM,),
    ),
    "payload without payload": (
        lambda: opened(wire.head(1, wire.POST, end=False), then=again(wire.frame(wire.DATA, stream=1))),
        (wire.ENHANCE_YOUR_CALM,),
    ),
    "CONTINUATION without end": (
        lambda: opened(
            wire.frame(wire.HEADERS, wire.block(wire.GET), wire.END_STREAM, 1),
            then=again(wire.frame(wire.CONTINUATION, wire.block([(b"x", b"y" * 1000)]), stream=1)),
        ),
        (wire.ENHANCE_YOUR_CALM, wire.PROTOCOL_ERROR),
    ),
    "CONTINUATION without content": (
        lambda: opened(
            wire.frame(wire.HEADERS, wire.block(wire.GET), wire.END_STREAM, 1),
            then=again(wire.frame(wire.CONTINUATION, stream=1)),
        ),
        (wire.ENHANCE_YOUR_CALM, wire.PROTOCOL_ERROR),
    ),
    "an integer without end": (
        lambda: opened(wire.frame(wire.HEADERS, b"\xff" * 10000, wire.END_HEADERS, 1)),
        (wire.COMPRESSION_ERROR,),
    ),
    "a table that is too large": (
        lambda: opened(wire.frame(wire.HEADERS, wire.integer(1 << 20, 5, 0x20), wire.END_HEADERS, 1)),
        (wire.COMPRESSION_ERROR,),
    ),
}


async def others_are_served(staged: Stage) -> None:
    """A client that behaves is answered as ever."""
    answer = await staged.say(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_own_connection(name: str) -> None:
    pieces, codes = FLOODS[name]

    async def test() -> None:
        async with stage(options=OPTIONS) as staged:
            received = await wire.say(staged.port, pieces())
            assert received.codes(wire.GOAWAY)[-1] in codes
            await others_are_served(staged)
            metrics = staged.gate.proxy.metrics
            assert sum(metrics.http2_errors.values()) == 1
            await eventually(lambda: metrics.connections == 0)

    run(test)


@pytest.mark.parametrize(
    "piece",
    [wire.frame(wire.PING, bytes(8)), wire.frame(wire.SETTINGS, wire.setting(4, 1000))],
    ids=["PING", "SETTINGS"],
)
def test_answers_that_are_asked_for_and_not_read_do_not_pile_up(piece: bytes) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test() -> None:
        async with backend(silent) as number:
            with apart(number) as (process, ports):
                before = process.memory_info().rss
                reader, writer = await asyncio.open_connection("127.0.0.1", ports["http"], limit=1)
                reader._transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(wire.GREETING)
                pieces = piece * 10_000
                try:
                    async with asyncio.timeout(30):
                        while not writer.transport.is_closing():
                            writer.write(pieces)
                            await writer.drain()
                            assert process.memory_info().rss - before < 8 * MIB
                except ConnectionError:
                    pass  # it was cut off, as it should be
                finally:
                    writer.transport.abort()

    run(test)


def test_small_blocks_that_mean_large_heads_are_refused_and_not_kept() -> None:
    """A block of 8,000 bytes that means 32 MB: it is decoded no further than a head may be large."""

    async def test() -> None:
        process = psutil.Process()
        async with stage(options=OPTIONS) as staged:
            before = process.memory_info().rss
            bombs = [wire.frame(wire.HEADERS, wire.block(wire.GET) + ENTRY, wire.END_HEADERS | wire.END_STREAM, 1)]
            fields = wire.block(wire.GET) + BOMB
            bombs += [wire.frame(wire.HEADERS, fields, wire.END_HEADERS | wire.END_STREAM, n) for n in range(3, 201, 2)]
            leave = wire.frame(wire.GOAWAY, wire.u32(0, 0))
            reader, writer = await asyncio.open_connection("127.0.0.1", staged.port)
            writer.write(wire.GREETING + b"".join(bombs) + leave)
            writer.write_eof()
            received = await wire.read(reader)
            writer.close()
            refused = [payload for kind, _, payload in received.frames if kind == wire.DATA]
            assert sum(b"header_too_large" in payload for payload in refused) == 99
            assert process.memory_info().rss - before < 16 * MIB
            assert len(staged.capture.requests()) == 1  # the first one, which was no larger than it may be

    run(test)


def test_clients_that_read_nothing_cost_a_bounded_buffer_each_stream() -> None:
    """Windows are wide open and 20 streams ask for 100 MB each, but nobody reads; then all are gone."""
    going = set()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        going.add(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            for _ in range(1000):
                writer.write(bytes(100_000))
                await writer.drain()
        finally:
            going.discard(writer)

    async def test() -> None:
        async with backend(endless) as number:
            with apart(number) as (process, ports):
                before = process.memory_info().rss
                reader, writer = await asyncio.open_connection("127.0.0.1", ports["http"], limit=1)
                reader._transport.pause_reading()  # type: ignore[attr-defined]
                wide = wire.frame(wire.SETTINGS, wire.setting(4, 2**31 - 1))
                wide += wire.frame(wire.WINDOW_UPDATE, wire.u32(2**31 - 1 - 65535))
                writer.write(wire.PREFACE + wide + b"".join(wire.head(stream) for stream in range(1, 41, 2)))
                await eventually(lambda: len(going) == 20)
                highest = steady = 0
                for turn in count():
                    now = process.memory_info().rss
                    highest, steady = (now, turn) if now > highest + MIB else (highest, steady)
                    if turn - steady > 10:
                        break
                    await asyncio.sleep(0.05)
                print(f"{(highest - before) / 20 / 1024:.0f} KiB for each stream that is not read")  # noqa: T201
                assert (highest - before) / 20 < MIB
                writer.transport.abort()
                await eventually(lambda: not going)

    run(test)


def test_streams_whose_client_gives_no_window_end_after_a_while() -> None:
    options = ProxyOptions(access_log="off", removed_bind_drain_s=0.1, timeouts=HttpTimeouts(client_idle_s=0.3))

    async def test() -> None:
        async with stage(options=options) as staged:
            reader, writer = await asyncio.open_connection("127.0.0.1", staged.port)
            shut = wire.frame(wire.SETTINGS, wire.setting(4, 0)) + wire.frame(wire.SETTINGS, flags=wire.ACK)
            writer.write(wire.PREFACE + shut + b"".join(wire.head(stream) for stream in range(1, 101, 2)))
            resets = 0
            async with asyncio.timeout(30):
                while resets < 50:
                    header = await reader.readexactly(9)
                    await reader.readexactly(int.from_bytes(header[:3], "big"))
                    resets += header[3] == wire.RST_STREAM
            writer.close()
            await eventually(lambda: staged.gate.proxy.metrics.connections == 0)

    run(test)
