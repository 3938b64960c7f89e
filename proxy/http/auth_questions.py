"""Questions to authorities and what their answers mean (GEP-1494): an exchange comes in, a request goes out; an answer
comes in, a ruling goes out.

Over HTTP the question looks like the request itself; over gRPC it is Envoy's ext_authz Check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxy.filters.external_auth import Authority, is_for_the_client, is_permission
from proxy.filters.header_edit import FRAMING_FIELDS, NO_EDIT, HeaderEdit
from proxy.http.answers import date_line, phrase
from proxy.http.outgoing import OutgoingHead
from proxy.protocols.ext_authz import CHECK_PATH, CheckedRequest, Verdict, check_request, check_response
from proxy.protocols.h1_lines import line_name, line_value
from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, END_OF_HEAD, RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.protobuf import ProtobufError
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange

_PREFIX_BYTES = 5
_OURS = frozenset((b"host", b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"))
"""Fields of a request that no authority changes: they route, or tell who asked."""


class Question(NamedTuple):
    """A request of ours, whole."""

    request: RequestHead
    head: OutgoingHead
    body: bytes


@dataclass(frozen=True, slots=True)
class Passed:
    """The request may pass. edit: what happens to its head; answer_edit: to that of its answer."""

    edit: HeaderEdit
    answer_edit: HeaderEdit = NO_EDIT


@dataclass(frozen=True, slots=True)
class Denied:
    """The client gets an answer of the authority's. lines: a status line and fields, without framing."""

    status: int
    lines: tuple[bytes, ...]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The client gets an answer of ours."""

    status: int
    reason: Reason


Ruling = Passed | Denied | Refused


def question(exchange: Exchange, authority: Authority) -> Question:
    """What an authority is asked about the request of an exchange."""
    body = b"".join(exchange.body.held) if authority.body_limit_bytes and exchange.body is not None else b""
    return _grpc_question(exchange, authority, body) if authority.grpc else _http_question(exchange, authority, body)


def ruling(authority: Authority, response: ResponseHead, payload: bytes, trailers: Sequence[bytes]) -> Ruling:
    """What an answer means; whatever cannot be understood lets nothing pass."""
    if authority.grpc:
        return _grpc_ruling(response, payload, trailers)
    if is_permission(response.status):
        return Passed(authority.permission(response.lines[1:]))
    if is_for_the_client(response.status):
        lines = tuple(line for line in response.lines[1:] if line_name(line) not in FRAMING_FIELDS)
        return Denied(response.status, (response.lines[0], *lines), payload)
    return Refused(403, Reason.AUTH_DENIED) if response.status < 300 else Refused(503, Reason.AUTH_FAILED)


def denial(exchange: Exchange, denied: Denied) -> ResponseHead:
    """The head of an authority's answer as the client gets it, with what the rule wants in it."""
    lines = [*denied.lines, *exchange.own_fields()]
    has_date = any(line_name(line) == b"date" for line in lines[1:])
    if not has_date:
        lines.append(date_line())
    if denied.status != 304:
        lines.append(b"Content-Length: %d" % len(denied.payload))
    return ResponseHead(denied.status, lines, len(denied.payload), keep_alive=True, has_date=True)


def _http_question(exchange: Exchange, authority: Authority, body: bytes) -> Question:
    asked = exchange.request
    target = authority.target(asked.target)
    request = RequestHead(asked.method, target, target.partition(b"?")[0], [], None)
    request.secrets = asked.secrets
    request.length = len(body)
    lines = [
        b"%b %b HTTP/1.1" % (asked.method, target),
        b"Host: " + exchange.entry.authority,
        *authority.sent(asked.lines[1:]),
    ]
    tail = b"\r\nContent-Length: %d" % len(body) + END_OF_HEAD
    return Question(request, OutgoingHead(CRLF.join(lines), tail), body)


def _grpc_question(exchange: Exchange, authority: Authority, body: bytes) -> Question:
    asked, client = exchange.request, exchange.client
    message = check_request(
        CheckedRequest(
            asked.method,
            asked.target,
            exchange.entry.authority,
            client.scheme.encode(),
            asked.version,
            client.address,
            authority.sent(asked.lines[1:]),
            body,
            -1 if asked.length == CHUNKED_BODY else asked.length,
        )
    )
    framed = b"\0" + len(message).to_bytes(4, "big") + message
    request = RequestHead(b"POST", CHECK_PATH, CHECK_PATH, [], None)
    request.length = len(framed)
    request.takes_trailers = True
    lines = [b"POST %b HTTP/1.1" % CHECK_PATH, b"Host: " + authority.host]
    timeout_ms = int(client.services.options.timeouts.auth_s * 1000)
    tail = b"\r\ncontent-type: application/grpc\r\ngrpc-timeout: %dm" % timeout_ms + END_OF_HEAD
    return Question(request, OutgoingHead(CRLF.join(lines), tail), framed)


def _grpc_ruling(response: ResponseHead, payload: bytes, trailers: Sequence[bytes]) -> Ruling:
    """A call that did not succeed has no verdict, whatever came with it."""
    statuses = [line_value(line) for line in (*response.lines[1:], *trailers) if line_name(line) == b"grpc-status"]
    whole = len(payload) >= _PREFIX_BYTES and int.from_bytes(payload[1:_PREFIX_BYTES], "big") == len(payload) - 5
    if response.status != 200 or statuses != [b"0"] or not whole or payload[0]:
        return Refused(503, Reason.AUTH_FAILED)
    try:
        verdict = check_response(payload[_PREFIX_BYTES:])
    except ProtobufError:
        return Refused(503, Reason.AUTH_FAILED)
    return _passed(verdict) if verdict.permitted else _denied(verdict)


def _passed(verdict: Verdict) -> Passed:
    drops = [name for name in verdict.drops if name not in _OURS]
    appends = [line for line in verdict.appends if line_name(line) not in _OURS]
    return Passed(HeaderEdit(drops, appends), HeaderEdit((), verdict.answer_appends))


def _denied(verdict: Verdict) -> Denied:
    start = b"HTTP/1.1 %d %b" % (verdict.status, phrase(verdict.status))
    lines = (line for line in verdict.appends if line_name(line) not in FRAMING_FIELDS)
    return Denied(verdict.status, (start, *lines), verdict.body)
