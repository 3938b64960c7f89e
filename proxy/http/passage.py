"""A plain request of HTTP/2 on its way: one attempt, on a connection that is open, and an answer that is the client's.

It stands where the exchange, its attempts and its only attempt would, for rules with one backend and nothing but edits
of header lines. It only accepts. Whatever else happens to a request makes it an ordinary exchange: the one that the
general path would have come to by then, so that nothing tells from outside which of the two carried it.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from proxy.filters.header_edit import NO_EDIT
from proxy.http.exchange import Exchange
from proxy.http.h2_answers import header_block
from proxy.http.joint import Joint
from proxy.http.record import record_plain
from proxy.http.request_body import RequestBody

if TYPE_CHECKING:
    from proxy.http.attempt import Attempt
    from proxy.http.grpc import GrpcCall
    from proxy.http.h2_stream import H2Stream
    from proxy.http.outgoing import OutgoingHead
    from proxy.http.plan import BackendPlan, Plan
    from proxy.http.retry import Processed
    from proxy.http.site import HostEntry
    from proxy.http.upstream_stream import UpstreamStream
    from proxy.protocols.h1_request import RequestHead
    from proxy.protocols.h1_response import ResponseHead
    from proxy.reasons import Reason
    from proxy.routing.http import CompiledRule
    from proxy.services import Peer


class Passage:
    """The `StreamUser`, and all that the client's stream knows of its exchange.

    Times are `time.monotonic()` seconds, 0.0 for never. request_due_s, attempt_due_s: when the rule's two timeouts end.
    The rest is as in `Exchange`, `Attempts` and `Attempt`.
    """

    __slots__ = ("_attempt_due_s", "_backend", "_body", "_call", "_head", "_joint", "_plan", "_request_due_s",
                 "_stream", "active_at", "answered_at", "client", "downstream", "entry", "peer", "request",
                 "request_bytes", "response_bytes", "rule", "started_at", "status")  # fmt: skip

    _head: OutgoingHead
    _stream: UpstreamStream | None
    answered_at: float
    peer: Peer

    def __init__(
        self,
        downstream: H2Stream,
        request: RequestHead,
        entry: HostEntry,
        rule: CompiledRule[Plan],
        backend: BackendPlan,
        call: GrpcCall | None,
        started_at: float,
        request_bytes: int,
    ) -> None:
        self.downstream = downstream
        self.client = downstream.client
        self.request = request
        self.entry = entry
        self.rule = rule
        self.started_at = self.active_at = started_at
        self.request_bytes = request_bytes
        self.response_bytes = 0
        self.status = 0
        self._plan = rule.plan
        self._backend = backend
        self._call = call
        self._body = RequestBody() if request.length else None
        self._joint: Joint | None = None

    # The request

    def begin(self) -> float:
        """Carry the request; when to call `overdue`, or 0.0 when it became an exchange instead."""
        services, backend = self.client.services, self._backend
        upstream = services.registry.get(backend.cluster)
        peer = upstream.pick() if upstream is not None else None
        if upstream is None or peer is None:
            self._stream = None
            self._general().begin()
            return 0.0
        stream = self.client.ways.stream(services, peer, self.entry.certificate)
        self._head = head = self.client.outgoing.head(self.request, backend, self.entry.authority, None)
        if stream is None:
            self._general().start_at(backend, self._plan, head, upstream, peer)
            return 0.0
        plan, body, call = self._plan, self._body, self._call
        self.peer = peer
        self.answered_at = 0.0
        self._stream = stream
        self.downstream.exchange = self
        options, started_at = services.options, self.started_at
        due_s = started_at + options.timeouts.upstream_idle_s
        if body is not None:
            due_s = started_at + options.timeouts.client_idle_s
            if peer.http2:
                body.replay_limit_bytes = options.limits.replay_limit_bytes
        attempt_due_s = request_due_s = 0.0
        if plan.backend_timeout_s:
            attempt_due_s = started_at + plan.backend_timeout_s
            due_s = min(due_s, attempt_due_s)
        timeout_s = plan.request_timeout_s
        if call is not None and call.timeout_s and (not timeout_s or call.timeout_s < timeout_s):
            timeout_s = call.timeout_s
        if timeout_s:
            request_due_s = started_at + timeout_s
            if request_due_s < due_s:
                due_s = request_due_s
        self._attempt_due_s, self._request_due_s = attempt_due_s, request_due_s
        stream.begin(self, head)
        return due_s

    def request_payload(self, payload: bytes, end: bool, trailers: tuple[bytes, ...] = ()) -> None:
        """Payload of the request's body, and whether it ends there."""
        body, stream = self._body, self._stream
        if body is None or stream is None:
            return
        self.request_bytes += len(payload)
        self.active_at = monotonic()
        body.pass_on(stream, payload, end, trailers)

    # The answer: see StreamUser

    def interim(self, response: ResponseHead) -> None:
        """See StreamUser."""
        self.active_at = monotonic()
        self.downstream.h2.head(header_block(response, NO_EDIT), False)

    def answered(self, response: ResponseHead) -> None:
        """See StreamUser."""
        self.answered_at = self.active_at = monotonic()
        self.status = response.status
        block = header_block(response, self._backend.response_edit)
        self.response_bytes = len(block)
        client, stream, body = self.downstream.h2, self._stream, self._body
        client.head(block, False)
        backend = stream.h2 if stream is not None else None
        if backend is not None:
            both = body is not None and not body.complete
            if body is not None:
                body.give_up_replay()
            self._joint = Joint(client, backend, both=both)

    def answered_whole(self, response: ResponseHead, payload: bytes) -> None:
        """See StreamUser."""
        self.answered_at = now = monotonic()
        self.status = response.status
        block = header_block(response, self._backend.response_edit)
        self.response_bytes = len(block) + len(payload)
        downstream = self.downstream
        downstream.exchange = None
        downstream.h2.head(block, not payload)
        if payload:
            downstream.h2.send(payload, True)
        self._end(now)

    def payload(self, payload: bytes) -> None:
        """See StreamUser."""
        self.active_at = monotonic()
        self.response_bytes += len(payload)
        self.downstream.h2.send(payload)

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See StreamUser."""
        self.response_bytes += len(payload)
        downstream = self.downstream
        downstream.exchange = None
        if payload or not trailers:
            downstream.h2.send(payload, not trailers)
        if trailers:
            downstream.h2.trailers(trailers)
        self._end(monotonic())

    def _end(self, now_s: float) -> None:
        joint = self._joint
        if joint is not None:
            self.response_bytes += joint.backend.passed_bytes
            if joint.client is not None:
                self.request_bytes += joint.client.passed_bytes
        record_plain(self, now_s)
        self.downstream.ended(now_s)

    # Time

    def due_s(self) -> float:
        """When to call `overdue`, if nothing moves until then."""
        timeouts, body, active_at = self.client.services.options.timeouts, self._body, self.active_at
        if self._joint is not None:
            active_at = max(active_at, self._joint.moved_at)
        waits_for_client = body is not None and not body.complete
        due = active_at + (timeouts.client_idle_s if waits_for_client else timeouts.upstream_idle_s)
        if self._request_due_s:
            due = min(due, self._request_due_s)
        return min(due, self._attempt_due_s) if self._attempt_due_s else due

    # The way out

    def overdue(self, now_s: float) -> None:
        """Nothing moved for too long, or a timeout of the rule has passed."""
        self._become().overdue(now_s)

    def client_lost(self) -> None:
        """The client is gone."""
        self._become().client_lost()

    def downstream_full(self) -> None:
        """The client takes no more of the answer for now."""
        self._become().downstream_full()

    def downstream_drained(self) -> None:
        """The client takes more again."""
        self._become().downstream_drained()

    def upstream_full(self) -> None:
        """See StreamUser."""
        self._attempt().upstream_full()

    def upstream_drained(self) -> None:
        """See StreamUser."""
        self._attempt().upstream_drained()

    def switched(self, response: ResponseHead, transport: asyncio.Transport, rest: bytes) -> None:
        """See StreamUser. HTTP/2 asks for no such thing."""
        self._attempt().switched(response, transport, rest)

    def lost(self, reason: Reason, processed: Processed) -> None:
        """See StreamUser."""
        self._stream = None
        self._attempt().lost(reason, processed)

    def _attempt(self) -> Attempt:
        attempts = self._become().attempts
        assert attempts is not None and attempts.last is not None
        return attempts.last

    def _become(self) -> Exchange:
        """Leave the request to an exchange that goes on where this was."""
        exchange = self._general()
        exchange.active_at = self.active_at
        exchange.request_due_s = self._request_due_s
        exchange.status = self.status
        exchange.head_sent = bool(self.status)
        exchange.response_bytes = self.response_bytes
        exchange.joint = self._joint
        attempts = exchange.prepare(self._backend, self._plan, self._head)
        attempts.go_on(self.peer, self._stream, self.started_at, self.answered_at, self._attempt_due_s)
        return exchange

    def _general(self) -> Exchange:
        exchange = Exchange(
            self.downstream, self.request, self.entry, self.rule, self.started_at, self.request_bytes, self._body
        )
        exchange.call = self._call
        self.downstream.exchange = exchange
        return exchange
