"""Asking the authorities of a rule whether a request may pass (GEP-1494): one after the other, each must permit.

The request waits meanwhile, its client unread. An authority that cannot be asked, or that says what is neither a
permission nor of use to the client, lets nothing pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, assert_never

from proxy.filters.external_auth import Authority
from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.http.auth_questions import Denied, Passed, Refused, denial, question, ruling
from proxy.http.errand import Errand
from proxy.protocols.h1_request import CHUNKED_BODY
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason, Termination

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange

CONTINUE = ResponseHead(100, [b"HTTP/1.1 100 Continue"], 0, keep_alive=True, has_date=True)


class Authorities:
    """The questions of one exchange; hears the answers as their `Sender`."""

    __slots__ = ("_answer", "_answer_edit", "_body_bytes", "_collecting", "_errand", "_exchange", "_left",
                 "_limit_bytes", "_permitted", "_pieces")  # fmt: skip

    def __init__(
        self, exchange: Exchange, authorities: Sequence[Authority], permitted: Callable[[HeaderEdit], None]
    ) -> None:
        """permitted: called once, with what the authorities want in the answer, if all let the request pass."""
        self._exchange = exchange
        self._left = list(authorities)
        self._permitted = permitted
        self._limit_bytes = min((each.body_limit_bytes for each in authorities if each.body_limit_bytes), default=0)
        self._collecting = False
        self._errand: Errand | None = None
        self._answer: ResponseHead | None = None
        self._answer_edit = NO_EDIT
        self._pieces: list[bytes] = []
        self._body_bytes = 0

    def begin(self) -> None:
        """Ask; first collect the body, where an authority wants it."""
        exchange = self._exchange
        if not self._limit_bytes or exchange.body is None:
            self._ask()
        elif exchange.request.length != CHUNKED_BODY and exchange.request.length > self._limit_bytes:
            exchange.refuse(413, Reason.BODY_TOO_LARGE)
        else:
            self._collecting = True
            if exchange.request.expects_continue:
                exchange.interim(CONTINUE)

    def body_came(self) -> None:
        """More of the body is held by the exchange, which has stopped reading."""
        body = self._exchange.body
        if not self._collecting or body is None:
            return
        if sum(map(len, body.held)) > self._limit_bytes:
            self._collecting = False
            self._exchange.refuse(413, Reason.BODY_TOO_LARGE)
        elif body.complete:
            self._collecting = False
            self._ask()
        else:
            self._exchange.downstream.resume_reading()

    def abandon(self) -> None:
        """The exchange is over."""
        self._collecting = False
        if self._errand is not None:
            self._errand.abandon()
            self._errand = None

    def _ask(self) -> None:
        """Ask the next authority."""
        exchange, authority = self._exchange, self._left[0]
        asked = question(exchange, authority)
        self._answer, self._pieces, self._body_bytes = None, [], 0
        life_s = exchange.client.services.options.timeouts.auth_s
        port, certificate = exchange.client.port, exchange.entry.certificate
        self._errand = Errand(
            port, authority.cluster, asked.request, asked.head, self, certificate, among=port.errands, life_s=life_s
        )
        self._errand.begin()
        if self._errand is not None:
            self._errand.write(asked.body, end=True)

    # What the authority says

    def answered(self, response: ResponseHead) -> None:
        """See Sender."""
        self._answer = response

    def payload(self, payload: bytes) -> None:
        """See Sender."""
        self._body_bytes += len(payload)
        if self._body_bytes <= self._exchange.client.services.options.limits.auth_answer_limit_bytes:
            self._pieces.append(payload)
        elif self._errand is not None:
            self._errand.abandon()
            self.failed(Reason.UPSTREAM_PROTOCOL_ERROR)

    def finished(self, trailers: tuple[bytes, ...]) -> None:
        """See Sender."""
        response, self._errand = self._answer, None
        if response is None:  # the answer was too long, and the exchange is over
            return
        verdict = ruling(self._left.pop(0), response, b"".join(self._pieces), trailers)
        match verdict:
            case Passed():
                self._pass_on(verdict)
            case Denied():
                head = denial(self._exchange, verdict)
                self._exchange.answer(head, verdict.payload, Reason.AUTH_DENIED, verdict.status)
            case Refused():
                self._exchange.refuse(verdict.status, verdict.reason)
            case _:
                assert_never(verdict)

    def failed(self, reason: Reason) -> None:
        """See Sender."""
        self._errand = self._answer = None
        self._exchange.client.services.metrics.upstream_failed(reason)
        timeout = reason in (Reason.UPSTREAM_TIMEOUT, Reason.CONNECT_TIMEOUT)
        self._exchange.termination = Termination.TIMEOUT if timeout else Termination.UPSTREAM
        self._exchange.refuse(504 if timeout else 503, Reason.AUTH_FAILED)

    def _pass_on(self, passed: Passed) -> None:
        """Change the request as the authority says; ask the next one, or let it pass."""
        request, edit = self._exchange.request, passed.edit
        self._answer_edit = self._answer_edit.then(passed.answer_edit)
        if edit:
            request.lines = [*edit.without_dropped(request.lines), *edit.appends]
            request.raw = None
        if self._left:
            self._ask()
        else:
            self._permitted(self._answer_edit)
