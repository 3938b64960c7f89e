"""What stands between a rule and a backend, for rules that ask for more than a choice and edits of heads.

A preflight is answered, authorities are asked, a session finds its endpoint, mirrors get their copies; then the
exchange goes its way. Plain rules have none of this, and no course.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.filters.cors import CrossOrigin
from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.http.authorities import Authorities
from proxy.http.errand import Errand
from proxy.http.mirrors import begin_copies, copied
from proxy.protocols.h1_lines import line_name, line_value
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason
from proxy.services import Peer

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange
    from proxy.http.plan import BackendPlan, Plan

_ORIGIN = b"origin"
_ASKED_METHOD = b"access-control-request-method"
_ASKED_HEADERS = b"access-control-request-headers"


class Course:
    """The course of one exchange. edit: what it does to answers. pinned: where the session of the request began."""

    __slots__ = ("_authorities", "_copies", "_exchange", "_plan", "edit", "pinned")

    def __init__(self, exchange: Exchange, plan: Plan) -> None:
        self.edit: HeaderEdit = NO_EDIT
        self.pinned: Peer | None = None
        self._exchange = exchange
        self._plan = plan
        self._authorities: Authorities | None = None
        self._copies: list[Errand] = []

    def begin(self) -> None:
        """Go as far as to the choice of a backend, now or later."""
        exchange, plan = self._exchange, self._plan
        if plan.retry is not None and exchange.body is not None:
            exchange.body.replay_limit_bytes = exchange.client.services.options.limits.replay_limit_bytes
        if plan.cross_origin is not None and self._answered_across(plan.cross_origin):
            return
        if plan.authorities:
            self._authorities = Authorities(exchange, plan.authorities, self._permitted)
            self._authorities.begin()
        else:
            self._choose()

    def answers(self, backend: BackendPlan) -> bool:
        """Whether the backend's own filters answer the request, now that it was chosen."""
        return backend.cross_origin is not None and self._answered_across(backend.cross_origin)

    def copy(self, backend: BackendPlan) -> None:
        """Send copies to the mirrors of the rule and of the backend. Before the head is made, which may change it."""
        exchange, plan = self._exchange, self._plan
        assert exchange.rule is not None
        authority, prefix = exchange.entry.authority, exchange.rule.prefix
        outgoing = exchange.client.outgoing
        if plan.copied is not None:
            head = outgoing.head(copied(exchange.request), plan.copied, authority, prefix)
            self._copies += begin_copies(exchange, plan.mirrors, head)
        if backend.mirrors:
            head = outgoing.head(copied(exchange.request), backend, authority, prefix)
            self._copies += begin_copies(exchange, backend.mirrors, head)

    def payload(self, payload: bytes, *, end: bool, trailers: tuple[bytes, ...]) -> None:
        """Payload of the request's body has come, and perhaps its end; what nobody took is held by the exchange."""
        for errand in self._copies:
            errand.write(payload, end=end, trailers=trailers)
        if self._authorities is not None:
            self._authorities.body_came()

    def takes(self, response: ResponseHead, now_s: float) -> bool:
        """Whether an answer is the client's, and then with what edit; False when another attempt takes its place."""
        exchange, attempts = self._exchange, self._exchange.attempts
        assert attempts is not None and attempts.last is not None
        exchange.active_at = now_s
        if attempts.refuses(response.status):
            return False
        exchange.response_edit = exchange.response_edit.then(self.edit)
        self._begin_session(attempts.backend, attempts.last.peer)
        return True

    def _begin_session(self, backend: BackendPlan, peer: Peer) -> None:
        """Give the client a token, unless it came with one for this endpoint."""
        exchange, sessions = self._exchange, self._plan.sessions
        session = sessions.of(backend) if sessions is not None and peer is not self.pinned else None
        if session is not None:
            assert exchange.rule is not None
            registry, secure = exchange.client.services.registry, exchange.client.scheme == "https"
            line = session.line(peer, registry, exchange.rule.rule.match, secure=secure)
            exchange.response_edit = exchange.response_edit.then(HeaderEdit((), (line,)))

    def abandon(self) -> None:
        """The exchange is over. Copies that have the whole request go on without it."""
        if self._authorities is not None:
            self._authorities.abandon()
            self._authorities = None
        body = self._exchange.body
        if body is not None and not body.complete:
            for errand in self._copies:
                errand.abandon()

    def _permitted(self, edit: HeaderEdit) -> None:
        """Every authority lets the request pass. edit: what they want in the answer."""
        self._authorities = None
        self.edit = self.edit.then(edit)
        self._choose()

    def _choose(self) -> None:
        exchange, sessions = self._exchange, self._plan.sessions
        backend: BackendPlan | None = None
        if sessions is not None:
            found = sessions.find(exchange.request.lines[1:], exchange.client.services.registry)
            if found is not None:
                backend, self.pinned = found
        exchange.follow(self._plan, backend)

    def _answered_across(self, cross_origin: CrossOrigin) -> bool:
        """Note what CORS does to the answer; True when the request was a preflight, which is answered here."""
        exchange = self._exchange
        asked = {line_name(line): line_value(line) for line in exchange.request.lines[1:]}
        origin = asked.get(_ORIGIN, b"")
        if exchange.request.method != b"OPTIONS" or not origin or _ASKED_METHOD not in asked:
            self.edit = self.edit.then(cross_origin.edit(origin))
            return False
        lines = cross_origin.preflight(origin, asked[_ASKED_METHOD], asked.get(_ASKED_HEADERS, b""))
        if lines is None:
            exchange.refuse(403, Reason.ORIGIN_NOT_ALLOWED, b"Vary: Origin")
        else:
            exchange.refuse(204, Reason.PREFLIGHT, *lines)
        return True
