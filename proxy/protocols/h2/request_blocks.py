"""Requests as HTTP/2 has them: a decoded header block comes in, a judged head goes out (RFC 9113 section 8.3.1).

What breaks the rules of HTTP/2 is a StreamFault; what is HTTP and is not carried is answered, by its `refusal`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, RequestHead
from proxy.protocols.h2.errors import Code, StreamFault
from proxy.protocols.h2.fields import Field, SecretLine
from proxy.protocols.h2.layouts import LAYOUTS, NOWHERE, Layout, layout
from proxy.protocols.paths import judged_path

_ODD_PATH = re.compile(rb"%|//|/\.").search
_QUESTION: Final = ord("?")
_NONE: Final[frozenset[bytes]] = frozenset()
Refusal = tuple[int, str]


class RequestBlock:
    """A request's header block, judged; remembered by its connection while the same bytes mean the same.

    refusal: (status, reason) to answer instead of carrying it, or None. decided: room for what the connection's owner
    made of it; whoever reads it compares the snapshot that it was made for. length: the announced one, or CHUNKED_BODY.
    fields: as they came; places: what stands where.
    """

    __slots__ = ("_front", "_lines", "_path", "_raw", "_secrets", "_target", "decided", "fields", "length", "places",
                 "refusal")  # fmt: skip

    def __init__(
        self,
        fields: Sequence[Field],
        places: Layout,
        target: bytes,
        path: bytes,
        lines: Sequence[bytes],
        secrets: frozenset[bytes],
        refusal: Refusal | None,
    ) -> None:
        """What has a name of its own is as heads have it."""
        self.fields = fields
        self.places = places
        self._target = target
        self._path = path
        self._lines = lines
        self._raw = CRLF.join(lines)
        self._secrets = secrets
        self._front = b""
        self.length = CHUNKED_BODY if places.length < 0 else int(fields[places.length].value)
        self.refusal = refusal
        self.decided: tuple[Any, ...] | None = None

    def head(self, ended: bool) -> RequestHead:
        """A head of one's own. ended: the stream ended with it, so there is no body.

        lines: `name: value` with lower-case names, after a request line as HTTP/1.1 has it and `Host: AUTHORITY`;
        cookies are one line (section 8.2.3); `te` is gone and is `takes_trailers`; what came never indexed is a
        SecretLine. length: content-length, which may be 0 with the end yet to come; 0 when ended, else CHUNKED_BODY.
        """
        fields, places, lines, target = self.fields, self.places, self._lines, self._target
        head = RequestHead(fields[places.method].value, target, self._path, list(lines), self._raw)
        if places.hosted:
            head.host_line = lines[1]
        if places.agent >= 0:
            head.agent = fields[places.agent].line
        if places.forwarded:
            head.forwarded = [fields[place].line for place in places.forwarded]
        head.takes_trailers = places.takes_trailers
        head.secrets = self._secrets
        if places.whole and target is fields[places.path].value:
            head.encoded = self
        if not ended:
            head.length = self.length
            head.expects_continue = places.expect >= 0
        return head

    def front(self) -> bytes:
        """See Encoded. Cookies stay apart."""
        if not self._front:
            self._front = b"".join(self.places.carried([field.literal for field in self.fields]))
        return self._front


def judge_request(fields: Sequence[Field], oversized: bool, target_limit_bytes: int) -> RequestBlock:
    """Raises StreamFault. oversized: fields are missing, because they were too many or too large."""
    found = bytes([field.kind for field in fields])
    places = LAYOUTS.young.get(found) or layout(found)
    if places.plain and not oversized:
        method, target = fields[places.method].value, fields[places.path].value
        path = target[: target.find(b"?")] if _QUESTION in target else target
        if len(target) <= target_limit_bytes:
            lines = [field.line for field in fields]
            lines.append(b"%b %b HTTP/1.1" % (method, target))
            hidden = _hidden(fields, places.secrets) if places.secrets else _NONE
            return RequestBlock(fields, places, target, path, places.in_order(lines), hidden, None)
    return _judge_unusual(fields, places, oversized, target_limit_bytes)


def _judge_unusual(fields: Sequence[Field], places: Layout, oversized: bool, target_limit_bytes: int) -> RequestBlock:
    """Whatever is not all there, in order, and to be carried as it is."""
    if places.fault:
        raise _malformed(places.fault)
    method = fields[places.method].value
    host = _host(fields, places)
    if not places.complete or method == b"CONNECT":
        _check_incomplete(places, method, oversized)
    target = fields[places.path].value if places.path >= 0 else b""
    path = target.partition(b"?")[0]
    expects = fields[places.expect].value if places.expect >= 0 else None
    refusal = _refusal(method, target, host, expects, target_limit_bytes)
    if oversized:
        refusal = 431, "header_too_large"
    elif refusal is None and _ODD_PATH(path):
        path, target, refusal = _resolved(path, target)
    lines, secrets = _put_together(fields, places, b"%b %b HTTP/1.1" % (method, target), host)
    return RequestBlock(fields, places, target, path, lines, secrets, refusal)


def _hidden(fields: Sequence[Field], secrets: Sequence[int]) -> frozenset[bytes]:
    first = fields[secrets[0]].hidden
    return first if len(secrets) == 1 else first.union(*[fields[place].hidden for place in secrets])


def _host(fields: Sequence[Field], places: Layout) -> Field | None:
    """Who is asked, by :authority or by Host."""
    if places.authority < 0:
        return fields[places.host] if places.host >= 0 else None
    authority = fields[places.authority]
    if places.host >= 0 and authority.value.lower() != fields[places.host].value.lower():
        raise _malformed(":authority and host differ")
    return authority


def _put_together(
    fields: Sequence[Field], places: Layout, start: bytes, host: Field | None
) -> tuple[Sequence[bytes], frozenset[bytes]]:
    """(all lines of the head, its secrets); what is made here is secret when what it is made of is."""
    lines = [SecretLine(start) if places.secret_start else start]
    secrets = {b""} if places.secret_start else set()
    if host is not None:
        line = b"Host: " + host.value
        if type(host.line) is SecretLine:
            secrets.add(line)
            line = SecretLine(line)
        lines.append(line)
    for place in places.lines:
        field = fields[place]
        line = field.line
        if place in places.cookies and len(places.cookies) > 1:
            cookies = [fields[each] for each in places.cookies]
            line = b"cookie: " + b"; ".join([cookie.value for cookie in cookies])
            if any(type(cookie.line) is SecretLine for cookie in cookies):
                line = SecretLine(line)
        if type(line) is SecretLine:
            secrets.add(bytes(line))
        lines.append(line)
    return lines, frozenset(secrets)


def _check_incomplete(places: Layout, method: bytes, oversized: bool) -> None:
    """Pseudo-header fields may be missing from a CONNECT (section 8.5), or when they were cut off; a host is missed
    later."""
    if method == b"CONNECT":
        if places.path != NOWHERE or places.scheme != NOWHERE or places.authority == NOWHERE:
            raise _malformed("a CONNECT with other pseudo-header fields than its own")
    elif NOWHERE in (places.path, places.scheme) and not oversized:
        raise _malformed("a pseudo-header field is missing")


def _resolved(path: bytes, target: bytes) -> tuple[bytes, bytes, Refusal | None]:
    """(path to match, target to send, refusal) for a path that may hide something."""
    judged = judged_path(path)
    if judged is None:
        return path, target, (400, "bad_request")
    return judged[0], judged[1] + target[len(path) :], None


def _refusal(
    method: bytes, target: bytes, host: Field | None, expects: bytes | None, target_limit_bytes: int
) -> Refusal | None:
    """What is HTTP and is not carried."""
    if method in (b"CONNECT", b"TRACE"):
        return 405, "method_not_allowed"
    if host is None or (target == b"*" and method != b"OPTIONS"):
        return 400, "bad_request"
    if len(target) > target_limit_bytes:
        return 414, "uri_too_long"
    if expects is not None and expects.lower() != b"100-continue":
        return 417, "bad_request"
    return None


def _malformed(message: str) -> StreamFault:
    return StreamFault(Code.PROTOCOL_ERROR, message)
