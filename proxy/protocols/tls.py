"""The server's end of TLS: a client's bytes come in from a transport, plain ones go to an inner protocol, and back.

The ClientHello is collected and read first; from it a decision is made: end TLS here with this context, hand the
connection over with the bytes read so far, or refuse. So certificates and their policies are chosen before OpenSSL sees
a byte, and relaying costs no system call more.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never, cast

from proxy.protocols.client_hello import ClientHello, NotTLSError, parse_client_hello
from proxy.protocols.tls_stream import CLOSED, HANDSHAKE, HELLO, OPEN, Buffers, TlsStream

ALERT_INTERNAL_ERROR = 80
ALERT_UNRECOGNIZED_NAME = 112
ALERT_NO_APPLICATION_PROTOCOL = 120


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What a handshake settled. version: such as "TLSv1.3". alpn: None when none was agreed on."""

    server_name: str
    version: str
    alpn: str | None
    listener_name: str


@dataclass(frozen=True, slots=True)
class Terminate:
    """TLS ends here; `inner` makes the protocol for what is inside, once the handshake is done."""

    context: ssl.SSLContext
    listener_name: str
    inner: Callable[[TlsInfo], asyncio.Protocol]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Somebody else takes the transport, with the bytes that were read from it; nothing was sent."""

    take: Callable[[asyncio.Transport, bytes], None]


@dataclass(frozen=True, slots=True)
class Refuse:
    """No TLS for this client: a fatal alert of this number (RFC 8446, 6), or a plain reset for None."""

    alert: int | None = None


Decision = Terminate | HandOver | Refuse


class Host(Protocol):
    """Who accepts the connections and decides about them."""

    def opened(self, connection: TlsConnection) -> bool:
        """Take note; False refuses the connection."""

    def closed(self, connection: TlsConnection) -> None:
        """It is gone, or was handed over."""

    def decide(self, hello: ClientHello) -> Decision:
        """What to do with a client that says this."""


class TlsConnection(TlsStream):
    """One client connection: the protocol of its transport, and the transport of its inner protocol."""

    __slots__ = (
        "_deadline",
        "_decision",
        "_hello",
        "_host",
        "_server_name",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, host: Host, buffers: Buffers, handshake_s: float) -> None:
        """handshake_s: seconds from now to the end of the handshake, or of the ClientHello where it is handed over."""
        super().__init__(buffers)
        self._host = host
        self._state = HELLO
        self._hello = b""
        self._server_name = ""
        self._decision: Terminate | None = None
        self._deadline: asyncio.TimerHandle | None = loop.call_later(handshake_s, self._too_slow)

    # The side of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._host.opened(self):
            self.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._state == OPEN:
            self._receive(data)
        elif self._state == HANDSHAKE:
            self._shake(data)
        elif self._state == HELLO:
            self._collect(data)

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._state = CLOSED
        self._hello = b""
        self._stop_deadline()
        inner, self._inner, self._session = self._inner, None, None
        self._host.closed(self)
        if inner is not None:
            inner.connection_lost(error)

    # The handshake.

    def _collect(self, data: bytes) -> None:
        self._hello = data = self._hello + data if self._hello else data
        try:
            hello = parse_client_hello(data)
        except NotTLSError:
            self.abort()
            return
        if hello is None:
            return
        self._hello = b""
        self._server_name = hello.server_name
        decision = self._host.decide(hello)
        match decision:
            case Terminate():
                self._decision = decision
                self._state = HANDSHAKE
                self._begin(decision.context, server_side=True)
                self._shake(data)
            case HandOver():
                self._state = CLOSED
                self._stop_deadline()
                decision.take(self._transport, data)
            case Refuse(alert):
                self._refuse(alert)
            case _:
                assert_never(decision)

    def _refuse(self, alert: int | None) -> None:
        self._state = CLOSED
        if alert is None:
            self._transport.abort()
            return
        self._transport.write(bytes((21, 3, 3, 0, 2, 2, alert)))
        self._transport.close()

    def _shake(self, data: bytes) -> None:
        done, plain, over = self._guarded(data, self._handshake_step)
        if not done or self._state != HANDSHAKE or self._decision is None:
            return
        self._stop_deadline()
        self._open(self._decision.inner(self._info(self._decision.listener_name)), plain, over)

    def _info(self, listener_name: str) -> TlsInfo:
        session = self._session
        return TlsInfo(self._server_name, session.version() or "", session.selected_alpn_protocol(), listener_name)

    def _too_slow(self) -> None:
        self._deadline = None
        if self._state != OPEN:  # also when it was refused and does not even take that
            self.abort()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
