"""A stream relayed where TLS ends or begins here, or both: a transport on each side.

Bytes pass through the event loop, because they must be decrypted or encrypted. Half-closes are passed on both ways, as
in `relay`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from certs.bundle import Bundle
from proxy.half_close import end_sending
from proxy.l4.connecting import Connected, connect, join
from proxy.l4.relay import reset_transport
from proxy.l4.session_record import REASONS, SessionRecord
from proxy.options import StreamOptions
from proxy.reasons import Termination
from proxy.upstreams.connect import ConnectFailedError
from proxy.upstreams.registry import Upstream

LINGER_S = 30.0


class Bridge(asyncio.Protocol):
    """The client's side. It reads nothing before its backend is connected."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: StreamOptions,
        choose: Callable[[], Upstream | str],
        record: Callable[[asyncio.Transport], SessionRecord],
        certificate: Bundle | None = None,
        ended: Callable[[Bridge], None] = lambda _: None,
    ) -> None:
        """choose: the upstream, or the reason why there is none. `record` is called when the client's transport is
        known, `ended` once, at the end. certificate: shown to backends that speak TLS."""
        self._loop = loop
        self._options = options
        self._choose = choose
        self._make_record = record
        self._certificate = certificate
        self._ended = ended
        self._record: SessionRecord | None = None
        self._transport: asyncio.Transport | None = None
        self._backend: _Backend | None = None
        self._early = b""
        self._early_end = False
        self._client_over = self._backend_over = False
        self._connecting: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._seen = -1
        self._moved = [0, 0]
        self.to_upstream = 0
        self.to_client = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.pause_reading()
        self._record = self._make_record(self._transport)
        self._moved = self._record.counts.moved
        self._idle = self._loop.call_later(self._options.tcp_idle_s, self._look)
        self._connecting = self._loop.create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self.to_upstream += len(data)
        self._moved[0] += len(data)
        if self._backend is None:
            self._early += data  # what came along with the handshake; reading is paused
        else:
            self._backend.transport.write(data)

    def eof_received(self) -> bool:
        """See asyncio.Protocol."""
        self._client_over = True
        if self._backend is None:
            self._early_end = True
        elif self._backend_over:
            return False
        else:
            end_sending(self._backend.transport)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        orderly = self._client_over and self._backend_over
        self._end(Termination.COMPLETE if orderly else Termination.CLIENT)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._backend is not None:
            self._backend.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._backend is not None:
            self._backend.transport.resume_reading()

    def cut(self) -> None:
        """End it now."""
        self._end(Termination.GATEWAY)

    async def _connect(self) -> None:
        upstream = self._choose()
        if isinstance(upstream, str):
            self._end(Termination.GATEWAY, upstream)
            return
        found = await connect(self._loop, upstream, self._options.tcp_attempt_limit)
        if not isinstance(found, Connected):
            self._end(Termination.GATEWAY, found)
            return
        if self._record is None or self._transport is None:
            found.socket.close()
            return
        self._record.endpoint = found.peer.label
        try:
            await join(self._loop, found, _Backend(self), upstream.connect_timeout_s, self._certificate)
        except ConnectFailedError as error:
            self._end(Termination.GATEWAY, error.reason)

    # The backend's side.

    def backend_made(self, backend: _Backend) -> None:
        """The backend can be written to."""
        if self._transport is None:
            backend.transport.abort()
            return
        self._backend = backend
        if self._early:
            backend.transport.write(self._early)
            self._early = b""
        if self._early_end:
            end_sending(backend.transport)
        self._transport.resume_reading()

    def backend_sent(self, data: bytes) -> None:
        """Bytes for the client."""
        self.to_client += len(data)
        self._moved[1] += len(data)
        if self._transport is not None:
            self._transport.write(data)

    def backend_ended(self) -> bool:
        """The backend sends no more; True while it may still be sent to."""
        self._backend_over = True
        if self._transport is not None and not self._client_over:
            end_sending(self._transport)
            return True
        self._end(Termination.COMPLETE)
        return False

    def backend_lost(self) -> None:
        """The backend's connection is gone."""
        self._end(Termination.COMPLETE if self._backend_over and self._client_over else Termination.UPSTREAM)

    def backend_full(self, full: bool) -> None:
        """Whether the backend takes what it is sent."""
        if self._transport is not None and self._backend is not None:
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _look(self) -> None:
        moved = self.to_upstream + self.to_client
        if moved == self._seen:
            self._end(Termination.TIMEOUT)
            return
        self._seen = moved
        self._idle = self._loop.call_later(self._options.tcp_idle_s, self._look)

    def _end(self, how: Termination, reason: str | None = None) -> None:
        record, self._record = self._record, None
        transport, self._transport = self._transport, None
        if record is None:
            return
        if self._idle is not None:
            self._idle.cancel()
        if self._connecting is not None and how is not Termination.GATEWAY:
            self._connecting.cancel()
        orderly = how is Termination.COMPLETE
        for end in (transport, self._backend.transport if self._backend else None):
            if end is not None and not end.is_closing():
                if orderly:
                    end.close()
                    self._loop.call_later(LINGER_S, end.abort)  # for a peer that does not take the rest
                else:
                    reset_transport(end)
        record.end(reason or REASONS[how], how, self.to_upstream, self.to_client)
        self._ended(self)


class _Backend(asyncio.Protocol):
    """The backend's side: everything goes to the bridge."""

    transport: asyncio.Transport

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._bridge.backend_made(self)

    def data_received(self, data: bytes) -> None:
        self._bridge.backend_sent(data)

    def eof_received(self) -> bool:
        return self._bridge.backend_ended()

    def connection_lost(self, error: Exception | None) -> None:
        self._bridge.backend_lost()

    def pause_writing(self) -> None:
        self._bridge.backend_full(True)

    def resume_writing(self) -> None:
        self._bridge.backend_full(False)
