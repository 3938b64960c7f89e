"""One HTTP bind: a compiled site comes in with every snapshot, protocols for its connections go out."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from proxy.http.deadlines import Deadlines
from proxy.http.h1_connection import H1Connection
from proxy.http.h2_connection import H2Connection
from proxy.http.site import Site, host_compiler
from proxy.protocols.h2.limits import Limits
from proxy.services import Services

if TYPE_CHECKING:
    from proxy.http.errand import Errand
    from proxy.protocols.tls import TlsInfo

_DRAIN_LOOK_S = 0.02


class PortConnection(Protocol):
    """A connection of the port, whatever version of HTTP it speaks. tls: what its handshake decided."""

    tls: TlsInfo | None
    transport: asyncio.Transport

    def close_when_idle(self) -> None:
        """Close now if nothing is under way, else after what is."""

    def begin_no_more(self) -> None:
        """The same, for a connection whose handshake is not good enough any more: no request may begin on it."""


class HttpPort:
    """What the connections of one bind share: the site in force, their deadlines, and themselves as a set.

    errands: requests of the gateway's own that are under way; copies: those for mirrors, which are none of them.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.deadlines = Deadlines(services.loop)
        self.draining = False
        self.site = Site((), host_compiler(services.metrics))
        self.errands: set[Errand] = set()
        self.copies: set[Errand] = set()
        limits = services.options.limits
        self.h2_limits = Limits(
            head_limit_bytes=limits.head_limit_bytes,
            field_count_limit=limits.field_count_limit,
            target_limit_bytes=limits.target_limit_bytes,
            stream_limit=limits.stream_limit,
        )
        self._connections: set[PortConnection] = set()

    def update(self, site: Site, changed: frozenset[str] = frozenset()) -> None:
        """Put a site in force; live connections follow from their next request on. On the loop.

        Connections that lose their listener are closed once their answer under way is given, and so are those of
        listeners in `changed`, whose handshakes are no longer good enough.
        """
        lost = self.site.names - site.names
        self.site = site
        if lost or changed or not site.names:
            self._close_orphans(changed)

    def protocol(self, tls: TlsInfo | None) -> H1Connection | H2Connection:
        """The protocol for a new connection; `tls` tells what its handshake decided.

        Without TLS, a client's first bytes show which it speaks, so it begins as the older one (RFC 9113 section 3.3).
        """
        if tls is not None and tls.alpn == "h2":
            return H2Connection(self, tls)
        return H1Connection(self, tls)

    async def drain(self, timeout_s: float) -> None:
        """Close idle connections, let the others give their answer, and close what is left after `timeout_s`."""
        self.draining = True
        self.close_idle()
        end = monotonic() + timeout_s
        while self._connections and monotonic() < end:
            await asyncio.sleep(min(_DRAIN_LOOK_S, timeout_s))
        for connection in list(self._connections):
            connection.transport.abort()
        for errand in (*self.errands, *self.copies):
            errand.abandon()

    def close_idle(self) -> None:
        """Close connections that wait for a request; the others after their answer."""
        for connection in list(self._connections):
            connection.close_when_idle()

    @property
    def connection_count(self) -> int:
        """Open connections."""
        return len(self._connections)

    def trusts(self, host: str) -> bool:
        """Whether the peer is one of the trusted proxies."""
        networks = self.services.options.trusted_proxies
        if not networks:
            return False
        try:
            address = ip_address(host)
        except ValueError:  # a Unix socket has no address to be trusted by
            return False
        return any(address in network for network in networks)

    def opened(self, connection: PortConnection) -> bool:
        """Count a new connection; False when there are too many."""
        if connection in self._connections:
            return True  # it succeeds one that was counted
        metrics = self.services.metrics
        if len(self._connections) >= self.services.options.limits.connection_limit:
            metrics.connections_refused += 1
            return False
        self._connections.add(connection)
        metrics.connections += 1
        metrics.connections_total += 1
        return True

    def closed(self, connection: PortConnection) -> None:
        """A connection is gone; harmless for one that was refused."""
        if connection in self._connections:
            self._connections.remove(connection)
            self.services.metrics.connections -= 1

    def replaced(self, connection: PortConnection, successor: PortConnection) -> None:
        """The client turned out to speak another version of HTTP."""
        self._connections.discard(connection)
        self._connections.add(successor)

    def _close_orphans(self, changed: frozenset[str]) -> None:
        names = self.site.names - changed
        for connection in list(self._connections):
            tls = connection.tls
            if tls is not None and tls.listener_name in changed:
                connection.begin_no_more()
            elif not self.site.names or (tls is not None and tls.listener_name not in names):
                connection.close_when_idle()
