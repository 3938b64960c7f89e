"""Ways to a backend: an endpoint comes in, a stream on a kept or a new connection goes out.

The only place that knows which connections there are to choose from.
"""

from __future__ import annotations

import asyncio
from functools import partial

from certs.bundle import Bundle
from proxy.http.deadlines import Deadlines
from proxy.http.h1_upstream import H1Upstream
from proxy.http.h2_upstream import H2Upstream
from proxy.http.upstream_stream import UpstreamStream
from proxy.protocols.tls_client import BrokenOffError
from proxy.reasons import Reason
from proxy.services import Peer, Services, Upstream
from proxy.upstreams.connect import ConnectFailedError, connect
from proxy.upstreams.pool import Stack
from proxy.upstreams.security import Security, pool_key
from proxy.upstreams.shared_pool import Crew


def kept_stream(services: Services, peer: Peer, certificate: Bundle | None = None) -> UpstreamStream | None:
    """A stream on a connection that is open and has room, or None. certificate: shown in TLS, if asked for."""
    key = pool_key(peer.address, peer.security(certificate))
    if not peer.http2:
        return services.pool.take(key)
    shared = services.h2_pool.with_room(key)
    return shared.stream() if shared is not None else None


class Ways:
    """The connections that requests of one client took last, remembered: most of them go where the last one went."""

    __slots__ = ("_certificate", "_crew", "_peer", "_stack")

    def __init__(self) -> None:
        self._peer: Peer | None = None
        self._certificate: Bundle | None = None
        self._crew: Crew[H2Upstream] | None = None
        self._stack: Stack[H1Upstream] | None = None

    def stream(self, services: Services, peer: Peer, certificate: Bundle | None) -> UpstreamStream | None:
        """As `kept_stream`, which may know more when this knows nothing: a crew is another when it was empty once."""
        if peer is not self._peer or certificate is not self._certificate:
            self._peer, self._certificate = peer, certificate
            key = pool_key(peer.address, peer.security(certificate))
            self._stack = None if peer.http2 else services.pool.stack(key)
            self._crew = services.h2_pool.known(key) if peer.http2 else None
        if self._stack:
            return self._stack.pop()
        connection = self._crew.with_room() if self._crew is not None else None
        if connection is None:
            self._peer = None
            return None
        return connection.stream()


async def open_stream(
    services: Services, deadlines: Deadlines, upstream: Upstream, peer: Peer, certificate: Bundle | None = None
) -> UpstreamStream:
    """A stream on a new connection, to be begun in the same turn of the loop; of HTTP/2 also on one that others have
    opened meanwhile, or are opening. The peer is told how it went.

    deadlines: watch the connection. certificate: as above. Raises ConnectFailedError.
    """
    security = peer.security(certificate)
    key = pool_key(peer.address, security)
    stream: UpstreamStream
    try:
        if peer.http2:
            connecting = partial(_open_h2, services, deadlines, upstream, peer, security)
            stream = (await services.h2_pool.crew(key).open(connecting)).stream()
        else:
            stream = await connect(
                services.loop,
                lambda: H1Upstream(services.pool.stack(key), deadlines, services.options),
                peer.address,
                upstream.connect_timeout_s,
                security,
            )
    except ConnectFailedError as error:
        if error.unhealthy:
            peer.failed(str(error))
        raise
    peer.succeeded()
    return stream


async def _open_h2(
    services: Services,
    deadlines: Deadlines,
    upstream: Upstream,
    peer: Peer,
    security: Security | None,
    crew: Crew[H2Upstream],
) -> H2Upstream:
    """A connection whose backend has greeted and lets streams be opened. Raises ConnectFailedError."""
    scheme = b"http" if security is None else b"https"
    connection = await connect(
        services.loop,
        lambda: H2Upstream(crew, deadlines, services.options, scheme),
        peer.address,
        upstream.connect_timeout_s,
        security,
    )
    try:
        async with asyncio.timeout(upstream.connect_timeout_s):
            await connection.greeted
        if not connection.can_open:
            raise ConnectFailedError(Reason.CONNECT_FAILED, "the backend lets no HTTP/2 stream be opened")
    except TimeoutError as error:
        message = f"no HTTP/2 SETTINGS within {upstream.connect_timeout_s:g} s"
        connection.transport.abort()
        raise ConnectFailedError(Reason.CONNECT_TIMEOUT, message) from error
    except ConnectionResetError as error:
        if isinstance(error.__cause__, BrokenOffError):  # it did not like our certificate, say
            raise ConnectFailedError(Reason.UPSTREAM_TLS_FAILED, str(error.__cause__)) from error
        raise ConnectFailedError(Reason.CONNECT_FAILED, str(error)) from error
    except BaseException:
        connection.transport.abort()
        raise
    return connection
