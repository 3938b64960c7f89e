"""Peers that are slow, silent or suddenly gone, at every stage: each is let go in time, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from proxy.options import HttpTimeouts, ProxyOptions, StreamOptions
from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.listeners import Bind
from tests.proxy.gateway import DEADLINE_S, Talk, at, backend, eventually, free_port, gateway, http, run, tcp

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
QUICK = HttpTimeouts(
    head_s=0.3,
    keep_alive_idle_s=0.3,
    client_idle_s=0.3,
    upstream_idle_s=0.4,
    upstream_keep_alive_s=0.2,
    tunnel_idle_s=0.3,
    linger_s=0.1,
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served(talk: Talk, bind: Callable[[int, str], Bind] = http, log: Path | None = None) -> AsyncIterator[int]:
    """A port in front of `talk`, with every timeout short. At the end all sockets have been given back."""
    streams = StreamOptions(tcp_idle_s=0.3, handshake_s=0.3)
    options = ProxyOptions(access_log=str(log or "off"), timeouts=QUICK, streams=streams, removed_bind_drain_s=0.1)
    async with backend(talk) as number, gateway(options=options) as gate:
        port = free_port()
        await gate.apply([bind(port, "c")], at(number))
        before = sockets()
        yield port
        await eventually(lambda: sockets() <= before)


def sockets() -> int:
    """How many this process has; pipes of relays are kept for the next."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # gone meanwhile
            found += str(descriptor.readlink()).startswith("socket:")
    return found


async def dial(port: int, buffer_bytes: int = 0) -> Streams:
    """A connection; with a small receive buffer if asked for."""
    made = socket.socket()
    if buffer_bytes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=made)


def reset(writer: asyncio.StreamWriter) -> None:
    """Vanish: the other side gets a reset, not an end."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def head_then(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything, says nothing."""
    while await reader.read(1 << 16):
        pass


