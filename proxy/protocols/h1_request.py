"""Request heads: bytes come in, a judged head goes out, or None for everything that is not plainly well formed.

The scanner only accepts. Whatever it does not recognise at once goes to `h1_referee`, which decides and may refuse;
a differential test holds that the scanner never understands a head differently from the referee (RFC 9112).
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from proxy.protocols.h1_lines import (
    AGENT,
    CHUNKED,
    CLOSE,
    FORWARDED,
    HOST,
    LENGTH,
    REQUEST_LINES,
    SLOW,
    line_name,
    line_value,
)
from proxy.protocols.paths import judged_path

CRLF = b"\r\n"
END_OF_HEAD = b"\r\n\r\n"
TEXT = bytes((9, *range(32, 127), *range(128, 256)))
"""Every byte that may stand inside a line; what `bytes.translate` leaves when these go is line ends, or worse."""

CHUNKED_BODY = -1
"""The `length` of a body that ends by its chunked framing."""

_PLAIN_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"))
_PLAIN_TARGET = re.compile(rb"/[!\"$-~]*").fullmatch  # visible ASCII without "#"
_ODD_PATH = re.compile(rb"%|//|/\.").search
_NO_SECRETS: Final[frozenset[bytes]] = frozenset()
LINE_ENDS = [CRLF * count for count in range(256)]
"""What is left of a head of count + 1 lines when `TEXT` goes from it."""


class Encoded(Protocol):
    """What a head was made of, in HTTP/2."""

    def front(self) -> bytes:
        """The fields of `raw` but :scheme as they are sent on, in an HPACK block that needs no table."""


class RequestHead:
    """One request head, judged; light and mutable because one is made per request.

    method, target: as on the wire (target in origin-form or "*"); path: what routing matches, without the query.
    lines: the request line, then every field that may travel on, as received, without Transfer-Encoding, which `length`
    tells; raw: the same joined, or None.
    host_line: the exact Host line, the key under which a site remembers what it decided for it.
    length: of the body; 0 is none, CHUNKED_BODY is until its last chunk.
    version: as a log shows it, such as b"HTTP/1.0". keep_alive: the client wants the connection kept.
    agent: the User-Agent line, or b"". forwarded: X-Forwarded-* and Forwarded lines, taken out of `lines`.
    expects_continue, upgrade (lower-case token, or b""): only the referee ever sets these, and HTTP/2 the first.
    takes_trailers: the client says `te: trailers`, over HTTP/2. secrets: those of the lines whose fields came as never
    indexed (RFC 7541 section 7.1.3); b"" stands for the request line. encoded: None unless that came over HTTP/2.
    """

    __slots__ = (
        "agent",
        "encoded",
        "expects_continue",
        "forwarded",
        "host_line",
        "keep_alive",
        "length",
        "lines",
        "method",
        "path",
        "raw",
        "secrets",
        "takes_trailers",
        "target",
        "upgrade",
        "version",
    )

    def __init__(self, method: bytes, target: bytes, path: bytes, lines: list[bytes], raw: bytes | None) -> None:
        self.method = method
        self.target = target
        self.path = path
        self.lines = lines
        self.raw = raw
        self.host_line = b""
        self.length = 0
        self.keep_alive = True
        self.version = b"HTTP/1.1"
        self.agent = b""
        self.forwarded: list[bytes] = []
        self.expects_continue = False
        self.upgrade = b""
        self.takes_trailers = False
        self.secrets = _NO_SECRETS
        self.encoded: Encoded | None = None

    def query(self) -> bytes:
        """The query without its question mark; b"" when there is none."""
        return self.target.partition(b"?")[2]

    def fields(self) -> dict[bytes, bytes]:
        """Lower-case name to value; values of a repeated name are joined by commas (RFC 9110 section 5.3)."""
        found: dict[bytes, bytes] = {}
        for line in (*self.lines[1:], *self.forwarded):
            name, value = line_name(line), line_value(line)
            found[name] = found[name] + b"," + value if name in found else value
        return found


def scan_request(head: bytes) -> RequestHead | None:
    """Judge a head (without its final CRLF CRLF) that is plainly a well-formed HTTP/1.1 request; None for any other.

    None says nothing about the head: the referee decides.
    """
    lines = head.split(CRLF)
    count = len(lines)
    if count > 255 or head.translate(None, TEXT) != LINE_ENDS[count - 1]:
        return None
    try:
        method, target, version = lines[0].split(b" ")
    except ValueError:
        return None
    if version != b"HTTP/1.1" or method not in _PLAIN_METHODS or not _PLAIN_TARGET(target):
        return None
    query_at = target.find(b"?")
    path = target if query_at < 0 else target[:query_at]
    request = RequestHead(method, target, path, lines, head)
    if _ODD_PATH(path) and not _judge_path(request):
        return None
    verdicts = REQUEST_LINES.verdicts.young
    fluid = REQUEST_LINES.fluid
    removed = None
    length = -2
    for line in lines[1:]:
        verdict = verdicts.get(line)
        if verdict is None:
            name, colon, _ = line.partition(b":")
            if colon and name in fluid:
                continue
            verdict = REQUEST_LINES.judge(line)
        if not verdict:
            continue
        if verdict == HOST:
            if request.host_line:
                return None
            request.host_line = line
            continue
        if verdict == AGENT:
            request.agent = line
            continue
        if verdict == SLOW:
            return None
        if verdict >= CHUNKED:  # LENGTH + n, or CHUNKED: two of them, alike or not, are the referee's
            if length != -2:
                return None
            length = CHUNKED_BODY if verdict == CHUNKED else verdict - LENGTH
            request.length = length
            if verdict != CHUNKED:
                continue
        if verdict == CLOSE:
            request.keep_alive = False
        elif verdict == FORWARDED:
            request.forwarded.append(line)
        if removed is None:
            removed = []
        removed.append(line)
    if removed is not None:
        for line in removed:
            lines.remove(line)
        request.raw = None
    return request if request.host_line else None


def _judge_path(request: RequestHead) -> bool:
    """Resolve what a path may hide; what is sent changes with it when it must."""
    judged = judged_path(request.path)
    if judged is None:
        return False
    path, sent = judged
    if sent != request.path:
        request.target = sent + request.target[len(request.path) :]
        request.lines[0] = b"%b %b HTTP/1.1" % (request.method, request.target)
        request.raw = None
    request.path = path
    return True
