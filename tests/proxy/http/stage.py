"""A stage for HTTP tests: a port on loopback, backends that say what a test tells them, and raw clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from certs.bundle import Bundle
from proxy.balancing.session_tokens import SessionTokens
from proxy.http.port import HttpPort
from proxy.http.site import SiteCompiler, host_compiler
from proxy.options import ProxyOptions
from proxy.services import Peer, Services
from proxy.snapshot.filters import HttpFilter
from proxy.snapshot.listeners import HttpListener
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, VirtualHost, WeightedBackend
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.metrics import Metrics
from tests.proxy.loops import run_on

DEADLINE_S = 30.0
TOKENS = SessionTokens(b"k" * 32)
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
    "default": uvloop.new_event_loop,
}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(eq=False)
class FakePeer:
    address: tuple[str, int] | str
    http2: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return str(self.address)

    @property
    def mark(self) -> bytes:
        return TOKENS.mark("c", self.label)

    def security(self, certificate: Bundle | None) -> None:
        return None

    def failed(self, reason: str) -> None:
        self.failures.append(reason)

    def succeeded(self) -> None:
        self.failures.clear()


@dataclass
class FakeUpstream:
    peers: list[FakePeer]
    connect_timeout_s: float = 1.0
    retries: int = 1000

    def pick(self, avoid: Collection[Peer] = ()) -> FakePeer | None:
        return next((peer for peer in self.peers if peer not in avoid), None)

    def marked(self, mark: bytes) -> FakePeer | None:
        return next((peer for peer in self.peers if peer.mark == mark), None)

    def may_retry(self) -> bool:
        self.retries -= 1
        return self.retries >= 0

    async def resolved(self) -> None:
        return None


class FakeRegistry:
    def __init__(self) -> None:
        self.upstreams: dict[str, FakeUpstream] = {}
        self.tokens = TOKENS

    def get(self, name: str) -> FakeUpstream | None:
        return self.upstreams.get(name)


def forward(path: str = "/", cluster: str = "c", *, filters: tuple[HttpFilter, ...] = (), **action: float) -> HttpRule:
    """A rule that sends a prefix to a cluster."""
    backends = (WeightedBackend(1, cluster),)
    return HttpRule(HttpMatch(path=path), HttpAction("ns/r", "0", filters, backends, **action))  # type: ignore[arg-type]


class Stage:
    """Everything of one test. `backend` serves cluster "c"."""

    def __init__(self, options: ProxyOptions, log: Path | None) -> None:
        self.registry = FakeRegistry()
        self.access_log = AccessLog(str(log) if log else "off")
        self.metrics = Metrics()
        loop = asyncio.get_running_loop()
        self.services = Services(loop, options, self.registry, self.access_log, self.metrics)
        self.port = HttpPort(self.services)
        self._sites = SiteCompiler(host_compiler(self.metrics))
        self.number = 0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, handler: Handler | None, rules: Sequence[HttpRule]) -> None:
        if handler is not None:
            self.registry.upstreams["c"] = FakeUpstream([FakePeer(await self.backend(handler))])
        self.update(rules)
        server = await asyncio.get_running_loop().create_server(lambda: self.port.protocol(None), "127.0.0.1", 0)
        self._servers.append(server)
        self.number = server.sockets[0].getsockname()[1]

    def update(self, rules: Sequence[HttpRule]) -> None:
        self.port.update(self._sites.compile([HttpListener("ns/g/l", "", (VirtualHost("", tuple(rules)),))]))

    async def backend(self, handler: Handler) -> tuple[str, int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):  # the proxy went first, which tests may want
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers.append(server)
        address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        return address

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)

    async def say(self, wire: bytes) -> bytes:
        """Send on a new connection, half-close, read to the end."""
        reader, writer = await self.connect()
        writer.write(wire)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def close(self) -> None:
        await self.port.drain(0.2)
        self.services.pool.close()
        self.services.h2_pool.close()
        for server in self._servers:
            server.close()
        await asyncio.to_thread(self.access_log.close)


def staged(
    test: Callable[[Stage], Awaitable[None]],
    handler: Handler | None = None,
    rules: Sequence[HttpRule] = (forward(),),
    options: ProxyOptions | None = None,
    log: Path | None = None,
) -> None:
    """Run a test on a stage, within a deadline, on the default of `LOOPS`."""

    async def run() -> None:
        stage = Stage(options or ProxyOptions(access_log="off"), log)
        await stage.open(handler, rules)
        try:
            async with asyncio.timeout(DEADLINE_S):
                await test(stage)
        finally:
            await stage.close()

    run_on(LOOPS["default"], run())


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """One head with its empty line."""
    return await reader.readuntil(b"\r\n\r\n")


def answering(*answers: bytes, seen: list[bytes] | None = None) -> Handler:
    """A backend that reads a head (and a sized body), then says the next answer, on one connection after the other."""
    waiting = list(answers)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            head = await read_head(reader)
            lowered = head.lower()
            at = lowered.find(b"content-length: ")
            body = await reader.readexactly(int(lowered[at + 16 :].split(b"\r\n")[0])) if at > 0 else b""
            if b"transfer-encoding: chunked" in lowered:
                body = await reader.readuntil(b"0\r\n\r\n")
            if seen is not None:
                seen.append(head + body)
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            writer.write(answer)
            await writer.drain()
            if b"onnection: close" in answer or b"until-close" in answer:
                return

    return handler
