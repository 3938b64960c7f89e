"""Requests and answers taking turns on an HTTP/1.1 connection: bytes come in, exchanges are begun, one after the other.

What the fast lane does not take is begun here. What a client sends ahead waits, within a bound.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.http.client import Client
from proxy.http.exchange import Exchange
from proxy.http.h1_answers import H1Answers
from proxy.http.timing import overdue
from proxy.http.tunnel import Tunnel
from proxy.protocols.h1_body import ChunkedBody, FramingError
from proxy.protocols.h1_reader import RequestReader
from proxy.protocols.h1_referee import HeadRefusedError, names_another_protocol, unjudged_request
from proxy.protocols.h1_request import END_OF_HEAD
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.frames import PREFACE
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.http.h1_connection import H1Connection

_PREFACE = PREFACE[:14]
"""What HTTP/1.1 takes for a whole head at the beginning of HTTP/2's."""


class H1Turns:
    """The `Downstream` of every exchange of a connection. exchange: the one under way, unless the fast lane has it."""

    h2: Final = None

    def __init__(self, connection: H1Connection, client: Client) -> None:
        options = client.services.options
        self.client = client
        self.answers = H1Answers(connection.transport)
        self.exchange: Exchange | None = None
        self._connection = connection
        self._port = client.port
        self._limits = options.limits
        self._timeouts = options.timeouts
        self._reader = RequestReader(
            default_authority=client.local,
            head_limit_bytes=options.limits.head_limit_bytes,
            target_limit_bytes=options.limits.target_limit_bytes,
            field_count_limit=options.limits.field_count_limit,
        )
        self._discarded_bytes = 0
        self._advancing = False
        self._begun = False

    @property
    def discarding(self) -> bool:
        """A body is read on although nobody wants it any more."""
        return self.exchange is None and self._reader.body is not None

    # Requests

    def received(self, data: bytes) -> None:
        """Bytes of the client."""
        reader = self._reader
        reader.buffer = reader.buffer + data if reader.buffer else data
        if reader.body is not None:
            self._feed()
        if self.exchange is None:
            self._advance()
        elif reader.body is None and len(reader.buffer) > self._limits.pipelined_limit_bytes:
            self.pause_reading()

    def client_ended(self) -> bool:
        """The client sends no more. Whether its connection is still needed."""
        reader, exchange = self._reader, self.exchange
        reader.ended = True
        if exchange is not None and reader.body is not None:
            exchange.client_lost()
            return False
        if not reader.buffer:
            self.answers.last = True
        return exchange is not None

    def forget(self) -> None:
        """Nothing of what was received matters any more."""
        self._reader.body, self._reader.buffer = None, b""

    def begin(self, exchange: Exchange) -> None:
        """This is the exchange under way now."""
        self.exchange = exchange
        self._begun = True
        self.answers.http_1_1 = exchange.request.version == b"HTTP/1.1"
        self.answers.head_only = exchange.request.method == b"HEAD"

    def _advance(self) -> None:
        """Begin requests as long as there is one and nothing is under way."""
        if self._advancing:
            return
        self._advancing = True
        reader = self._reader
        try:
            while self.exchange is None and reader.buffer and reader.body is None and not self._halted():
                if not self._next_request():
                    break
        finally:
            self._advancing = False

    def _halted(self) -> bool:
        """Nothing is begun: the last answer was given, or the client does not take those it has."""
        return self._connection.lingering or self._connection.full

    def _next_request(self) -> bool:
        """Begin one request; False when its head is not whole yet, or was refused."""
        reader = self._reader
        try:
            request = reader.head()
        except HeadRefusedError as refused:
            if refused.head == _PREFACE and self._may_speak_http2():
                received = _PREFACE + END_OF_HEAD + reader.buffer
                self.forget()
                self._connection.speaks_http2(received)
            else:
                self._refuse_head(refused.status, refused.reason, refused.head)
            return False
        if request is None:
            self._await_head()
            return False
        now = monotonic()
        site = self._port.site
        entry = site.entries.young.get(request.host_line) or site.entry(request.host_line)
        rule = entry.find(request, self.client.tls_listener)
        exchange = Exchange(self, request, entry, rule, now, reader.head_bytes)
        self.begin(exchange)
        if request.upgrade:
            exchange.switching = self
        if not request.keep_alive or self._port.draining or (reader.ended and not reader.buffer):
            self.answers.last = True
        self._discarded_bytes = 0
        exchange.begin()
        if reader.body is not None:
            self.watch(now + self._timeouts.client_idle_s)
            if reader.buffer:
                self._feed()
        return True

    def _may_speak_http2(self) -> bool:
        """Prior knowledge is shown by the first bytes of a connection without TLS, and by nothing later."""
        return self.client.tls_listener is None and not self._begun and not self._connection.served

    def _await_head(self) -> None:
        connection = self._connection
        if self._reader.ended:
            connection.transport.close()
        elif connection.served:
            self._begun = True
            connection.served = False
            connection.since = monotonic()
            self.watch(connection.since + self._timeouts.head_s)

    def _refuse_head(self, status: int, reason: str, head: bytes = b"") -> None:
        """Answer what is no request, and close: what follows it cannot be told apart any more."""
        self.forget()
        self.answers.last = True
        exchange = Exchange(self, unjudged_request(head), self._port.site.entry(b"Host:"), None, monotonic(), len(head))
        speaks_http = status != 400 or not names_another_protocol(head) or not self._may_speak_http2()
        self.begin(exchange)
        self._connection.lingering = True
        if speaks_http:
            exchange.refuse(status, reason)
        else:  # such as a broken preface of HTTP/2 (RFC 9113 section 3.4): an answer would be read as frames
            exchange.cut_off(reason)

    def _feed(self) -> None:
        """Body bytes, to the exchange or, when that is over, to nowhere."""
        reader, connection = self._reader, self._connection
        try:
            payload = reader.payload()
        except FramingError:
            self.answers.last = connection.lingering = True
            if self.exchange is not None:
                self.exchange.refuse(400, Reason.BAD_REQUEST)
            else:
                connection.close()
            return
        done = reader.body is None
        if self.exchange is not None:
            self.exchange.request_payload(payload, end=done, trailers=reader.trailers if done else ())
            return
        self._discarded_bytes += len(payload)
        if done:
            self._go_on()
        elif self._discarded_bytes > self._limits.unread_body_limit_bytes:
            connection.close()

    # Answers, and what comes after them

    def own(self, response: ResponseHead, payload: bytes) -> int:
        """See Downstream. What is left of a body that is not small or whose length is unknown is not waited for."""
        exchange, body = self.exchange, self._reader.body
        assert exchange is not None
        if (
            isinstance(body, ChunkedBody)
            or exchange.request.expects_continue
            or (body is not None and body.left > self._limits.unread_body_limit_bytes)
        ):
            self.answers.last = self._connection.lingering = True
        return self.answers.whole(response, NO_EDIT, b"" if self.answers.head_only else payload)

    def abort(self) -> None:
        """See Downstream."""
        self.answers.last = True
        self._reader.body = None
        self._connection.transport.abort()

    def tunnel(
        self, exchange: Exchange, backend: asyncio.Transport, response: ResponseHead, edit: HeaderEdit, rest: bytes
    ) -> None:
        """See Switching."""
        self.answers.switch(response, edit)
        self.exchange = None
        early = self._reader.buffer
        self.forget()
        tunnel = Tunnel(exchange, self._connection.transport, backend, self._timeouts.tunnel_idle_s)
        self._connection.tunnelled(tunnel, early, rest)

    def exchange_ended(self) -> None:
        """See Downstream: go on with the connection, or end it."""
        exchange, self.exchange = self.exchange, None
        connection, reader = self._connection, self._reader
        if exchange is not None:
            connection.since = exchange.active_at
        connection.served = True
        if reader.body is None and connection.reading and not self.answers.last and not connection.full:
            if reader.buffer:
                self._advance()
            else:
                connection.idle()
        else:
            self._go_on()

    def end(self) -> bool:
        """The answer under way is the last; whether there is one, or a body that is read on."""
        self.answers.last = True
        return self.exchange is not None or self._reader.body is not None

    def _go_on(self) -> None:
        """What `exchange_ended` leaves to do when the request is not over, or the connection is."""
        connection, reader = self._connection, self._reader
        connection.since = monotonic()
        if reader.body is not None and not connection.lingering and not connection.transport.is_closing():
            self.resume_reading()
            self.watch(connection.since + self._timeouts.linger_s)
        elif self.answers.last:
            connection.close()
        elif connection.full:  # requests whose answers are not taken must not pile up here
            self.pause_reading()
        else:
            self.resume_reading()
            if reader.buffer:
                self._advance()

    # Flow and time

    def pause_reading(self) -> None:
        """See Downstream."""
        self._connection.pause_reading()

    def resume_reading(self) -> None:
        """See Downstream."""
        self._connection.resume_reading()

    def client_full(self) -> None:
        """The client takes no more for now."""
        if self.exchange is not None:
            self.exchange.downstream_full()
        elif self._reader.body is None:
            self.pause_reading()

    def client_drained(self) -> None:
        """The client takes more again."""
        if self.exchange is not None:
            self.exchange.downstream_drained()
        elif not self.answers.last:
            self._go_on()

    def watch(self, due_s: float) -> None:
        """See Downstream."""
        self._connection.watch(due_s)

    def overdue(self, now_s: float) -> bool:
        """Whether there was something to answer about it: an exchange that takes too long, or a head that does."""
        if self.exchange is not None:
            overdue(self.exchange, now_s)
        elif self._reader.buffer and not self._connection.lingering and not self._connection.served:
            self._refuse_head(408, Reason.REQUEST_TIMEOUT, self._reader.buffer)
        else:
            return False
        return True
