"""The tries of one exchange: an endpoint is chosen, and after a failure another, or a new connection, or none.

Everything that decides where a request goes next is here; what is done with an answer is the exchange's.
"""

from __future__ import annotations

import asyncio
from random import random
from time import monotonic
from typing import TYPE_CHECKING

from proxy.http.attempt import Attempt
from proxy.http.backoff import backoff_s
from proxy.http.outgoing import OutgoingHead
from proxy.http.plan import BackendPlan, Plan
from proxy.http.retry import Processed, after_connect_failure, after_lost_stream
from proxy.reasons import Reason, Termination
from proxy.services import Peer, Upstream

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange
    from proxy.http.h1_upstream import H1Upstream
    from proxy.http.upstream_stream import UpstreamStream


class Attempts:
    """last: the latest attempt, if one was made; its stream is None when it is over. head: what backends get."""

    count = 0
    last: Attempt | None = None

    _avoid: tuple[Peer, ...] = ()
    _awaiting: asyncio.Task[None] | None = None
    _pause: asyncio.TimerHandle | None = None
    _retries = 0
    _failure = Reason.NO_ENDPOINT

    def __init__(self, exchange: Exchange, backend: BackendPlan, head: OutgoingHead, plan: Plan) -> None:
        self.head = head
        self.backend = backend
        self._exchange = exchange
        self._services = exchange.client.services
        self._timeout_s = plan.backend_timeout_s
        self._retry = plan.retry

    @property
    def stream(self) -> UpstreamStream | None:
        """The way to a backend while an answer is awaited or under way."""
        return self.last.stream if self.last is not None else None

    @property
    def due_s(self) -> float:
        """When the answer of the attempt under way must be whole; 0.0 is no limit."""
        return self.last.due_s if self.last is not None else 0.0

    def next(self, *, fresh: bool = False, resolved: bool = False) -> None:
        """Choose an endpoint, and try. fresh: on a new connection alone. resolved: names were waited for already."""
        upstream = self._services.registry.get(self.backend.cluster)
        if upstream is None:
            self._exchange.refuse(500, Reason.BACKEND_NOT_FOUND)
            return
        peer = self._peer(upstream)
        if peer is not None:
            self.at(upstream, peer, fresh=fresh)
        elif self._avoid or resolved:
            self._refuse(self._failure)
        else:
            self._awaiting = self._services.loop.create_task(self._names(upstream))

    def _peer(self, upstream: Upstream) -> Peer | None:
        """The endpoint of the request's session, at first; then one that has not failed, as long as there is one."""
        course = self._exchange.course
        if course is not None and course.pinned is not None and not self.count:
            return course.pinned
        peer = upstream.pick(self._avoid)
        if peer is None and self._avoid and self._retry is not None:
            self._avoid = ()
            peer = upstream.pick()
        return peer

    def at(self, upstream: Upstream, peer: Peer, *, fresh: bool) -> None:
        """Try at an endpoint that was chosen already. One of HTTP/2 may say that it did nothing about a request it was
        sent, body and all (RFC 9113 section 8.7); so what is small enough is kept for that."""
        self.count += 1
        body = self._exchange.body
        if body is not None and peer.http2:
            body.replay_limit_bytes = self._services.options.limits.replay_limit_bytes
        self.last = attempt = Attempt(self._exchange, self, peer, self._timeout_s)
        attempt.begin(upstream, self._exchange.active_at, fresh=fresh)

    def sent_before(self, peer: Peer, connection: H1Upstream, sent_at: float) -> None:
        """Go on with a first attempt that the fast lane has sent on `connection`, with its body."""
        self.count = 1
        self.last = attempt = Attempt(self._exchange, self, peer, self._timeout_s)
        attempt.take_over(connection, sent_at)
        if self._exchange.body is not None:
            self._exchange.body.spent = True

    def go_on(
        self, peer: Peer, stream: UpstreamStream | None, sent_at: float, answered_at: float, due_s: float
    ) -> None:
        """Go on with a first attempt that was sent on `stream`, which is None when it has ended already."""
        self.count = 1
        self.last = attempt = Attempt(self._exchange, self, peer, self._timeout_s)
        attempt.stream = stream
        attempt.sent_at = sent_at
        attempt.answered_at = answered_at
        attempt.due_s = due_s
        if stream is not None:
            stream.hand_over(attempt)

    def abandon(self) -> None:
        """Nothing more is wanted; harmless when nothing is under way."""
        if self._awaiting is not None:
            self._awaiting.cancel()
            self._awaiting = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self.last is not None:
            self.last.abandon()

    async def _names(self, upstream: Upstream) -> None:
        await upstream.resolved()
        self._awaiting = None
        self.next(resolved=True)

    # What becomes of an attempt

    def connect_failed(self, attempt: Attempt, reason: Reason) -> None:
        """It found no connection. OVERLOADED is our own fault; otherwise another endpoint may do."""
        if reason is Reason.OVERLOADED:
            self._exchange.refuse(503, reason)
            return
        self._failure = reason
        self._services.metrics.upstream_failed(reason)
        if self._retry is not None:
            if not self._again():
                self._refuse(reason)
        elif after_connect_failure(self.count, self._services.options.attempt_limit) == "other_endpoint":
            if self._afforded():
                self._avoid = (*self._avoid, attempt.peer)
                self._exchange.active_at = monotonic()
                self.next()
        else:
            self._refuse(reason)

    def _refuse(self, reason: Reason) -> None:
        """502 where somebody answered who is not the wanted backend, 503 where nobody did."""
        self._exchange.refuse(502 if reason in (Reason.UPSTREAM_TLS_FAILED, Reason.UPSTREAM_UNTRUSTED) else 503, reason)

    def lost(self, reason: Reason, processed: Processed) -> None:
        """Its stream ended, or said something that is not HTTP, before the answer was whole."""
        exchange = self._exchange
        self._services.metrics.upstream_failed(reason)
        limit = self._services.options.attempt_limit
        body = exchange.body
        body_sent = body is not None and body.spent
        decision = after_lost_stream(exchange.request.method, self.count, limit, processed, body_sent=body_sent)
        if decision == "fresh_connection":
            self._services.metrics.upstream_retries += 1
            if body is not None:
                body.rewind()
            self.next(fresh=True)
        elif not self._again():
            exchange.termination = Termination.UPSTREAM
            exchange.refuse(502, reason)

    def refuses(self, status: int) -> bool:
        """Whether an answer of this status is not taken, because the rule wants another attempt and there is one."""
        return self._retry is not None and status in self._retry.codes and self._again()

    def timed_out(self, now_s: float) -> bool:
        """Whether the attempt has had its time, and another takes its place."""
        if self._retry is None or not self.due_s or now_s < self.due_s:
            return False
        self._services.metrics.upstream_failed(Reason.UPSTREAM_TIMEOUT)
        return self._again()

    def _again(self) -> bool:
        """Try again as the rule says (GEP-1731); False when it does not, or when the request cannot be sent again.

        A retry that the cluster's budget does not allow is refused, and so is the exchange (GEP-3388).
        """
        exchange, retry, last = self._exchange, self._retry, self.last
        if retry is None or last is None or exchange.head_sent or self._retries >= retry.attempts:
            return False
        if exchange.body is not None and exchange.body.spent:
            return False
        last.abandon()
        if self._afforded():
            self._retries += 1
            self._avoid = (*self._avoid, last.peer)
            if exchange.body is not None:
                exchange.body.rewind()
            wait_s = backoff_s(retry.backoff_s, self._retries, random())
            self._pause = self._services.loop.call_later(wait_s, self._resume)
        return True

    def _resume(self) -> None:
        self._pause = None
        self._exchange.active_at = monotonic()
        self.next()

    def _afforded(self) -> bool:
        """Whether the cluster's budget has room for one more retry; otherwise the exchange is over."""
        upstream = self._services.registry.get(self.backend.cluster)
        if upstream is None or upstream.may_retry():
            self._services.metrics.upstream_retries += 1
            return True
        self._exchange.refuse(503, Reason.RETRY_BUDGET)
        return False
