"""Responses and trailers as HTTP/2 has them: a decoded header block comes in, a judged head or trailers go out.

RFC 9113 sections 8.1 and 8.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from proxy.protocols.h1_request import CHUNKED_BODY
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2 import names as kinds
from proxy.protocols.h2.errors import Code, StreamFault
from proxy.protocols.h2.fields import KIND, Field
from proxy.protocols.hop_by_hop import FORBIDDEN_TRAILERS

_STATUS_LINES = {b"%d" % status: b"HTTP/1.1 %d %b" % (status, status.phrase.encode()) for status in HTTPStatus}


def judge_response(fields: Sequence[Field], *, oversized: bool) -> ResponseHead:
    """The head, as HTTP/1.1 has it: names in lower case, length CHUNKED_BODY without a content-length.

    Its `block` is made of what the fields are sent on as, unless it has fewer of them. Raises StreamFault. oversized:
    fields are missing, because they were too many or too large.
    """
    if oversized:
        raise _malformed("a head with too many or too large fields")
    if not fields or fields[0].kind & KIND != kinds.STATUS:
        raise _malformed("a response that does not begin with :status")
    code = fields[0].value
    status = int(code)
    if status == 101:
        raise _malformed("101, which HTTP/2 does not have")
    lines = [_STATUS_LINES.get(code) or b"HTTP/1.1 " + code]
    literals = [fields[0].literal]
    length, has_date = CHUNKED_BODY, False
    for field in fields[1:]:
        kind = field.kind & KIND
        if kind:
            if kind <= kinds.LAST_PSEUDO or kind == kinds.MALFORMED:
                raise _malformed("a field that is not well formed, or not a response's")
            if kind == kinds.LENGTH:
                if length != CHUNKED_BODY:
                    raise _malformed("more than one content-length")
                length = int(field.value)
            elif kind == kinds.DATE:
                has_date = True
            elif kind in (kinds.DROP, kinds.TE, kinds.HOST):
                continue
        lines.append(field.line)
        literals.append(field.literal)
    response = ResponseHead(status, lines, length, keep_alive=True, has_date=has_date)
    if len(response.lines) == len(lines):  # a head that may not announce a length has fewer
        response.block = b"".join(literals)
    return response


def judge_trailers(fields: Sequence[Field], *, oversized: bool) -> tuple[bytes, ...]:
    """The lines of trailers that may travel on. Raises StreamFault."""
    found = [field.kind & KIND for field in fields]
    if oversized or any(kind == kinds.MALFORMED or 0 < kind <= kinds.LAST_PSEUDO for kind in found):
        raise _malformed("trailers that are not well formed, or too many")
    return tuple(
        field.line
        for field, kind in zip(fields, found, strict=True)
        if kind != kinds.DROP and field.name not in FORBIDDEN_TRAILERS
    )  # fmt: skip


def _malformed(message: str) -> StreamFault:
    return StreamFault(Code.PROTOCOL_ERROR, message)
