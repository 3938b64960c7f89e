"""HTTP connections in memory: a script of what client and backend do comes in, a transcript of all effects goes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast

import pytest

from proxy.http import answers, opening
from proxy.http.h1_connection import H1Connection
from proxy.http.h1_upstream import H1Upstream
from proxy.http.port import HttpPort
from proxy.http.site import SiteCompiler, host_compiler
from proxy.options import ProxyOptions
from proxy.services import Services
from proxy.snapshot.listeners import HttpListener
from proxy.snapshot.routes import HttpRule, VirtualHost
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.log_line import Clock, PlainExchange, plain_line
from proxy.telemetry.metrics import Metrics
from tests.proxy.http.stage import FakePeer, FakeRegistry, FakeUpstream

Step = tuple[str, bytes]
"""What is done: "client" and "backend" with the bytes they send, or one of the names that `Memory.play` knows."""

_VARYING = ("time", "duration_ms", "upstream_ms")


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; holds what is received while reading is paused."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("192.0.2.1", 40000), "sockname": ("192.0.2.2", 80)})
        self.written = b""
        self.events: list[str] = []
        self.held = b""
        self.paused = False
        self.closing = False
        self._loop = loop
        self._protocol: asyncio.Protocol = protocol

    def deliver(self, data: bytes) -> None:
        self.held += data
        if self.held and not self.paused and not self.closing:
            data, self.held = self.held, b""
            self._protocol.data_received(data)

    def write(self, data: Any) -> None:
        assert data, "nothing is written for nothing"
        if not self.closing:
            self.written += data

    def close(self) -> None:
        self._end("closed", None)

    def abort(self) -> None:
        self._end("aborted", None)

    def lose(self) -> None:
        self._end("lost", ConnectionResetError())

    def _end(self, how: str, error: Exception | None) -> None:
        if not self.closing:
            self.closing = True
            self.events.append(how)
            self._loop.call_soon(self._protocol.connection_lost, error)

    def eof(self) -> None:
        if not self.closing and not self._protocol.eof_received():
            self.close()

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.events.append("eof")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
        self._loop.call_soon(self.deliver, b"")


@dataclass
class Transcript:
    """client, backends: all bytes written to them, and how connections ended, after every step."""

    client: list[tuple[bytes, tuple[str, ...]]] = field(default_factory=list)
    backends: list[tuple[tuple[bytes, tuple[str, ...]], ...]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


class _Lines(AccessLog):
    """Keeps its lines."""

    def __init__(self) -> None:
        super().__init__("off")
        self.enabled = True
        self.lines: list[dict[str, Any]] = []

    def write(self, line: bytes | PlainExchange) -> None:
        values = json.loads(line if isinstance(line, bytes) else plain_line(line, Clock(), 0.0))
        self.lines.append({name: value for name, value in values.items() if name not in _VARYING})


class Memory:
    """One client connection to a port whose backends are in memory."""

    def __init__(self, sites: Sequence[Sequence[HttpRule]], options: ProxyOptions, peers: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._log, metrics, registry = _Lines(), Metrics(), FakeRegistry()
        registry.upstreams["c"] = FakeUpstream([FakePeer((f"192.0.2.{number}", 80)) for number in range(peers)])
        self._services = Services(self._loop, options, registry, self._log, metrics)
        self._port = HttpPort(self._services)
        compiler = SiteCompiler(host_compiler(metrics))
        self._sites = [
            compiler.compile([HttpListener("ns/g/l", "", (VirtualHost("", tuple(rules)),))]) for rules in sites
        ]
        self._port.update(self._sites[0])
        self._connection = H1Connection(self._port, None)
        self.client = MemoryTransport(self._loop, self._connection)
        self._connection.connection_made(self.client)
        self._backends: list[tuple[H1Upstream, MemoryTransport]] = []

    async def connect(self, _loop: object, factory: Any, *_rest: object) -> H1Upstream:
        """Stands in for `proxy.upstreams.connect.connect`."""
        await asyncio.sleep(0)
        connection: H1Upstream = factory()
        transport = MemoryTransport(self._loop, connection)
        connection.connection_made(transport)
        self._backends.append((connection, transport))
        return connection

    async def play(self, steps: Sequence[Step]) -> Transcript:
        transcript = Transcript(lines=self._log.lines, errors=self._services.metrics.upstream_errors)
        for name, data in steps:
            self._do(name, data)
            for _ in range(8):
                await asyncio.sleep(0)
            transcript.client.append((self.client.written, tuple(self.client.events)))
            transcript.backends.append(tuple((t.written, tuple(t.events)) for _, t in self._backends))
        transcript.counts = {
            name: counts.by_class for name, counts in self._services.metrics.routes.items() if any(counts.by_class)
        }
        self.client.abort()
        await asyncio.sleep(0)
        return transcript

    def _do(self, name: str, data: bytes) -> None:
        connection, backend = self._backends[-1] if self._backends else (None, None)
        match name:
            case "client":
                self.client.deliver(data)
            case "client_eof":
                self.client.eof()
            case "client_lost":
                self.client.lose()
            case "client_full":
                self._connection.pause_writing()
            case "client_drained":
                self._connection.resume_writing()
            case "overdue":
                self._connection.wake(monotonic() + 1000)
            case "drain":
                self._port.close_idle()
            case "site_0" | "site_1":
                self._port.update(self._sites[int(name[-1])])
            case _ if connection is None or backend is None:
                return
            case "backend":
                backend.deliver(data)
            case "backend_eof":
                backend.eof()
            case "backend_lost":
                backend.lose()
            case "backend_full":
                connection.pause_writing()
            case "backend_drained":
                connection.resume_writing()
            case _:
                raise ValueError(name)


def played(
    steps: Sequence[Step], sites: Sequence[Sequence[HttpRule]], options: ProxyOptions, *, peers: int = 1
) -> Transcript:
    """What follows from the steps."""

    async def run() -> Transcript:
        memory = Memory(sites, options, peers)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opening, "connect", memory.connect)
            patch.setattr(answers, "time", lambda: 0.0)
            return await memory.play(steps)

    return asyncio.run(run())
