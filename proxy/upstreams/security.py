"""TLS towards backends: what a cluster asks for and the certificate to show come in, what to connect with goes out.

Equal wants are one `Security`, so it can stand in the key of a pool: connections with another trust, name, client
certificate or protocol are never shared. It refuses to know sockets and what is spoken inside.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import NamedTuple
from weakref import WeakValueDictionary

from certs.bundle import Bundle
from certs.contexts import client_context
from certs.errors import CertificateError
from certs.names import carries
from proxy.protocols.tls_client import TlsClient
from proxy.protocols.tls_stream import Buffers
from proxy.snapshot.clusters import Cluster, Protocol, UpstreamTls
from proxy.upstreams.pool import Address, PoolKey

SHOWN_LIMIT = 64

ALPN: dict[Protocol, str] = {"http": "http/1.1", "http2": "h2", "ws": "http/1.1"}
"""What is offered to a backend; HTTP/2 must be agreed on, for nothing inside tells it from HTTP/1.1."""


class Wants(NamedTuple):
    """What makes connections to one address alike."""

    tls: UpstreamTls
    certificate: Bundle | None
    protocol: Protocol


class Security:
    """How connections for these wants are made. Compares by identity: there is one for equal wants."""

    __slots__ = ("__weakref__", "_building", "_common", "wants")

    def __init__(self, wants: Wants, common: Securities) -> None:
        self.wants = wants
        self._common = common
        self._building: asyncio.Future[ssl.SSLContext] | None = None

    async def context(self) -> ssl.SSLContext:
        """Built once, beside the loop; later ones get the same. Raises CertificateError, or OSError: for want of
        descriptors, say, and then the next one tries again."""
        if self._building is None:
            self._building = asyncio.ensure_future(self._common.context(self.wants))
            self._building.add_done_callback(self._built)
        return await asyncio.shield(self._building)

    def _built(self, building: asyncio.Future[ssl.SSLContext]) -> None:
        """What OpenSSL refuses, it always will; other failures pass."""
        if building.cancelled() or not isinstance(building.exception(), CertificateError | None):
            self._building = None

    def client(self, inner: asyncio.Protocol, context: ssl.SSLContext) -> TlsClient:
        """The protocol for a new connection; `inner` is connected when the backend has proved who it is."""
        tls, _, protocol = self.wants
        return TlsClient(
            inner,
            self._common.buffers,
            context,
            tls.hostname,
            accepts=partial(_carries, tls) if tls.names else None,
            alpn=ALPN[protocol] if protocol == "http2" else None,
        )


class Securities:
    """All of one event loop. Nothing is kept that no cluster, request or waiting connection holds."""

    def __init__(self) -> None:
        self.buffers = Buffers()
        self._known: WeakValueDictionary[Wants, Security] = WeakValueDictionary()
        self._contexts: WeakValueDictionary[tuple[object, ...], ssl.SSLContext] = WeakValueDictionary()

    def find(self, wants: Wants) -> Security:
        """The one for these wants."""
        found = self._known.get(wants)
        if found is None:
            found = self._known[wants] = Security(wants, self)
        return found

    async def context(self, wants: Wants) -> ssl.SSLContext:
        """A context for all wants of the same trust, certificate and protocol. Raises CertificateError."""
        tls, certificate, protocol = wants
        alpn = ALPN.get(protocol)
        key = (tls.trust, certificate, alpn, bool(tls.names))
        found = self._contexts.get(key)
        if found is None:
            found = await asyncio.to_thread(
                client_context,
                tls.trust.pem if tls.trust else None,
                certificate=certificate,
                alpn=(alpn,) if alpn else (),
                check_hostname=not tls.names,
            )
            self._contexts[key] = found
        return found


class ClusterSecurities:
    """Those of one cluster, by the certificate that is shown. They are held for as long as this is, within a bound."""

    __slots__ = ("_cluster", "_common", "_found")

    def __init__(self, common: Securities, cluster: Cluster) -> None:
        self._common = common
        self._cluster = cluster
        self._found: dict[Bundle | None, Security] = {}

    def find(self, certificate: Bundle | None) -> Security | None:
        """How to speak TLS with the cluster; None: it is reached in plain text."""
        tls = self._cluster.tls
        if tls is None:
            return None
        found = self._found.get(certificate)
        if found is None:
            if len(self._found) >= SHOWN_LIMIT:
                self._found.clear()
            found = self._found[certificate] = self._common.find(Wants(tls, certificate, self._cluster.protocol))
        return found


def pool_key(address: Address, security: Security | None) -> PoolKey:
    """Under which connections to an address may wait for each other's work."""
    return address if security is None else (address, security)


def _carries(tls: UpstreamTls, leaf_der: bytes) -> bool:
    return carries(leaf_der, tls.names)
