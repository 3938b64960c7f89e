"""An HTTP/1.1 connection from a client: what its transport tells goes to the fast lane, to its turns or into a tunnel.

It watches the clock, and closes: a body whose answer is already given is read on and thrown away, within a bound, so
that the connection can be kept and the answer is not lost to a reset.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from proxy.filters.header_edit import NO_EDIT
from proxy.half_close import end_sending
from proxy.http.answers import own_answer
from proxy.http.client import Client
from proxy.http.farewell import Farewell
from proxy.http.fast_lane import FastLane
from proxy.http.h1_turns import H1Turns
from proxy.http.h2_connection import H2Connection
from proxy.http.timing import due_s
from proxy.http.tunnel import Tunnel
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.http.port import HttpPort
    from proxy.protocols.tls import TlsInfo


class H1Connection(asyncio.Protocol):
    """One client connection.

    since: when the present state began (`time.monotonic()`); served: an answer was given already. full: the client
    takes no more for now. lingering: nothing more is begun, and what still comes is thrown away.
    """

    def __init__(self, port: HttpPort, tls: TlsInfo | None) -> None:
        self.port = port
        self.tls = tls
        self.transport: asyncio.Transport
        self.wake_slot = 0
        self.since = 0.0
        self.served = False
        self.full = False
        self.lingering = False
        self.reading = True
        self._timeouts = port.services.options.timeouts
        self._tunnel: Tunnel | None = None
        self._farewell = Farewell(self._timeouts.client_idle_s)
        self._turns: H1Turns
        self._lane: FastLane

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self.transport = cast(asyncio.Transport, transport)
        self.since = monotonic()
        client = Client(self.port, self.tls, transport)
        self._turns = turns = H1Turns(self, client)
        self._lane = FastLane(self, turns)
        if not self.port.opened(self):
            turns.answers.last = True
            response, payload = own_answer(503, Reason.OVERLOADED)
            turns.answers.whole(response, NO_EDIT, payload)
            self.transport.close()
            return
        self._lane.open = not self.port.draining
        self.watch(self.since + self._timeouts.head_s)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, a body, or of what comes after."""
        lane = self._lane
        if lane.open and lane.request(data):
            return
        lane.open = False
        if lane.connection is not None:
            lane.leave()
        if self._tunnel is not None:
            self._tunnel.from_client(data)
        else:
            self._turns.received(data)

    def eof_received(self) -> bool:
        """The client sends no more: what it asked for is still answered, an unfinished request is not."""
        if self._tunnel is not None:
            return self._tunnel.client_eof()
        self._leave_lane()
        return self._turns.client_ended()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, and with it the exchange."""
        self._turns.forget()  # or what was sent ahead would be begun now, for nobody
        self.port.deadlines.forget(self)
        self.port.closed(self)
        if self._tunnel is not None:
            self._tunnel.client_lost()
        self._leave_lane()
        if self._turns.exchange is not None:
            self._turns.exchange.client_lost()
        self._turns.forget()

    def pause_writing(self) -> None:
        """The client takes no more for now."""
        if self._tunnel is not None:
            self._tunnel.client_full()
            return
        self.full = True
        self._leave_lane()
        self._turns.client_full()

    def resume_writing(self) -> None:
        """The client takes more again."""
        if self._tunnel is not None:
            self._tunnel.client_drained()
            return
        self.full = False
        self._turns.client_drained()

    def _leave_lane(self) -> None:
        """A request on the fast lane becomes an exchange, and the next one will not be there."""
        self._lane.open = False
        if self._lane.connection is not None:
            self._lane.leave()

    # What its turns need

    def speaks_http2(self, received: bytes) -> None:
        """The client showed by its preface that it speaks HTTP/2 (RFC 9113 section 3.3). received: all it sent."""
        successor = H2Connection(self.port, self.tls)
        self._lane.open = False
        self.port.deadlines.forget(self)
        self.port.replaced(self, successor)
        self.transport.set_protocol(successor)
        successor.connection_made(self.transport)
        successor.data_received(received)

    def idle(self) -> None:
        """It waits for a request, and nothing is left to send."""
        self._lane.open = True

    def tunnelled(self, tunnel: Tunnel, early: bytes, rest: bytes) -> None:
        """From here on it carries bytes. early: of the client, rest: of the backend."""
        self._tunnel = tunnel
        tunnel.begin(early, rest)
        self.resume_reading()

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if self.reading:
            self.reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the client again."""
        if not self.reading:
            self.reading = True
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def close(self) -> None:
        """Close; when the client may still be sending, only after it had a while to read our answer."""
        if not self.lingering or self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
            return
        end_sending(self.transport)
        self._turns.forget()
        self.since = monotonic()
        self.resume_reading()
        self.watch(self.since + self._timeouts.linger_s)

    def close_when_idle(self) -> None:
        """Close now if nothing is under way, else after the answer under way."""
        self._leave_lane()
        if not self._turns.end() and self._tunnel is None:
            self.transport.close()

    def begin_no_more(self) -> None:
        """See PortConnection."""
        self.close_when_idle()

    # Time

    def watch(self, due_s: float) -> None:
        """Be woken at `due_s`, or earlier."""
        self.port.deadlines.watch(self, due_s)

    def wake(self, now_s: float) -> float:
        """See whether something is overdue; when to look again."""
        if self.transport.is_closing():
            return self._farewell.due_s(self.transport, now_s)
        if self._lane.connection is not None:
            self._lane.leave()
        due = self._due_s()
        if now_s < due:
            return due
        if self._tunnel is not None:
            self._tunnel.overdue()
        elif self._turns.overdue(now_s):
            pass  # it has answered, and goes on or closes
        elif self.lingering or self.full:
            self.transport.abort()
        else:
            self.transport.close()
        return now_s + self._timeouts.linger_s

    def _due_s(self) -> float:
        if self._tunnel is not None:
            return self._tunnel.due_s()
        if self._turns.exchange is not None:
            return due_s(self._turns.exchange)
        if self.lingering or self._turns.discarding:
            return self.since + self._timeouts.linger_s
        if self.full:
            return self.since + self._timeouts.client_idle_s
        if self.served:
            return self.since + self._timeouts.keep_alive_idle_s
        return self.since + self._timeouts.head_s
