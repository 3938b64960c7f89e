"""What the rooms of the proxy share: one frozen holder, made by the server, given to all that carries traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from certs.bundle import Bundle
from proxy.balancing.session_tokens import SessionTokens
from proxy.options import ProxyOptions
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.metrics import Metrics
from proxy.upstreams.pool import Address, Pool
from proxy.upstreams.security import Security
from proxy.upstreams.shared_pool import SharedPool

if TYPE_CHECKING:
    from proxy.http.h1_upstream import H1Upstream
    from proxy.http.h2_upstream import H2Upstream


class Peer(Protocol):
    """One resolved address of an endpoint, with its live state. label: its text for logs; mark: for session tokens;
    http2: HTTP/2 is spoken; security: how to speak TLS with it when a certificate is to be shown, None for plain text.
    """

    @property
    def address(self) -> Address: ...
    @property
    def http2(self) -> bool: ...
    @property
    def label(self) -> str: ...
    @property
    def mark(self) -> bytes: ...
    def security(self, certificate: Bundle | None) -> Security | None: ...
    def failed(self, reason: str) -> None: ...
    def succeeded(self) -> None: ...


class Upstream(Protocol):
    """The live state of a cluster."""

    @property
    def connect_timeout_s(self) -> float: ...
    def pick(self, avoid: Collection[Peer] = ()) -> Peer | None: ...
    def marked(self, mark: bytes) -> Peer | None: ...
    def may_retry(self) -> bool: ...
    async def resolved(self) -> None: ...


class Upstreams(Protocol):
    """The clusters by name; None when a name is not in the snapshot in force. tokens: of their endpoints' sessions."""

    @property
    def tokens(self) -> SessionTokens: ...
    def get(self, name: str) -> Upstream | None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Shared by every port of a proxy. pool: kept-alive HTTP/1.1 connections to backends, h2_pool: those of HTTP/2; by
    pool_key."""

    loop: asyncio.AbstractEventLoop
    options: ProxyOptions
    registry: Upstreams
    access_log: AccessLog
    metrics: Metrics
    pool: Pool[H1Upstream] = field(default_factory=Pool)
    h2_pool: SharedPool[H2Upstream] = field(default_factory=SharedPool)

    def __post_init__(self) -> None:
        self.metrics.log_dropped = lambda: self.access_log.dropped
