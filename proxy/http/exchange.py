"""The life of a request: a judged head and the rule that takes it come in; attempts are made until one answers.

It speaks to its client through a `Downstream` and to backends through an `Attempt`, in heads, payload, ends and resets,
and refuses to know which version of HTTP either side speaks.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.filters.redirect import Redirect
from proxy.http.answers import location_line, own_answer
from proxy.http.attempts import Attempts
from proxy.http.course import Course
from proxy.http.downstream import Downstream, Switching
from proxy.http.grpc import GrpcCall, grpc_answer
from proxy.http.joint import Joint
from proxy.http.outgoing import OutgoingHead
from proxy.http.plan import BackendPlan, Plan
from proxy.http.record import record
from proxy.http.request_body import RequestBody
from proxy.http.site import HostEntry
from proxy.http.timing import due_s, limit, overdue
from proxy.protocols.h1_request import RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason, Termination
from proxy.routing.http import CompiledRule

if TYPE_CHECKING:
    from proxy.http.attempt import Attempt
    from proxy.http.upstream_stream import UpstreamStream
    from proxy.services import Peer, Upstream


class Exchange:
    """One request with its answer, retries included.

    Times are `time.monotonic()` seconds. active_at: when anything moved last. attempts: once a backend was chosen.
    body: None for a request without one. switching: the client's side, when the request asks for a change of protocol.
    call: when it is gRPC. status: of the answer, or what HTTP would have said instead of a gRPC status of our own.
    course: what the rule asks for beside a backend. response_edit: of the answer's head. head_sent: the client has
    the final one. request_due_s: when the rule's time for all of it is over; stalled_at: since when the client takes
    nothing; 0.0 for never. joint: between the two streams, while their payload takes the short way.
    """

    attempts: Attempts | None = None
    course: Course | None = None
    switching: Switching | None = None
    call: GrpcCall | None = None
    joint: Joint | None = None
    status = 0
    reason: str = Reason.OK
    termination = Termination.COMPLETE
    response_bytes = 0
    head_sent = False
    ended = False
    response_edit: HeaderEdit = NO_EDIT
    request_due_s = 0.0
    stalled_at = 0.0

    def __init__(
        self,
        downstream: Downstream,
        request: RequestHead,
        entry: HostEntry,
        rule: CompiledRule[Plan] | None,
        started_at: float,
        request_bytes: int,
        body: RequestBody | None = None,
    ) -> None:
        """body: what has come of it, when that is not nothing."""
        self.downstream = downstream
        self.client = downstream.client
        self.request = request
        self.entry = entry
        self.rule = rule
        self.started_at = self.active_at = started_at
        self.request_bytes = request_bytes
        self.body = body or (RequestBody() if request.length else None)

    # The request

    def begin(self) -> None:
        """Follow the rule that took the request, if one did."""
        if self.rule is None:
            if self.entry.belongs_elsewhere(self.client.tls_listener):
                self.refuse(421, Reason.MISDIRECTED)
            else:
                self.refuse(404, Reason.ROUTE_NOT_FOUND)
            return
        plan = self.rule.plan
        limit(self, plan)
        if plan.elaborate:
            self.course = Course(self, plan)
            self.course.begin()
        else:
            self.follow(plan, None)

    def follow(self, plan: Plan, backend: BackendPlan | None) -> None:
        """Answer as the plan says, or go to a backend, which may have been chosen already."""
        if plan.refusal is not None:
            self.refuse(plan.refusal.status, plan.refusal.reason)
        elif plan.redirect is not None:
            self._redirect(plan.redirect)
        else:
            assert plan.backends is not None
            backend = backend or plan.backends.only or plan.backends.choose()
            if self.course is not None and self.course.answers(backend):
                return
            if backend.redirect is not None:
                self._redirect(backend.redirect)
            elif backend.refusal is not None:
                self.refuse(backend.refusal.status, backend.refusal.reason)
            else:
                self._forward(backend, plan)

    def _forward(self, backend: BackendPlan, plan: Plan) -> None:
        rule = self.rule
        assert rule is not None
        if self.course is not None:
            self.course.copy(backend)
        head = self.client.outgoing.head(self.request, backend, self.entry.authority, rule.prefix)
        self.prepare(backend, plan, head).next()

    def prepare(self, backend: BackendPlan, plan: Plan, head: OutgoingHead) -> Attempts:
        """The attempts to reach a backend that was chosen; none of them is made yet."""
        self.response_edit = backend.response_edit
        self.attempts = Attempts(self, backend, head, plan)
        return self.attempts

    def take_over(self, backend: BackendPlan, plan: Plan, head: OutgoingHead, payload: bytes) -> Attempts:
        """Go on with a request that the fast lane began and received whole; its first attempt is the lane's."""
        if self.body is not None:
            self.body.hold(payload, end=True)
        limit(self, plan)
        return self.prepare(backend, plan, head)

    def start_at(self, backend: BackendPlan, plan: Plan, head: OutgoingHead, upstream: Upstream, peer: Peer) -> None:
        """Begin with a first attempt at an endpoint that was chosen already."""
        limit(self, plan)
        self.prepare(backend, plan, head).at(upstream, peer, fresh=False)

    def request_payload(self, payload: bytes, end: bool, trailers: tuple[bytes, ...] = ()) -> None:
        """Payload of the request's body, and whether it ends there."""
        body, stream = self.body, self._stream()
        if body is None:
            return
        self.request_bytes += len(payload)
        self.active_at = monotonic()
        if stream is not None:
            body.pass_on(stream, payload, end, trailers)
        elif not self.head_sent and (payload or end):
            body.hold(payload, end=end, trailers=trailers)
            self.downstream.pause_reading()
        if self.course is not None:
            self.course.payload(payload, end=end, trailers=trailers)

    def send_body(self, attempt: Attempt, stream: UpstreamStream) -> None:
        """An attempt's head is sent: so is what there is of the body."""
        if self.body is not None and self.body.release(stream) and not attempt.full:
            self.downstream.resume_reading()

    # The answer

    def interim(self, response: ResponseHead) -> None:
        """A 1xx head other than 101."""
        self.active_at = monotonic()
        self.downstream.answers.interim(response)

    def answered_whole(self, response: ResponseHead, payload: bytes, now_s: float) -> None:
        """The final head of the attempt's answer and its whole body."""
        if self.course is not None and not self.course.takes(response, now_s):
            return
        self._accept(response, now_s)
        self.ended = True
        self.response_bytes = self.downstream.answers.whole(response, self.response_edit, payload)
        self._close(now_s)

    def answered(self, response: ResponseHead, now_s: float) -> None:
        """The final head of the attempt's answer; its body follows."""
        if self.course is not None and not self.course.takes(response, now_s):
            return
        self._accept(response, now_s)
        self.response_bytes = self.downstream.answers.head(response, self.response_edit)
        self._join()

    def _join(self) -> None:
        """Nobody looks at the payload of an answer; nor at that of a request, but for mirrors and who may retry."""
        stream, client = self._stream(), self.downstream.h2
        if stream is None or client is None or stream.h2 is None:
            return
        body = self.body
        both = body is not None and not body.complete and self.course is None
        if body is not None:
            body.give_up_replay()
        self.joint = Joint(client, stream.h2, both=both)

    def _accept(self, response: ResponseHead, now_s: float) -> None:
        """This answer is the client's: from here on, no other attempt can be made."""
        self.status = response.status
        self.active_at = now_s
        self.head_sent = True

    def payload(self, payload: bytes) -> None:
        """Payload of the answer's body."""
        self.active_at = monotonic()
        self.response_bytes += len(payload)
        self.downstream.answers.payload(payload)

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """The last payload of the answer's body."""
        self.active_at = monotonic()
        self.response_bytes += len(payload)
        self.downstream.answers.payload_end(payload, trailers)
        self._end()

    def switched(self, response: ResponseHead, transport: asyncio.Transport, rest: bytes, now_s: float) -> None:
        """101: client and backend become one tunnel."""
        assert self.switching is not None
        self._accept(response, now_s)
        self.switching.tunnel(self, transport, response, self.response_edit, rest)

    def _redirect(self, redirect: Redirect) -> None:
        self.refuse(redirect.status, Reason.REDIRECTED, location_line(self, redirect))

    def refuse(self, status: int, reason: str, *fields: bytes) -> None:
        """Answer from the gateway itself, when nothing was answered yet; otherwise cut the answer off."""
        appended = (*fields, *self.own_fields())
        if self.call is not None and status >= 400:
            response, payload = grpc_answer(status, reason, appended), b""
        else:
            response, payload = own_answer(status, reason, appended)
        self.answer(response, payload, reason, status)

    def answer(self, response: ResponseHead, payload: bytes, reason: str, status: int) -> None:
        """Give an answer that is no backend's, when nothing was answered yet; otherwise cut the answer off."""
        if self.head_sent:
            self.cut_off(reason)
            return
        self.reason = reason
        self._let_go()
        self.status = status
        self.head_sent = True
        self.response_bytes += self.downstream.own(response, payload)
        self._end()

    def cut_off(self, reason: str) -> None:
        """End without an answer, or without the rest of it."""
        self.reason = reason
        self._let_go()
        self.downstream.abort()
        self._end()

    def own_fields(self) -> tuple[bytes, ...]:
        """What the rule wants in answers of the gateway's own."""
        appended = self.rule.plan.response_edit.appends if self.rule else ()
        return appended if self.course is None else (*appended, *self.course.edit.appends)

    # Flow and time

    def client_lost(self) -> None:
        """The client is gone."""
        self.reason = Reason.CLIENT_CLOSED
        self.termination = Termination.CLIENT
        self._let_go()
        self._end()

    def due_s(self) -> float:
        """When to call `overdue`, if nothing moves until then."""
        return due_s(self)

    def overdue(self, now_s: float) -> None:
        """Nothing moved for too long, or a timeout of the rule has passed."""
        overdue(self, now_s)

    def upstream_full(self) -> None:
        """The backend takes no more of the body for now."""
        self.downstream.pause_reading()

    def upstream_drained(self) -> None:
        """The backend takes more again."""
        self.active_at = monotonic()
        self.downstream.resume_reading()

    def downstream_full(self) -> None:
        """The client takes no more of the answer for now."""
        self.stalled_at = self.active_at = monotonic()
        stream = self._stream()
        if stream is not None:
            stream.pause_reading()

    def downstream_drained(self) -> None:
        """The client takes more again."""
        self.stalled_at = 0.0
        self.active_at = monotonic()
        stream = self._stream()
        if stream is not None:
            stream.resume_reading()

    def _stream(self) -> UpstreamStream | None:
        return self.attempts.stream if self.attempts is not None else None

    def _let_go(self) -> None:
        if self.course is not None:
            self.course.abandon()
        if self.attempts is not None:
            self.attempts.abandon()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._close(monotonic())

    def _close(self, now_s: float) -> None:
        """Write the record and let go of the attempts: without circles, what is over is freed at once."""
        joint, self.joint = self.joint, None
        if joint is not None:
            self.request_bytes += joint.request_bytes
            self.response_bytes += joint.response_bytes
        record(self, now_s)
        if self.course is not None:
            self.course.abandon()
        attempts, self.attempts = self.attempts, None
        if attempts is not None:
            attempts.last = None
        self.downstream.exchange_ended()
