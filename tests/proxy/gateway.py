"""A whole proxy on loopback for tests, with backends that answer in ways a test can check."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import uvloop

from proxy.options import ProxyOptions, StreamOptions
from proxy.server import Proxy
from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.listeners import Bind, BindKey, HttpListener, Listener, TcpListener, UdpListener
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, BindReport, Report
from proxy.snapshot.routes import Forward, HttpAction, HttpMatch, HttpRule, VirtualHost, WeightedBackend
from proxy.upstreams.resolve import Lookup
from tests.proxy.loops import run_on

DEADLINE_S = 30.0
BACKLOG = 1024
"""Of a backend: one whose queue is full makes the kernel try again after seconds, and the gateway give up."""


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test on the event loop that the product uses."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    run_on(uvloop.new_event_loop, bounded())


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def to(*clusters: str | tuple[int, str]) -> Forward:
    """A forward to clusters, each with weight 1 or (weight, cluster)."""
    weighted = [item if isinstance(item, tuple) else (1, item) for item in clusters]
    return Forward("default/route", "0", tuple(WeightedBackend(weight, name) for weight, name in weighted))


def tcp(port: int, *clusters: str | tuple[int, str], address: str = "127.0.0.1") -> Bind:
    return Bind(BindKey(address, port, "tcp"), (TcpListener("default/gw/tcp", to(*clusters)),))


def udp(port: int, *clusters: str | tuple[int, str], address: str = "127.0.0.1") -> Bind:
    return Bind(BindKey(address, port, "udp"), (UdpListener("default/gw/udp", to(*clusters)),))


def hosts(*clusters: str, hostname: str = "", path: str = "/") -> tuple[VirtualHost, ...]:
    """One host whose only rule sends everything under `path` to clusters of equal weight."""
    backends = tuple(WeightedBackend(1, name) for name in clusters)
    return (VirtualHost(hostname, (HttpRule(HttpMatch(path=path), HttpAction("default/route", "0", (), backends)),)),)


def http(port: int, *clusters: str) -> Bind:
    """A plain HTTP port that sends everything to clusters."""
    return bind(port, HttpListener("default/gw/http", "", hosts(*clusters)))


def bind(port: int, *listeners: Listener) -> Bind:
    return Bind(BindKey("127.0.0.1", port, "tcp"), listeners)


def at(*ports: int, name: str = "c") -> dict[str, Cluster]:
    """One cluster with an endpoint on loopback for each port."""
    return {name: Cluster(name, "tcp", tuple(Endpoint("ip", "127.0.0.1", port) for port in ports))}


@dataclass
class Gateway:
    """A proxy, what it reported, and a way to wait for it."""

    proxy: Proxy
    reports: list[Report]
    serial: int = 0
    binds: tuple[Bind, ...] = ()
    clusters: dict[str, Cluster] = field(default_factory=dict)

    async def apply(self, binds: Iterable[Bind], clusters: Mapping[str, Cluster]) -> None:
        """Bring a snapshot from another thread, as the control plane does, and wait until it serves."""
        self.serial += 1
        snapshot = Snapshot(self.serial, tuple(sorted(binds, key=lambda item: item.key)), clusters)
        await asyncio.get_running_loop().run_in_executor(None, self.proxy.apply, snapshot)
        await eventually(lambda: Applied(self.serial) in self.reports)

    def bind_reports(self, port: int) -> list[BindReport]:
        return [report for report in self.reports if isinstance(report, BindReport) and report.key.port == port]


@asynccontextmanager
async def gateway(
    log: str = "off",
    streams: StreamOptions | None = None,
    options: ProxyOptions | None = None,
    lookup: Lookup | None = None,
) -> AsyncIterator[Gateway]:
    """A proxy with nothing applied yet. `options` decides over everything, `lookup` resolves names."""
    reports: list[Report] = []
    if options is None:
        options = ProxyOptions(access_log=log, streams=streams or StreamOptions(), removed_bind_drain_s=0.5)
    proxy = Proxy(asyncio.get_running_loop(), options, reports.append, lookup)
    try:
        yield Gateway(proxy, reports)
    finally:
        await proxy.drain(0.05)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def backend(talk: Talk, context: ssl.SSLContext | None = None, path: str = "") -> AsyncIterator[int]:
    """A stream server; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    if path:
        server = await asyncio.start_unix_server(handle, path, backlog=BACKLOG)
        port = 0
    else:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context, backlog=BACKLOG)
        port = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        server.close()
        await asyncio.sleep(0)


def says(name: bytes) -> Talk:
    """Speaks first and ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name)
        await writer.drain()

    return talk


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends everything back, and its end."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def ask(port: int, data: bytes = b"", host: str = "127.0.0.1", **options: object) -> bytes:
    """Connect, send, half-close, and read to the end."""
    reader, writer = await asyncio.open_connection(host, port, **options)  # type: ignore[arg-type]
    try:
        writer.write(data)
        if writer.can_write_eof():
            writer.write_eof()
        return await reader.read(-1)
    finally:
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket whose datagrams a test can await."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.queue: asyncio.Queue[tuple[bytes, tuple[object, ...]]] = asyncio.Queue()
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[object, ...]) -> None:
        self.queue.put_nowait((data, address))
        if self.answer is not None:
            self.transport.sendto(self.answer(data), address)

    async def next(self) -> bytes:
        return (await asyncio.wait_for(self.queue.get(), DEADLINE_S))[0]


@asynccontextmanager
async def datagrams(
    answer: Callable[[bytes], bytes] | None = None, to_port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[Datagrams]:
    """A client of a port, or without one a server on a port of its own."""
    loop = asyncio.get_running_loop()
    if to_port:
        _, protocol = await loop.create_datagram_endpoint(Datagrams, remote_addr=(host, to_port))
    else:
        _, protocol = await loop.create_datagram_endpoint(lambda: Datagrams(answer), local_addr=(host, 0))
    try:
        yield protocol
    finally:
        protocol.transport.close()
        await asyncio.sleep(0)


def port_of(end: Datagrams) -> int:
    return int(end.transport.get_extra_info("sockname")[1])
