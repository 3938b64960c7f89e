"""One try at one endpoint: a request goes out on a stream that is kept or opened, what the backend says comes in."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from proxy.http.opening import kept_stream, open_stream
from proxy.http.retry import Processed
from proxy.http.upstream_stream import UpstreamStream
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason
from proxy.services import Peer, Upstream
from proxy.upstreams.connect import ConnectFailedError

if TYPE_CHECKING:
    from proxy.http.attempts import Attempts
    from proxy.http.exchange import Exchange
    from proxy.http.h1_upstream import H1Upstream


class Attempt:
    """The `StreamUser` of an exchange; what follows from what it is told is not decided here.

    Times are `time.monotonic()` seconds, 0.0 for never. sent_at, answered_at: when the head was sent, and the answer's
    came. due_s: when its answer must be whole. stream: the way to the backend while an answer is awaited or under
    way; None before that and afterwards. full: the backend takes no more of the body for now.
    """

    stream: UpstreamStream | None = None
    full = False
    sent_at = 0.0
    answered_at = 0.0
    due_s = 0.0

    _opening: asyncio.Task[None] | None = None

    def __init__(self, exchange: Exchange, attempts: Attempts, peer: Peer, timeout_s: float) -> None:
        """timeout_s: from now to the end of the answer (GEP-1742: backendRequest); 0.0 is no limit."""
        self.request = exchange.request
        self.peer = peer
        self._exchange = exchange
        self._attempts = attempts
        self._timeout_s = timeout_s

    def begin(self, upstream: Upstream, now_s: float, *, fresh: bool) -> None:
        """Send on a connection that is open, or on a new one. fresh: only a new one will do, of HTTP/1.1: one of HTTP/2
        that is at fault takes no requests any more."""
        services = self._exchange.client.services
        self._limit(now_s)
        stream = None
        if not fresh or self.peer.http2:
            stream = kept_stream(services, self.peer, self._exchange.entry.certificate)
        if stream is None:
            self._opening = services.loop.create_task(self._open(upstream))
        else:
            self._send(stream, now_s)

    def take_over(self, connection: H1Upstream, sent_at: float) -> None:
        """Go on with a request that was sent on `connection` already, whole."""
        connection.take_over(self)
        self._limit(sent_at)
        self._await_answer(connection, sent_at)

    def abandon(self) -> None:
        """Nothing more of it is wanted; harmless when it is over."""
        self.due_s = 0.0
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self.stream is not None:
            stream, self.stream = self.stream, None
            stream.abandon()

    async def _open(self, upstream: Upstream) -> None:
        client, certificate = self._exchange.client, self._exchange.entry.certificate
        try:
            stream = await open_stream(client.services, client.port.deadlines, upstream, self.peer, certificate)
        except ConnectFailedError as error:
            self._opening = None
            self._attempts.connect_failed(self, error.reason)
            return
        self._opening = None
        self._send(stream, monotonic())

    def _send(self, stream: UpstreamStream, now_s: float) -> None:
        self._await_answer(stream, now_s)
        stream.begin(self, self._attempts.head)
        if self._exchange.body is not None:
            self._exchange.send_body(self, stream)

    def _await_answer(self, stream: UpstreamStream, sent_at: float) -> None:
        self.stream = stream
        self.sent_at = sent_at

    def _limit(self, now_s: float) -> None:
        if self._timeout_s:
            self.due_s = now_s + self._timeout_s
            self._exchange.downstream.watch(self.due_s)

    # What a stream tells: see StreamUser

    def interim(self, response: ResponseHead) -> None:
        """See StreamUser."""
        self._exchange.interim(response)

    def answered(self, response: ResponseHead) -> None:
        """See StreamUser."""
        self.answered_at = now = monotonic()
        self._exchange.answered(response, now)

    def answered_whole(self, response: ResponseHead, payload: bytes) -> None:
        """See StreamUser."""
        self.stream = None
        self.answered_at = now = monotonic()
        self._exchange.answered_whole(response, payload, now)

    def payload(self, payload: bytes) -> None:
        """See StreamUser."""
        self._exchange.payload(payload)

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See StreamUser."""
        self.stream = None
        self._exchange.payload_end(payload, trailers)

    def switched(self, response: ResponseHead, transport: asyncio.Transport, rest: bytes) -> None:
        """See StreamUser."""
        asked = self.request.upgrade
        if not asked or response.upgrade != asked:
            self.abandon()
            self._attempts.lost(Reason.UPSTREAM_PROTOCOL_ERROR, "yes")
            return
        self.stream = None
        self.answered_at = now = monotonic()
        self._exchange.switched(response, transport, rest, now)

    def lost(self, reason: Reason, processed: Processed) -> None:
        """See StreamUser."""
        self.stream = None
        self.due_s = 0.0
        self._attempts.lost(reason, processed)

    def upstream_full(self) -> None:
        """See StreamUser."""
        self.full = True
        self._exchange.upstream_full()

    def upstream_drained(self) -> None:
        """See StreamUser."""
        self.full = False
        self._exchange.upstream_drained()
