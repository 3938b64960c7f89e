"""gRPC as a gateway must know it: who speaks it, how long they wait, and how they are told that nothing comes.

Sources: gRPC's "gRPC over HTTP2" (timeouts, trailers-only answers, percent-encoded messages) and its mapping of HTTP
statuses to its own. Messages are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from proxy.http.answers import date_line
from proxy.protocols.h1_request import CHUNKED_BODY
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.protocols.h2.request_blocks import RequestBlock

UNKNOWN, DEADLINE_EXCEEDED = 2, 4
_STATUSES = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""Of HTTP, to gRPC's: INTERNAL, UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED, UNAVAILABLE."""
_TYPE = b"application/grpc"
_VARIANTS = tuple(_TYPE + after for after in (b"+", b";", b" "))
_TIMEOUT_LIMIT_BYTES = 9
_UNITS_S = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


class GrpcCall:
    """A request that is a call. timeout_s: how long the client waits for its end; 0.0 when it did not say."""

    __slots__ = ("timeout_s",)

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s


_PATIENT = GrpcCall(0.0)


def grpc_call(request: RequestBlock) -> GrpcCall | None:
    """The call that a request begins; None for anything but gRPC.

    A timeout that is not well formed, or zero, is left to the backend to judge.
    """
    fields, places = request.fields, request.places
    for place in places.types:
        value = fields[place].value
        if value == _TYPE or value.startswith(_VARIANTS):
            if places.grpc_timeout < 0:
                return _PATIENT
            return GrpcCall(_timeout_s(fields[places.grpc_timeout].value))
    return None


def _timeout_s(value: bytes) -> float:
    count, unit_s = value[:-1], _UNITS_S.get(value[-1:])
    if unit_s is None or not count.isdigit() or len(value) > _TIMEOUT_LIMIT_BYTES:
        return 0.0
    return int(count) * unit_s


def grpc_answer(status: int, reason: str, fields: Iterable[bytes] = ()) -> ResponseHead:
    """The head, and all there is, of an answer to a call where HTTP would say `status`. fields: further lines."""
    code = DEADLINE_EXCEEDED if reason == Reason.UPSTREAM_TIMEOUT else _STATUSES.get(status, UNKNOWN)
    lines = [
        b"HTTP/1.1 200 OK",
        date_line(),
        b"content-type: application/grpc",
        b"grpc-status: %d" % code,
        b"grpc-message: " + quote(reason, safe=" ").encode(),
        *fields,
    ]
    return ResponseHead(200, lines, CHUNKED_BODY, keep_alive=True, has_date=True)
