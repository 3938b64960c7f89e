"""Many connections at once: what each costs, and that what is not read is not kept."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import AsyncExitStack, ExitStack

import psutil
import pytest

from certs.contexts import client_context
from tests.attacks.apart import apart
from tests.proxy.gateway import backend, eventually, run

MIB = 1 << 20
IDLE = 500
STALLED = 40
"""With 2,000 idle and 200 stalled ones the figures for each are the same; this is quick enough for every run."""


def used(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


@pytest.mark.parametrize("name", ["http", "https", "tcp"])
def test_clients_that_read_nothing_cost_a_bounded_buffer_each(name: str) -> None:
    """Each asks for 100 MB: the gateway stops reading from the backend, and recovers when they go."""

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
        loop = asyncio.get_running_loop()
        async with backend(endless) as port, AsyncExitStack() as stack:
            process, ports = stack.enter_context(apart(port))
            before, descriptors = used(process), process.num_fds()
            clients = []
            context = client_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            for _ in range(STALLED):
                made = socket.socket()
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                made.setblocking(False)
                await loop.sock_connect(made, ("127.0.0.1", ports[name]))
                tls = {"ssl": context, "server_hostname": "a.test"} if name == "https" else {}
                reader, writer = await asyncio.open_connection(sock=made, limit=1, **tls)  # type: ignore[arg-type]
                reader._transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                clients.append(writer)
            highest, still = 0, time.monotonic() + 0.4
            while time.monotonic() < still:
                now = used(process)
                if now > highest + MIB:
                    highest, still = now, time.monotonic() + 0.4
                await asyncio.sleep(0.05)
            grown = (highest - before) / STALLED
            print(f"{name}: {grown / 1024:.0f} KiB for each client that does not read")  # noqa: T201
            assert grown < MIB
            for writer in clients:
                writer.transport.abort()
            await eventually(lambda: not going and process.num_fds() <= descriptors + 64)  # spare pipes

    run(test)


@pytest.mark.parametrize(("name", "limit_kib"), [("http", 16), ("https", 40), ("tcp", 24)])
def test_an_idle_connection_costs_little(name: str, limit_kib: int) -> None:
    """Many of them; those of TCP with one to the backend each."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test() -> None:
        async with backend(silent) as port:
            with ExitStack() as stack:
                process, ports = stack.enter_context(apart(port))
                context = client_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

                async def connected(count: int) -> list[socket.socket]:
                    """So many more, and the gateway has all of them."""
                    full = process.num_fds() + count * (2 if name == "tcp" else 1)
                    made = await asyncio.to_thread(_connected, context if name == "https" else None, ports[name], count)
                    await eventually(lambda: process.num_fds() >= full)
                    return made

                warm = await connected(50)
                before, descriptors = used(process), process.num_fds()
                idle = await connected(IDLE)
                each = (used(process) - before) / IDLE / 1024
                print(f"{name}: {each:.1f} KiB for each idle connection")  # noqa: T201
                for connection in (*idle, *warm):
                    connection.close()
                assert each < limit_kib
                await eventually(lambda: process.num_fds() <= descriptors + 64)

    run(test)


def _connected(context: ssl.SSLContext | None, port: int, count: int) -> list[socket.socket]:
    """That many connections, TLS done."""
    made = []
    for _ in range(count):
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        made.append(context.wrap_socket(plain, server_hostname="a.test") if context else plain)
    return made
