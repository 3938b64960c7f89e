"""The proxy under measure: one listener, one route with a header filter, one backend, access log and metrics on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from certs.authority import Authority
from loadtests.profile.memory import MemoryLoop
from proxy.options import ProxyOptions
from proxy.server import Proxy
from proxy.snapshot.clusters import Cluster, Endpoint, Protocol
from proxy.snapshot.filters import RequestHeaderModifier
from proxy.snapshot.listeners import Bind, BindKey, HttpListener, HttpsListener, Listener
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, BindReport, Report
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, VirtualHost, WeightedBackend

HOST, CLUSTER, LISTENER = "bench.local", "backend/default/bench", "default/bench/bench"
ADDED = RequestHeaderModifier(set=(("X-Added", "added"),))
APPLIED_WITHIN_S = 10.0


def snapshot(backend: Protocol, folder: Path, *, tls: bool, grpc: bool) -> Snapshot:
    """Everything under /api/ (gRPC: every method of bench.Echo) of one host to one endpoint."""
    path = "/bench.Echo/" if grpc else "/api"
    action = HttpAction("default/bench", "0", (ADDED,), (WeightedBackend(1, CLUSTER),), grpc=grpc)
    hosts = (VirtualHost(HOST, (HttpRule(HttpMatch(path=path), action),)),)
    listener: Listener = HttpListener(LISTENER, "", hosts)
    if tls:
        listener = HttpsListener(LISTENER, "", (Authority.open(folder).issue_server([HOST]),), hosts)
    bind = Bind(BindKey("127.0.0.1", 0, "tcp"), (listener,))
    return Snapshot(1, (bind,), {CLUSTER: Cluster(CLUSTER, backend, (Endpoint("ip", "127.0.0.1", 9),))})


@asynccontextmanager
async def gateway(loop: MemoryLoop, backend: Protocol, *, tls: bool, grpc: bool) -> AsyncIterator[None]:
    """Clients may come to `loop` inside the block. Raises RuntimeError when the proxy refuses its configuration."""
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="profile-") as name:
        folder = Path(name)
        proxy = Proxy(loop, ProxyOptions(access_log=str(folder / "access.log")), reports.append)
        try:
            proxy.apply(snapshot(backend, folder, tls=tls, grpc=grpc))
            async with asyncio.timeout(APPLIED_WITHIN_S):
                while Applied(1) not in reports:
                    await asyncio.sleep(0.01)
            if refused := [r for r in reports if isinstance(r, BindReport) and not r.listening]:
                raise RuntimeError(f"the proxy does not serve: {refused[0].error}")
            yield
        finally:
            await proxy.drain(0.0)
