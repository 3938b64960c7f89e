"""One end of a TLS connection: encrypted bytes come in from a transport, plain ones go to an inner protocol, and back.

All connections that share a pair of memory BIOs keep an idle one at 16 KB. The price is one rule, on which the secrecy
of all connections rests: both BIOs are empty before control goes anywhere else. Whoever touches them ends in `_emptied`
unless he left both empty; what is left over there is thrown away and ends the connection it came from. `_guarded` does
so for any step of OpenSSL, `_receive` and `write` for what every request needs, without a call more than that takes.

Who begins the handshake and what it decides is for the two kinds of ends: `tls`, the server's, and `tls_client`.
`SSLObject._sslobj` does without a layer of Python in each call; nothing else knows ssl's internals.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

RECORD_BYTES = 16384


class Buffers:
    """A pair of BIOs for many connections of one event loop; one at a time uses it."""

    __slots__ = ("incoming", "outgoing")

    def __init__(self) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()


HELLO, HANDSHAKE, OPEN, CLOSED = range(4)


class TlsStream(asyncio.Protocol):
    """The protocol of a transport, and the transport of an inner protocol. fault: what OpenSSL ended it for."""

    __slots__ = (
        "_half_closed",
        "_incoming",
        "_inner",
        "_outgoing",
        "_session",
        "_state",
        "_transport",
        "fault",
    )

    def __init__(self, buffers: Buffers) -> None:
        self._state = HANDSHAKE
        self._inner: asyncio.Protocol | None = None
        self._half_closed = False
        self._session: Any = None  # _ssl._SSLSocket, which has no public type
        self._incoming = buffers.incoming
        self._outgoing = buffers.outgoing
        self._transport: asyncio.Transport
        self.fault: ssl.SSLError | None = None

    # The side of the transport.

    def eof_received(self) -> bool:
        """The peer sends no more. Without a close_notify before it that is no orderly end of what is inside."""
        return self._half_closed and self._state == OPEN

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._inner is not None:
            self._inner.resume_writing()

    def _begin(self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None) -> None:
        """Take up the handshake with a context."""
        wrapped = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name)
        self._session = wrapped._sslobj  # type: ignore[attr-defined]

    def _handshake_step(self) -> tuple[bool, bytes, bool]:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False, b"", False
        if not self._incoming.pending:
            return True, b"", False
        return self._read_step()  # the first payload came along with the peer's Finished

    def _open(self, inner: asyncio.Protocol, plain: bytes, over: bool) -> None:
        """The handshake is done: `inner` takes over, with what came along."""
        self._state = OPEN
        self._inner = inner
        inner.connection_made(cast(asyncio.BaseTransport, self))
        self._deliver(plain, over)

    # Bytes.

    def _receive(self, data: bytes) -> None:
        incoming, outgoing = self._incoming, self._outgoing
        plain, over, sound = b"", False, False
        try:
            incoming.write(data)
            plain = self._session.read(len(data))
            if incoming.pending or not 0 < len(plain) < len(data):
                plain, over = self._read_on(plain)
            sound = True
        except ssl.SSLWantReadError:
            sound = True
        except ssl.SSLError as error:
            self.fault = error
        finally:
            if not sound or incoming.pending or outgoing.pending:
                sound = self._emptied(sound=sound)
        if sound:
            inner = self._inner
            if over:
                self._deliver(plain, over)
            elif plain and self._state == OPEN and inner is not None:
                inner.data_received(plain)

    def _read_step(self) -> tuple[bool, bytes, bool]:
        """Everything that the incoming BIO yields: True, plain bytes, and whether the peer said that it is done."""
        try:
            plain, over = self._read_on(self._session.read(RECORD_BYTES))
        except ssl.SSLWantReadError:
            return True, b"", False
        return True, plain, over

    def _read_on(self, part: bytes) -> tuple[bytes, bool]:
        """Everything that is there after a first `part`: plain bytes, and whether the peer said that it is done."""
        parts: list[bytes] = []
        read, incoming = self._session.read, self._incoming
        try:
            while part:
                parts.append(part)
                if len(parts) > 1 and not incoming.pending:  # the first may have been less than its record
                    return b"".join(parts), False
                part = read(RECORD_BYTES)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        if incoming.pending:
            incoming.read()  # what follows a close_notify is no part of the stream (RFC 8446, 6.1)
        return b"".join(parts), True

    def _guarded(self, data: bytes, step: Callable[[], tuple[bool, bytes, bool]]) -> tuple[bool, bytes, bool]:
        """Run one step of OpenSSL on the shared BIOs, and leave both empty whatever happens."""
        answer = (False, b"", False)
        sound = False
        try:
            if data:
                self._incoming.write(data)
            answer = step()
            sound = True
        except ssl.SSLError as error:
            self.fault = error  # the peer broke the protocol; the alert that says how is in the outgoing BIO
        finally:
            sound = self._emptied(sound=sound)
        return answer if sound else (False, b"", False)

    def _emptied(self, *, sound: bool) -> bool:
        """Leave both BIOs empty: what is to be sent is, and what nobody read ends the connection. Whether it lives."""
        incoming, outgoing = self._incoming, self._outgoing
        if incoming.pending:
            incoming.read()
            sound = False
        if outgoing.pending:
            self._transport.write(outgoing.read())
        if not sound:
            self._fail()
        return sound

    def _deliver(self, plain: bytes, over: bool) -> None:
        inner = self._inner
        if plain and self._state == OPEN and inner is not None:
            inner.data_received(plain)
        if over and self._state == OPEN and inner is not None and not self._half_closed:
            self._half_closed = True
            if not inner.eof_received():
                self.close()

    def _fail(self) -> None:
        self._state = CLOSED
        self._transport.close()

    # The side of the inner protocol: what it needs of asyncio.Transport.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if self._state != OPEN or not data:
            return
        sound = False
        try:
            taken = self._session.write(data)
            if taken < len(data):
                self._write_on(memoryview(data)[taken:])
            sound = not self._incoming.pending
        except ssl.SSLError as error:
            self.fault = error
        finally:
            if sound:
                self._transport.write(self._outgoing.read())
            else:
                self._emptied(sound=False)

    def _write_on(self, rest: memoryview) -> None:
        """Encrypt what did not fit into one record."""
        while rest:
            rest = rest[self._session.write(rest) :]

    def writelines(self, parts: list[bytes]) -> None:
        """Encrypt and send all parts as one."""
        self.write(b"".join(parts))

    def can_write_eof(self) -> bool:
        """A close_notify ends one direction (RFC 8446, 6.1)."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more will be sent; receiving goes on."""
        if self._state == OPEN:
            self._guarded(b"", self._shutdown_step)

    def _shutdown_step(self) -> tuple[bool, bytes, bool]:
        try:
            self._session.shutdown()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass  # sent; it would now wait for the peer's own close_notify
        return True, b"", False

    def close(self) -> None:
        """Send what is written and a close_notify, then close; the peer's own is not waited for."""
        if self._state == OPEN:
            self._guarded(b"", self._shutdown_step)
        self._state = CLOSED
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._state = CLOSED
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether writing makes no sense any more."""
        return self._state == CLOSED or self._transport.is_closing()

    def pause_reading(self) -> None:
        """See asyncio.Transport."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See asyncio.Transport."""
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        """See asyncio.Transport."""
        return self._transport.is_reading()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """What the outer transport knows."""
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Encrypted bytes that wait."""
        return self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio.Transport."""
        self._transport.set_write_buffer_limits(high, low)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another inner protocol takes over from now on."""
        self._inner = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol | None:
        """The inner protocol."""
        return self._inner
