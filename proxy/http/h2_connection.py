"""An HTTP/2 connection from a client: its transport feeds the engine, each request becomes an exchange of its own.

All output of one turn of the event loop goes out at once. It watches the clock for all its streams; and it ends in two
steps (RFC 9113 section 6.8), so that no request that is on its way is lost: a GOAWAY that refuses nothing, and after a
round trip the one that names the last stream.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from proxy.half_close import end_sending
from proxy.http.client import Client
from proxy.http.decisions import Decisions
from proxy.http.exchange import Exchange
from proxy.http.farewell import Farewell
from proxy.http.h2_stream import H2Stream
from proxy.http.passage import Passage
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.request_blocks import RequestBlock
from proxy.protocols.h2.server import ServerConnection
from proxy.protocols.h2.stream import Stream

if TYPE_CHECKING:
    from proxy.http.port import HttpPort
    from proxy.protocols.tls import TlsInfo

_ROUND_TRIP = b"leaving."
"""Says when a first GOAWAY has been read (the PING that carries it comes back)."""


class H2Connection(asyncio.Protocol):
    """One client connection, and the owner of its engine. Times are `time.monotonic()` seconds."""

    def __init__(self, port: HttpPort, tls: TlsInfo | None) -> None:
        self.port = port
        self.tls = tls
        self.transport: asyncio.Transport
        self.wake_slot = 0
        self._timeouts = port.services.options.timeouts
        self._engine = ServerConnection(self, port.h2_limits, monotonic)
        self._client: Client
        self._decisions: Decisions
        self._since = 0.0
        self._settings_due_s = 0.0
        self._round_trip_due_s = 0.0
        self._leaving = False
        self._left = False
        self._lingering = False
        self._at_fault = False
        self._client_ended = False
        self._farewell = Farewell(self._timeouts.client_idle_s)

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self.transport = cast(asyncio.Transport, transport)
        self._client = Client(self.port, self.tls, transport, b"2")
        self._decisions = Decisions(self._client.tls_listener)
        self._since = monotonic()
        self._settings_due_s = self._since + self._timeouts.head_s
        self._flush()
        if not self.port.opened(self):
            self._engine.close(Code.ENHANCE_YOUR_CALM, "too many connections")
            return
        self.watch(self._settings_due_s)
        if self.port.draining:
            self.close_when_idle()

    def data_received(self, data: bytes) -> None:
        """Frames, in any pieces."""
        if not self._lingering:
            self._engine.receive(data)

    def eof_received(self) -> bool:
        """The client sends no more: what it asked for is still answered, an unfinished request is not."""
        if self._lingering:
            return False
        self._client_ended = self._leaving = self._left = True
        for stream in list(self._engine.streams.values()):
            if not stream.received_end:
                handler = stream.handler
                stream.reset(Code.CANCEL)
                handler.lost(Code.CANCEL, False)
        return bool(self._engine.streams)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, and with it its exchanges."""
        self._lingering = True
        self.port.deadlines.forget(self)
        self.port.closed(self)
        self._engine.transport_lost()

    def pause_writing(self) -> None:
        """The client takes no more for now."""
        self._engine.pause_writing()

    def resume_writing(self) -> None:
        """The client takes more again."""
        self._engine.resume_writing()

    # What the engine tells: see ServerOwner

    def dirty(self) -> None:
        """See Owner."""
        self.port.services.loop.call_soon(self._flush)

    def requested(self, stream: Stream, request: RequestBlock, ended: bool) -> None:
        """See ServerOwner."""
        now = monotonic()
        head = request.head(ended)
        head.version = b"HTTP/2"
        site, decision = self.port.site, request.decided
        if decision is None or decision[0] is not site:
            request.decided = decision = self._decisions.decide(site, request, head)
        _, entry, rule, call = decision
        downstream = H2Stream(self, self._client, stream)
        stream.handler = downstream
        size = len(head.raw or b"")
        direct = rule.plan.direct if rule is not None else None
        if rule is not None and direct is not None:
            passage = Passage(downstream, head, entry, rule, direct, call, now, size)
            due_s = passage.begin()
            if due_s:
                self.port.deadlines.watch(self, due_s)
                return
        else:
            exchange = Exchange(downstream, head, entry, rule, now, size)
            exchange.call = call
            downstream.exchange = exchange
            if request.refusal is not None:
                exchange.refuse(*request.refusal)
            else:
                exchange.begin()
        timeouts = self._timeouts
        self.watch(now + (timeouts.upstream_idle_s if ended else timeouts.client_idle_s))

    def failed(self, code: Code, message: str) -> None:
        """See Owner."""
        if code is not Code.NO_ERROR:
            self._at_fault = True
            self.port.services.metrics.http2_failed(code.name.lower())
        self._say_goodbye()

    def empty(self) -> None:
        """See Owner."""
        self._since = monotonic()
        self.watch(self._since + self._timeouts.keep_alive_idle_s)
        if self._left and not self._lingering:
            self.port.services.loop.call_soon(self._leave_empty)

    def pong(self, payload: bytes) -> None:
        """See Owner."""
        if self._leaving and payload == _ROUND_TRIP:
            self._leave()

    def settled(self) -> None:
        """See Owner."""
        self._settings_due_s = 0.0
        self.watch(self._since + self._timeouts.keep_alive_idle_s)

    # Output, and the end

    def _flush(self) -> None:
        output = self._engine.take()
        if output and not self.transport.is_closing():
            self.transport.write(output)

    def begin_no_more(self) -> None:
        """Take no more requests, not even those that are on their way, and close once all are answered."""
        self._leaving = True
        self._leave()

    def close_when_idle(self) -> None:
        """Take no more requests than are on their way, and close once all are answered."""
        if self._leaving:
            return
        self._leaving = True
        self._engine.go_away(final=False)
        self._engine.ping(_ROUND_TRIP)
        self._round_trip_due_s = monotonic() + self._timeouts.linger_s
        self.watch(self._round_trip_due_s)

    def _leave(self) -> None:
        """The first GOAWAY was read, or not within a while."""
        if self._left:
            return
        self._left = True
        self._engine.go_away(final=True)
        self._leave_empty()

    def _leave_empty(self) -> None:
        if not self._engine.streams and not self._lingering:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Send what there is and close, after the client had a while to read it."""
        self._flush()
        self._lingering = True
        self._since = monotonic()
        if self._client_ended or self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
            return
        end_sending(self.transport)
        self.watch(self._since + self._timeouts.linger_s)

    # Time

    def watch(self, due_s: float) -> None:
        """Be woken at `due_s`, or earlier."""
        self.port.deadlines.watch(self, due_s)

    def watch_unsent(self, since_s: float) -> None:
        """The end of an answer waits for the client since then."""
        self.watch(since_s + self._timeouts.client_idle_s)

    def watch_rest(self, since_s: float) -> None:
        """The rest of a request that was answered is still to come since then."""
        self.watch(since_s + self._timeouts.linger_s)

    def wake(self, now_s: float) -> float:
        """See whether something is overdue; when to look again."""
        if self.transport.is_closing():
            return self._farewell.due_s(self.transport, now_s)
        if self._lingering:
            return self._wake_lingering(now_s)
        if self._round_trip_due_s and now_s >= self._round_trip_due_s:
            self._leave()
        if self._settings_due_s and now_s >= self._settings_due_s:
            self._engine.close(Code.SETTINGS_TIMEOUT, "SETTINGS were not acknowledged")
        due = self._wake_streams(now_s)
        for other in (self._settings_due_s, self._round_trip_due_s):
            if other > now_s:
                due = min(due, other)
        return due

    def _wake_streams(self, now_s: float) -> float:
        """Let what is overdue say so; when to look again. Without a stream for long enough, go."""
        due = now_s + self._timeouts.keep_alive_idle_s
        for stream in list(self._engine.streams.values()):
            downstream = cast(H2Stream, stream.handler)
            if now_s >= downstream.due_s(self._timeouts):
                downstream.overdue(now_s)
            if not stream.closed:
                due = min(due, downstream.due_s(self._timeouts))
        if not self._engine.streams and not self._lingering:
            due = self._since + self._timeouts.keep_alive_idle_s
            if now_s >= due:
                self._engine.close(Code.NO_ERROR, "idle")
        return due

    def _wake_lingering(self, now_s: float) -> float:
        """All is said: the client has a while to read it, and longer as long as it does read and broke no rule."""
        due = self._since + self._timeouts.linger_s
        if now_s < due:
            return due
        if self._at_fault:
            self.transport.abort()
            return 0.0
        return self._farewell.due_s(self.transport, now_s)
