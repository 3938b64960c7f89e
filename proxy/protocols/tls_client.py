"""The client's end of TLS: a transport to a backend comes in; once its certificate is believed, so does what is inside.

Nothing is sent inside before the backend's chain and name are verified. Which context, names and protocols is asked of
the caller; connecting and deadlines are the caller's too.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from proxy.protocols.tls_stream import CLOSED, HANDSHAKE, OPEN, Buffers, TlsStream


class HandshakeError(Exception):
    """No TLS with this backend. untrusted: it spoke TLS, and its certificate is not what was asked for."""

    def __init__(self, message: str, *, untrusted: bool = False) -> None:
        super().__init__(message)
        self.untrusted = untrusted


class CutOffError(ConnectionError):
    """The backend's connection ended without a close_notify: what was received may not be all (RFC 8446, 6.1)."""


class BrokenOffError(ConnectionError):
    """TLS with the backend broke after the handshake: an alert, such as one about our own certificate, or no TLS."""


class TlsClient(TlsStream):
    """One connection to a backend: the protocol of its transport, and the transport of `inner`.

    accepts: whether a leaf certificate (DER) is for the wanted backend, where OpenSSL does not judge that itself.
    alpn: the protocol that must be agreed on; None leaves it open.
    """

    __slots__ = ("_accepts", "_alpn", "_context", "_error", "_fresh", "_server_name", "_waiter")

    def __init__(
        self,
        inner: asyncio.Protocol,
        buffers: Buffers,
        context: ssl.SSLContext,
        server_name: str,
        *,
        accepts: Callable[[bytes], bool] | None = None,
        alpn: str | None = None,
    ) -> None:
        super().__init__(buffers)
        self._fresh: asyncio.Protocol | None = inner  # not connected yet
        self._context = context
        self._server_name = server_name
        self._accepts = accepts
        self._alpn = alpn
        self._error: HandshakeError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def shaken(self, loop: asyncio.AbstractEventLoop) -> None:
        """Returns when `inner` is connected. Raises HandshakeError; the transport is then gone, as when cancelled."""
        if self._state == HANDSHAKE:
            self._waiter = loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.abort()
                raise
        if self._error is not None or self._state != OPEN:
            raise self._error or HandshakeError("the backend closed the connection after the handshake")

    # The side of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._begin(self._context, server_side=False, server_name=self._server_name)
        self._shake(b"")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._state == OPEN:
            self._receive(data)
        elif self._state == HANDSHAKE:
            self._shake(data)

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._state == HANDSHAKE:
            self._give_up(HandshakeError(f"the backend closed the connection during the handshake{_because(error)}"))
        if self.fault is not None:
            error = BrokenOffError(_words(self.fault))
        elif error is None and self._state == OPEN and not self._half_closed:
            error = CutOffError("the connection ended without a close_notify")
        self._state = CLOSED
        inner, self._inner, self._fresh, self._session = self._inner, None, None, None
        if inner is not None:
            inner.connection_lost(error)

    # The handshake.

    def _shake(self, data: bytes) -> None:
        done, plain, over = self._guarded(data, self._handshake_step)
        if self.fault is not None:
            self._give_up(HandshakeError(_words(self.fault), untrusted=_is_distrust(self.fault)))
            return
        if not done or self._state != HANDSHAKE:
            return
        problem = self._objection()
        if problem is not None:
            self._give_up(problem)
            self.abort()
            return
        inner, self._fresh = self._fresh, None
        if inner is not None:
            self._open(inner, plain, over)
        self._settle()

    def _objection(self) -> HandshakeError | None:
        """What is wrong with a backend that OpenSSL accepts."""
        session = self._session
        if self._accepts is not None and not self._accepts(session.getpeercert(True)):
            return HandshakeError("the backend's certificate carries none of the wanted names", untrusted=True)
        agreed = session.selected_alpn_protocol()
        if self._alpn is not None and agreed != self._alpn:
            return HandshakeError(f"the backend does not speak {self._alpn} (ALPN: {agreed or 'nothing'})")
        return None

    def _give_up(self, error: HandshakeError) -> None:
        self._error = self._error or error
        self._state = CLOSED
        self._settle()

    def _settle(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _is_distrust(fault: ssl.SSLError) -> bool:
    return isinstance(fault, ssl.SSLCertVerificationError)


def _words(fault: ssl.SSLError) -> str:
    """OpenSSL's own, without file and line."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the backend's certificate is not accepted: {fault.verify_message}"
    return f"TLS with the backend failed: {(fault.reason or str(fault)).replace('_', ' ').lower()}"


def _because(error: Exception | None) -> str:
    return f": {error}" if error else ""
