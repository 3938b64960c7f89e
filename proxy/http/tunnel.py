"""After 101: two transports and an exchange come in, bytes go both ways unread until both sides have ended."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from proxy.half_close import end_sending
from proxy.http.record import record
from proxy.reasons import Reason, Termination

LINGER_S = 30.0
"""How long a backend may take for the last bytes of a client that is gone."""

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange


class Tunnel(asyncio.Protocol):
    """The backend's side as a protocol; the client's connection hands its events to the methods named for them.

    Each side may end its direction alone (half-close); the tunnel ends with both, with a loss, or with idleness.
    """

    def __init__(
        self, exchange: Exchange, client: asyncio.Transport, backend: asyncio.Transport, idle_s: float
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._backend = backend
        self._idle_s = idle_s
        self._active_at = monotonic()
        self._ended_directions = 0
        self._ended = False

    def begin(self, from_client: bytes, from_backend: bytes) -> None:
        """Take the backend's transport over, and pass on what came early: nothing of it was sent before 101."""
        self._backend.set_protocol(self)
        if from_backend:
            self.data_received(from_backend)
        if from_client:
            self.from_client(from_client)

    def from_client(self, data: bytes) -> None:
        """Bytes of the client."""
        self._active_at = monotonic()
        self._exchange.request_bytes += len(data)
        self._backend.write(data)

    def data_received(self, data: bytes) -> None:
        """Bytes of the backend."""
        self._active_at = monotonic()
        self._exchange.response_bytes += len(data)
        self._client.write(data)

    def client_eof(self) -> bool:
        """The client sends no more; True keeps its connection open for the other direction."""
        return self._eof(self._backend)

    def eof_received(self) -> bool:
        """The backend sends no more."""
        return self._eof(self._client)

    def _eof(self, other: asyncio.Transport) -> bool:
        self._ended_directions += 1
        if self._ended_directions == 2 or not other.can_write_eof():
            self._end(Termination.COMPLETE)
            return False
        end_sending(other)
        return True

    def client_lost(self) -> None:
        """The client is gone."""
        self._end(Termination.CLIENT)

    def connection_lost(self, error: Exception | None) -> None:
        """The backend is gone."""
        self._end(Termination.UPSTREAM if error else Termination.COMPLETE)

    def client_full(self) -> None:
        """The client takes no more for now."""
        _pause(self._backend)

    def client_drained(self) -> None:
        """The client takes more again."""
        _resume(self._backend)

    def pause_writing(self) -> None:
        """The backend takes no more for now."""
        _pause(self._client)

    def resume_writing(self) -> None:
        """The backend takes more again."""
        _resume(self._client)

    def due_s(self) -> float:
        """When to call `overdue`, if nothing moves until then."""
        return self._active_at + self._idle_s

    def overdue(self) -> None:
        """Nothing moved for too long."""
        self._end(Termination.TIMEOUT)

    def _end(self, termination: Termination) -> None:
        if self._ended:
            return
        self._ended = True
        if termination is Termination.TIMEOUT:
            self._client.abort()
            self._backend.abort()
        self._client.close()
        self._backend.close()
        if self._backend.get_write_buffer_size():
            self._exchange.client.services.loop.call_later(LINGER_S, self._backend.abort)
        self._exchange.termination = termination
        if termination is Termination.CLIENT:
            self._exchange.reason = Reason.CLIENT_CLOSED
        self._exchange.ended = True
        record(self._exchange, monotonic())


def _pause(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.pause_reading()


def _resume(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.resume_reading()