async def plenty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with 40 MB."""
    await head_then(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n")
    for _ in range(400):
        writer.write(bytes(100000))
        await writer.drain()
    await silent(reader, writer)


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stops in the middle of its answer."""
    await head_then(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await silent(reader, writer)


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers early, and never reads the body; it goes when the other side does."""
    await head_then(reader)
    writer.write(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(0.5)


async def switching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agrees to an upgrade and then sends for ever."""
    await head_then(reader)
    writer.write(SWITCHED)
    while not writer.is_closing():
        writer.write(bytes(100000))
        await writer.drain()


async def quiet_switching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agrees to an upgrade and then says nothing."""
    await head_then(reader)
    writer.write(SWITCHED)
    await silent(reader, writer)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"G", b"408"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"408"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", b"408"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha", b"408"),
        (GET, b"504"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n", b"408"),
    ],
)
def test_who_stops_in_the_middle_is_told_and_let_go(sent: bytes, answer: bytes) -> None:
    async def test() -> None:
        async with served(silent) as port:
            reader, writer = await dial(port)
            writer.write(sent)
            assert (await asyncio.wait_for(reader.read(), DEADLINE_S))[9:12] == answer
            writer.close()

    run(test)


def test_one_byte_now_and_then_is_not_enough_for_a_head() -> None:
    """The time for a head counts from its beginning."""

    async def test() -> None:
        async with served(silent) as port:
            reader, writer = await dial(port)
            writer.write(b"GET / HTTP/1.1\r\n")
            answer = asyncio.ensure_future(reader.read())
            for _ in range(100):
                if answer.done():
                    break
                writer.write(b"A")
                await asyncio.sleep(0.02)
            assert (await answer).startswith(b"HTTP/1.1 408")
            writer.close()

    run(test)


@pytest.mark.parametrize("talk", [plenty, switching], ids=["an answer", "a tunnel"])
def test_who_reads_nothing_is_let_go_and_so_is_the_backend(talk: Talk) -> None:
    async def test() -> None:
        async with served(talk) as port:
            _, writer = await dial(port, buffer_bytes=4096)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(UPGRADE if talk is switching else GET)
            ours = writer.get_extra_info("socket").getsockname()[1]
            await eventually(lambda: not _open(port, ours))
            reset(writer)

    run(test)


def _open(port: int, client: int) -> bool:
    """Whether the gateway still holds the connection of a client's port."""
    found = psutil.Process().net_connections("tcp")
    return any((item.laddr.port, tuple(item.raddr)[1:]) == (port, (client,)) for item in found)


def test_who_stops_reading_at_the_end_of_the_last_answer_is_let_go() -> None:
    """All of the answer is on its way, the connection is to be closed, and the client takes nothing any more."""
    size = 3_000_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_then(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await writer.drain()
        await silent(reader, writer)

    async def test() -> None:
        async with served(talk) as port:
            reader, writer = await dial(port, buffer_bytes=65536)
            writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            taken = 0
            while taken < size - 200_000:
                taken += len(await reader.read(1 << 16))
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            ours = writer.get_extra_info("socket").getsockname()[1]
            await eventually(lambda: not _open(port, ours))
            reset(writer)

    run(test)


def test_an_early_answer_does_not_wait_for_the_body_to_be_taken() -> None:
    """The backend answers and reads no more; the upload of 8 MB ends with that answer or a reset, and nothing stays."""

    async def test() -> None:
        async with served(deaf) as port:
            reader, writer = await dial(port)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
            writer.write(bytes(8_000_000))
            try:
                answer = await asyncio.wait_for(reader.read(), DEADLINE_S)
            except ConnectionError:
                answer = b""
            assert answer[9:12] in (b"413", b"")
            writer.close()

    run(test)


def test_a_backend_that_stops_in_its_answer_is_cut_for_the_client_to_see() -> None:
    async def test() -> None:
        async with served(half) as port:
            reader, writer = await dial(port)
            writer.write(GET)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"Content-Length: 100" in head
                await asyncio.wait_for(reader.readexactly(100), DEADLINE_S)
            writer.close()

    run(test)


def test_an_idle_tunnel_ends() -> None:
    async def test() -> None:
        async with served(quiet_switching) as port:
            reader, writer = await dial(port)
            writer.write(UPGRADE)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            try:
                assert await asyncio.wait_for(reader.read(), DEADLINE_S) == b""
            except ConnectionError:
                pass  # a reset ends it too
            writer.close()

    run(test)


@pytest.mark.parametrize("bind", [http, tcp], ids=["HTTP", "TCP"])
def test_a_backend_that_takes_no_connection_is_given_up(bind: Callable[[int, str], Bind]) -> None:
    """Its queue is full, so the kernel answers nothing at all."""

    async def test() -> None:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for filler in (first, second):
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            endpoint = Endpoint("ip", "127.0.0.1", full.getsockname()[1])
            options = ProxyOptions(access_log="off", timeouts=QUICK)
            async with gateway(options=options) as gate:
                port = free_port()
                await gate.apply([bind(port, "c")], {"c": Cluster("c", "http", (endpoint,), 0.2)})
                reader, writer = await dial(port)
                writer.write(GET)
                try:
                    answer = await asyncio.wait_for(reader.read(), DEADLINE_S)
                except ConnectionError:
                    answer = b""
                assert answer[9:12] in ((b"503", b"504") if bind is http else (b"",))
                writer.close()

    run(test)


STAGES: dict[str, bytes] = {
    "at once": b"",
    "in a head": b"GET / HTTP/1.1\r\nHo",
    "in a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
    "waiting for an answer": GET,
    "with more sent ahead": GET * 3,
    "in a tunnel": UPGRADE,
}


@pytest.mark.parametrize("leave", ["reset", "close"])
@pytest.mark.parametrize("talk", [silent, half, plenty, quiet_switching, switching], ids=lambda talk: talk.__name__)
def test_who_vanishes_leaves_nothing_behind(talk: Talk, leave: str, tmp_path: Path) -> None:
    """A reset or an end at every stage, with every kind of backend; the log has a line for each that asked."""

    async def test() -> None:
        async with served(talk, log=tmp_path / "log") as port:
            for sent in STAGES.values():
                for wait in (False, True):
                    reader, writer = await dial(port)
                    writer.write(sent)
                    await writer.drain()
                    if wait and talk in (half, plenty, switching) and sent.endswith(b"\r\n\r\n"):
                        await reader.read(100)
                    (reset if leave == "reset" else asyncio.StreamWriter.close)(writer)

    run(test)
    reasons = {json.loads(line)["reason"] for line in (tmp_path / "log").read_text().splitlines()}
    assert reasons <= {"client_closed", "ok", "upstream_reset", "upstream_protocol_error", "upstream_timeout"}


@pytest.mark.parametrize("leave", ["reset", "close", "half-close"])
def test_who_vanishes_from_a_relay_leaves_nothing_behind(leave: str) -> None:
    """TCP: the other side is told, pipes and sockets go back."""

    async def test() -> None:
        async with served(plenty, tcp) as port:
            for size in (0, 1, 100_000):
                reader, writer = await dial(port)
                writer.write(GET + bytes(size))
                if size:
                    await reader.read(1000)
                if leave == "half-close":
                    writer.write_eof()
                    await asyncio.wait_for(reader.read(1000), DEADLINE_S)
                (reset if leave == "reset" else asyncio.StreamWriter.close)(writer)

    run(test)


def test_a_client_that_ends_its_side_still_gets_its_answer() -> None:
    """Half-open is not gone: HTTP and TCP."""

    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_then(reader)
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def test() -> None:
        for bind in (http, tcp):
            async with served(later, bind) as port:
                reader, writer = await dial(port)
                writer.write(GET)
                writer.write_eof()
                assert (await asyncio.wait_for(reader.read(), DEADLINE_S)).endswith(b"ok")
                writer.close()

    run(test)
