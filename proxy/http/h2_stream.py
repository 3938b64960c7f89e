"""One request on an HTTP/2 connection: what the engine tells of its stream becomes an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.filters.header_edit import NO_EDIT
from proxy.http.exchange import Exchange
from proxy.http.h2_answers import H2Answers
from proxy.options import HttpTimeouts
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.stream import Stream

if TYPE_CHECKING:
    from proxy.http.client import Client
    from proxy.http.h2_connection import H2Connection
    from proxy.http.passage import Passage


class H2Stream:
    """The `Downstream` of one exchange, and the engine's `StreamHandler`.

    exchange: while it is under way. After its end, what it said may still wait for the client's window.
    """

    __slots__ = ("_answers", "_connection", "_ended_at", "_unsent_bytes", "client", "exchange", "h2")

    def __init__(self, connection: H2Connection, client: Client, stream: Stream) -> None:
        self.client = client
        self._answers: H2Answers | None = None
        self.exchange: Exchange | Passage | None = None
        self._connection = connection
        self.h2 = stream
        self._ended_at = 0.0
        self._unsent_bytes = 0

    # What the engine tells: see StreamHandler

    def payload(self, payload: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self.exchange is not None:
            self.exchange.request_payload(payload, ended)

    def trailers(self, lines: tuple[bytes, ...]) -> None:
        """See StreamHandler."""
        if self.exchange is not None:
            self.exchange.request_payload(b"", True, lines)

    def lost(self, code: Code | int, unprocessed: bool) -> None:
        """See StreamHandler. By a reset a client says that it wants no answer any more."""
        if self.exchange is not None:
            self.exchange.client_lost()

    def full(self) -> None:
        """See StreamHandler."""
        if self.exchange is not None:
            self.exchange.downstream_full()
            self.watch(self.exchange.due_s())

    def drained(self) -> None:
        """See StreamHandler."""
        if self.exchange is not None:
            self.exchange.downstream_drained()

    # What the exchange asks: see Downstream

    @property
    def answers(self) -> H2Answers:
        """See Downstream."""
        if self._answers is None:
            self._answers = H2Answers(self.h2)
        return self._answers

    def own(self, response: ResponseHead, payload: bytes) -> int:
        """See Downstream."""
        assert self.exchange is not None
        head_only = self.exchange.request.method == b"HEAD"
        return self.answers.whole(response, NO_EDIT, b"" if head_only else payload)

    def abort(self) -> None:
        """See Downstream."""
        self.h2.reset(Code.INTERNAL_ERROR)

    def pause_reading(self) -> None:
        """See Downstream."""
        self.h2.pause_reading()

    def resume_reading(self) -> None:
        """See Downstream."""
        self.h2.resume_reading()

    def watch(self, due_s: float) -> None:
        """See Downstream."""
        self._connection.watch(due_s)

    def exchange_ended(self) -> None:
        """See Downstream. The rest of a body that was answered already is not wanted."""
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            self.ended(exchange.active_at)

    def ended(self, now_s: float) -> None:
        """The answer is given as far as it will be, and whoever gave it is let go of."""
        if self.h2.closed:
            return
        self._ended_at = now_s
        if self.h2.queued_bytes:
            self._connection.watch_unsent(self._ended_at)
        if not self.h2.received_end:
            self.h2.refuse_rest()
            if not self.h2.closed:
                self._connection.watch_rest(self._ended_at)

    # Time

    def due_s(self, timeouts: HttpTimeouts) -> float:
        """When to call `overdue`, if nothing moves until then."""
        if self.exchange is not None:
            return self.exchange.due_s()
        return self._ended_at + (timeouts.linger_s if self.h2.sent_end else timeouts.client_idle_s)

    def overdue(self, now_s: float) -> None:
        """The exchange takes too long; or a client takes too long to take the end of its answer, or to end a request
        that was answered."""
        if self.exchange is not None:
            self.exchange.overdue(now_s)
        elif self.h2.queued_bytes != self._unsent_bytes:
            self._unsent_bytes = self.h2.queued_bytes
            self._ended_at = now_s
        else:
            self.h2.reset(Code.NO_ERROR if self.h2.sent_end else Code.CANCEL)
