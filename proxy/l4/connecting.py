"""Connecting to one of an upstream's peers: where one refuses the next is tried, a bounded number of times."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

from certs.bundle import Bundle
from certs.errors import CertificateError
from proxy.l4.forwarding import pick_resolved
from proxy.reasons import Reason
from proxy.upstreams.assignment import Address
from proxy.upstreams.connect import OUR_OWN_FAULT, ConnectFailedError, shake_hands
from proxy.upstreams.peer import Peer
from proxy.upstreams.registry import Upstream


@dataclass(frozen=True, slots=True)
class Connected:
    """A non-blocking stream socket and the peer it leads to."""

    socket: socket.socket
    peer: Peer


async def connect(loop: asyncio.AbstractEventLoop, upstream: Upstream, attempt_limit: int) -> Connected | Reason:
    """A connection to a peer, or the reason why there is none."""
    tried: list[Peer] = []
    reason = Reason.NO_ENDPOINT
    while len(tried) < attempt_limit:
        peer = await pick_resolved(upstream, tried)
        if peer is None:
            break
        try:
            async with asyncio.timeout(upstream.connect_timeout_s):
                made = await _connect_to(loop, peer.address)
        except TimeoutError:
            peer.failed(f"no connection within {upstream.connect_timeout_s:g} s")
            reason = Reason.CONNECT_TIMEOUT
        except OSError as error:
            if error.errno in OUR_OWN_FAULT:
                return Reason.OVERLOADED
            peer.failed(os.strerror(error.errno) if error.errno else str(error))
            reason = Reason.CONNECT_FAILED
        else:
            peer.succeeded()
            return Connected(made, peer)
        tried.append(peer)
    return reason


async def join(
    loop: asyncio.AbstractEventLoop,
    found: Connected,
    protocol: asyncio.Protocol,
    timeout_s: float,
    certificate: Bundle | None,
) -> None:
    """Make `protocol` that of a connection, inside TLS where the peer is reached so; `certificate` is shown there.

    Raises ConnectFailedError when TLS does not come about within `timeout_s`; the connection is then gone.
    """
    security = found.peer.security(certificate)
    if security is None:
        await loop.create_connection(lambda: protocol, sock=found.socket)
        return
    try:
        context = await security.context()
    except (CertificateError, OSError) as error:
        found.socket.close()
        refused = isinstance(error, CertificateError)
        raise ConnectFailedError(Reason.UPSTREAM_TLS_FAILED if refused else Reason.OVERLOADED, str(error)) from error
    except BaseException:
        found.socket.close()
        raise
    _, client = await loop.create_connection(lambda: security.client(protocol, context), sock=found.socket)
    await shake_hands(loop, client, timeout_s)


async def _connect_to(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family = family_of(address)
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        if family != socket.AF_UNIX:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


def family_of(address: Address) -> socket.AddressFamily:
    """The kind of socket that reaches an address."""
    if isinstance(address, str):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET
