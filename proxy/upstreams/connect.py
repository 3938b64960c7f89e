"""Opening connections to backends: an address comes in, a connected protocol or a reason goes out."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

from certs.errors import CertificateError
from proxy.protocols.tls_client import HandshakeError, TlsClient
from proxy.reasons import Reason
from proxy.upstreams.pool import Address
from proxy.upstreams.security import Security

P = TypeVar("P", bound=asyncio.Protocol)


OUR_OWN_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Errors of connecting that say nothing about the other side."""


class ConnectFailedError(Exception):
    """No connection. `reason` is CONNECT_FAILED, CONNECT_TIMEOUT, UPSTREAM_TLS_FAILED, UPSTREAM_UNTRUSTED, or
    OVERLOADED, which is not the other side's fault; the message is the operating system's, or OpenSSL's."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def unhealthy(self) -> bool:
        """Whether the address is at fault for everybody. A handshake may have failed for what we are and show."""
        return self.reason not in (Reason.OVERLOADED, Reason.UPSTREAM_TLS_FAILED)


async def connect(
    loop: asyncio.AbstractEventLoop,
    factory: Callable[[], P],
    address: Address,
    timeout_s: float,
    security: Security | None = None,
) -> P:
    """A protocol made by `factory`, connected to `address`, inside TLS where there is a security.

    timeout_s: for the connection, and once more for the handshake. Raises ConnectFailedError; cancelling ends the
    attempt."""
    try:
        async with asyncio.timeout(timeout_s):
            if security is None:
                return await _open(loop, factory, address)
            context = await security.context()
            inner = factory()
            client = await _open(loop, lambda: security.client(inner, context), address)
    except TimeoutError as error:
        raise ConnectFailedError(Reason.CONNECT_TIMEOUT, f"no connection within {timeout_s:g} s") from error
    except OSError as error:
        reason = Reason.OVERLOADED if error.errno in OUR_OWN_FAULT else Reason.CONNECT_FAILED
        raise ConnectFailedError(reason, str(error)) from error
    except CertificateError as error:
        raise ConnectFailedError(Reason.UPSTREAM_TLS_FAILED, str(error)) from error
    await shake_hands(loop, client, timeout_s)
    return inner


async def shake_hands(loop: asyncio.AbstractEventLoop, client: TlsClient, timeout_s: float) -> None:
    """Returns when TLS stands on a connection that was just opened. Raises ConnectFailedError."""
    try:
        async with asyncio.timeout(timeout_s):
            await client.shaken(loop)
    except TimeoutError as error:
        raise ConnectFailedError(Reason.UPSTREAM_TLS_FAILED, f"no TLS handshake within {timeout_s:g} s") from error
    except HandshakeError as error:
        reason = Reason.UPSTREAM_UNTRUSTED if error.untrusted else Reason.UPSTREAM_TLS_FAILED
        raise ConnectFailedError(reason, str(error)) from error


async def _open(loop: asyncio.AbstractEventLoop, factory: Callable[[], P], address: Address) -> P:
    if isinstance(address, str):
        _, protocol = await loop.create_unix_connection(factory, address)
    else:
        _, protocol = await loop.create_connection(factory, *address)
    return protocol
