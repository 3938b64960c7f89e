"""Response heads: bytes come in, a judged head goes out, or None for everything that is not plainly well formed.

Whole heads are remembered: a backend repeats itself more than its clients do, and a head seen before costs one look-up.
"""

from __future__ import annotations

from proxy.memo import Memo
from proxy.protocols.h1_lines import CHUNKED, CLOSE, DATE, DROP, LENGTH, RESPONSE_LINES, SLOW
from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, END_OF_HEAD, LINE_ENDS, TEXT

UNTIL_CLOSE = -2
"""The `length` of a body that ends with its connection."""

_REMEMBERED_HEAD_LIMIT_BYTES = 1024


class ResponseHead:
    """One response head, judged. Shared by every answer with the same head: never changed after it was made.

    lines: the status line (always HTTP/1.1), then every field that may travel on; raw: the same joined; whole: with the
    empty line.
    length: as framed, for a method and status that allow a body: n, CHUNKED_BODY or UNTIL_CLOSE.
    has_body: the status allows a body; payload_bytes: how long it is, to anything but HEAD; negative as `length` is.
    keep_alive: the upstream connection may be used again. upgrade: lower-case token
    of a 101, or b"". block: its HTTP/2 form, remembered here by whoever made it; None until then.
    """

    __slots__ = ("block", "has_body", "has_date", "keep_alive", "length", "lines", "payload_bytes", "raw", "status",
                 "upgrade", "whole")  # fmt: skip

    def __init__(
        self, status: int, lines: list[bytes], length: int, *, keep_alive: bool, has_date: bool, upgrade: bytes = b""
    ) -> None:
        if (status < 200 or status == 204) and length != UNTIL_CLOSE:
            # No length may be announced (RFC 9110 section 8.6). A body that came nevertheless would be taken for the
            # next answer, here or at a client.
            lines = [line for line in lines if not line.lower().startswith(b"content-length:")]
            keep_alive = keep_alive and length == 0
        self.status = status
        self.has_body = status >= 200 and status not in (204, 304)
        self.lines = lines
        self.raw = CRLF.join(lines)
        self.whole = self.raw + END_OF_HEAD
        self.length = length
        self.payload_bytes = length if self.has_body else 0
        self.keep_alive = keep_alive
        self.has_date = has_date
        self.upgrade = upgrade
        self.block: bytes | None = None

    def body_length(self, method: bytes) -> int:
        """The length of the body that really follows the answer to `method` (RFC 9112 section 6.3)."""
        return self.payload_bytes if method != b"HEAD" else 0


HEADS: Memo[bytes, ResponseHead] = Memo(512)
"""Heads seen before; `young` is read by the fast lane, `scan_response` answers what it lacks."""


def scan_response(head: bytes) -> ResponseHead | None:
    """Judge a head (without its final CRLF CRLF) that is plainly a well-formed HTTP/1.1 response; None for others."""
    response = HEADS.young.get(head) or HEADS.recall(head)
    if response is None:
        response = _scan(head)
        if response is not None and len(head) <= _REMEMBERED_HEAD_LIMIT_BYTES:
            HEADS.remember(head, response)
    return response


def _scan(head: bytes) -> ResponseHead | None:
    lines = head.split(CRLF)
    count = len(lines)
    if count > 255 or head.translate(None, TEXT) != LINE_ENDS[count - 1]:
        return None
    start = lines[0]
    code = start[9:12]
    if start[:9] != b"HTTP/1.1 " or not code.isdigit() or start[12:13] not in (b" ", b"") or code < b"200":
        return None
    kept = [start]
    verdicts = RESPONSE_LINES.verdicts.young
    length = UNTIL_CLOSE
    keep_alive, has_date = True, False
    for line in lines[1:]:
        verdict = verdicts.get(line)
        if verdict is None:
            verdict = RESPONSE_LINES.judge(line)
        if verdict == SLOW:
            return None
        if verdict == CLOSE:
            keep_alive = False
            continue
        if verdict == DROP:
            continue
        if verdict == CHUNKED or verdict >= LENGTH:
            if length != UNTIL_CLOSE:
                return None
            length = CHUNKED_BODY if verdict == CHUNKED else verdict - LENGTH
            if verdict == CHUNKED:
                continue
        elif verdict == DATE:
            has_date = True
        kept.append(line)
    return ResponseHead(int(code), kept, length, keep_alive=keep_alive, has_date=has_date)
