"""Heads on their way out: the lines of a judged head come in, an HPACK block goes out (RFC 9113 section 8.3).

The start line that a head has in every version becomes pseudo-header fields, Host becomes :authority.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy.memo import Memo
from proxy.protocols.h1_lines import line_value
from proxy.protocols.h1_request import CRLF, RequestHead
from proxy.protocols.h2.encoder import block
from proxy.protocols.h2.fields import SecretLine
from proxy.protocols.h2.literals import NEVER_INDEXED, literal_name, string
from proxy.protocols.h2.static_table import WHOLE

_METHOD, _PATH, _AUTHORITY, _STATUS = (literal_name(name) for name in (b":method", b":path", b":authority", b":status"))
_TE = literal_name(b"te") + string(b"trailers")
_STATUSES: dict[bytes, bytes] = {
    status: WHOLE.get((b":status", status)) or _STATUS + string(status)
    for status in (b"%d" % code for code in range(100, 1000))
}
_SCHEMES: dict[bytes, bytes] = {scheme: WHOLE[b":scheme", scheme] for scheme in (b"http", b"https")}
_METHODS: Memo[bytes, bytes] = Memo(64)
_AUTHORITIES: Memo[bytes, bytes] = Memo(1024)
_FRONTS: Memo[bytes, bytes] = Memo(512)
_TAILS: Memo[bytes, bytes] = Memo(512)
_HEAD_LIMIT_BYTES = 1024
_CREDENTIALS = re.compile(rb"(?i)\nauthorization:").search


def response_block(lines: Sequence[bytes]) -> bytes:
    """The block of a response: a status line, then field lines; those of an HTTP/1.1 connection alone are left out."""
    return _STATUSES[lines[0][9:12]] + block(lines[1:])


def request_block(head: RequestHead, front: bytes, tail: bytes, scheme: bytes) -> bytes:
    """The block of a request.

    head: as received. front: its request line in origin-form and its field lines, one of them Host, joined by CRLF, as
    they are to be sent; tail: more field lines, in any blank lines. Both are remembered apart, for they repeat apart.
    scheme: b"http" or b"https".
    """
    if head.encoded is not None and front is head.raw:
        start = head.encoded.front()
    elif head.secrets:
        lines = [SecretLine(line) if line in head.secrets else line for line in front.split(CRLF)]
        start = _front(lines, secret=b"" in head.secrets)
    else:
        start = _FRONTS.young.get(front) or _FRONTS.recall(front) or _new_front(front)
    end = _TAILS.young.get(tail)
    if end is None:
        end = _TAILS.recall(tail)
        if end is None:
            end = block([line for line in tail.split(CRLF) if line])
            if len(tail) <= _HEAD_LIMIT_BYTES:
                _TAILS.remember(tail, end)
    return _SCHEMES[scheme] + start + end + (_TE if head.takes_trailers else b"")


def _new_front(front: bytes) -> bytes:
    start = _front(front.split(CRLF), secret=False)
    if len(front) <= _HEAD_LIMIT_BYTES and not _CREDENTIALS(front):
        _FRONTS.remember(front, start)
    return start


def _front(lines: list[bytes], *, secret: bool) -> bytes:
    """The pseudo-header fields but the scheme, then the fields. secret: the request line is to be never indexed."""
    method, path, _ = lines[0].split(b" ")
    host = next((line for line in lines if line[:5].lower() == b"host:"), b"")
    if secret:
        start = literal_name(b":method", NEVER_INDEXED) + string(method)
        start += literal_name(b":path", NEVER_INDEXED) + string(path)
    else:
        start = _method(method) + _PATH + string(path)
    return start + (_authority(host) if host else b"") + block(lines[1:])


def _method(method: bytes) -> bytes:
    known = _METHODS.young.get(method) or _METHODS.recall(method)
    if known is None:
        known = WHOLE.get((b":method", method)) or _METHOD + string(method)
        _METHODS.remember(method, known)
    return known


def _authority(host: bytes) -> bytes:
    known = _AUTHORITIES.young.get(host) or _AUTHORITIES.recall(host)
    if known is None:
        if isinstance(host, SecretLine):
            return literal_name(b":authority", NEVER_INDEXED) + string(line_value(host))
        known = _AUTHORITY + string(line_value(host))
        _AUTHORITIES.remember(host, known)
    return known
