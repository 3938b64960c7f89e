"""One endpoint of an upstream, with its live state: what whoever connects to it asks of it, and tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certs.bundle import Bundle
from proxy.upstreams.health import Health
from proxy.upstreams.pool import Address
from proxy.upstreams.security import Security

if TYPE_CHECKING:
    from proxy.upstreams.registry import Upstream


class Peer:
    """One address of an upstream, and one way of being reached: another way is another peer.

    address: (host, port) or the path of a Unix socket; label: the same for logs. http2: HTTP/2 is
    spoken with it."""

    __slots__ = ("_upstream", "address", "health", "http2", "label", "weight")

    def __init__(self, upstream: Upstream, address: Address, label: str) -> None:
        self._upstream = upstream
        self.address = address
        self.label = label
        self.weight = 1
        self.http2 = upstream.cluster.protocol == "http2"
        self.health = Health()

    @property
    def mark(self) -> bytes:
        """What session tokens name it by."""
        return self._upstream.mark(self.label)

    def security(self, certificate: Bundle | None) -> Security | None:
        """How to speak TLS with it when `certificate` is to be shown; None: it is reached in plain text."""
        return self._upstream.security(certificate)

    def failed(self, reason: str) -> None:
        """It refused a connection, or none came about: leave it out for a while."""
        self._upstream.failed(self, reason)

    def succeeded(self) -> None:
        """A connection to it came about."""
        if self.health.failures:
            self._upstream.recovered(self)
