"""The slow, strict path for heads that the scanners do not plainly recognise.

h11 judges the grammar; what it tolerates and a gateway must not is refused here first: bare CR or LF, obs-fold, two
Content-Lengths or Hosts, Content-Length with Transfer-Encoding, codings other than chunked, Connection fields that
nominate framing or Host, user information and fragments (RFC 9112 sections 2.2, 3.2, 5.2, 6.1; RFC 9110 section 7.6.1).
"""

from __future__ import annotations

import re

import h11

from proxy.protocols.authority import host_name
from proxy.protocols.h1_lines import is_plainly_spaced, line_name, line_value
from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, END_OF_HEAD, TEXT, RequestHead
from proxy.protocols.h1_response import UNTIL_CLOSE, ResponseHead
from proxy.protocols.hop_by_hop import CONNECTION_FIELDS, NEVER_NOMINATED, in_disguise, nominated, tokens
from proxy.protocols.paths import judged_path

_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)(/[^?]*)?(\?.*)?").fullmatch
_ANOTHER_PROTOCOL = re.compile(rb"[^ \r]+ [^ \r]+ (?!(?i:HTTP)/)[^ \r]+(?:\r|\Z)").match
_INVISIBLE = bytes((*range(33), 127))
_NOT_CARRIED = frozenset((b"h2c", b"h2", b"http", b"tls"))


class HeadRefusedError(Exception):
    """A head that is not forwarded. `status` is what a client is told; `reason` is one of `proxy.reasons`.

    head: its bytes, where they are known.
    """

    head = b""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class _Fields:
    """The field lines of a head with their lower-case names, after the checks that hold for both directions."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = [_spaced_plainly(line) for line in lines]
        self.connection = nominated(self.values(b"connection"))
        if self.connection & NEVER_NOMINATED:
            raise _bad("Connection nominates a field that frames or routes the message")

    def values(self, name: bytes) -> list[bytes]:
        return [line_value(line) for other, line in self.lines if other == name]

    def travelling(self) -> list[bytes]:
        """The lines that are not for this connection alone."""
        gone = CONNECTION_FIELDS | self.connection
        return [line for name, line in self.lines if name not in gone and not in_disguise(name)]

    def body_length(self, *, http_1_0: bool) -> int | None:
        """The announced length, CHUNKED_BODY, or None when neither is announced."""
        lengths, codings = self.values(b"content-length"), self.values(b"transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise _bad("more than one Content-Length or Transfer-Encoding")
        if codings:
            if http_1_0:
                raise _bad("Transfer-Encoding in HTTP/1.0")
            if codings[0].lower() != b"chunked":
                raise HeadRefusedError(501, "bad_request", "a transfer coding other than chunked")
            return CHUNKED_BODY
        if lengths:
            if not lengths[0].isdigit() or len(lengths[0]) > 18:
                raise _bad("a Content-Length that is not a number")
            return int(lengths[0])
        return None


def judge_request(head: bytes, *, default_authority: bytes, count_limit: int, target_limit_bytes: int) -> RequestHead:
    """Judge a request head without its final CRLF CRLF.

    default_authority stands in for the Host that HTTP/1.0 does not require. Raises HeadRefusedError.
    """
    lines = _lines(head, count_limit)
    method, target, minor_version = _request_line(lines[0], target_limit_bytes)
    _h11_judges(h11.SERVER, head)
    fields = _Fields(lines[1:])
    hosts = fields.values(b"host")
    if len(hosts) > 1 or (minor_version and not hosts) or any(host_name(host) is None for host in hosts):
        raise _bad("no Host, more than one, or one that is not well formed")
    authority, path, query = _target_parts(method, target)
    judged = (path, path) if path == b"*" else judged_path(path)
    if judged is None:
        raise _bad("a path with a broken escape or an escaped NUL")
    sent = judged[1] + query
    travelling = fields.travelling()
    forwarded = [line for line in travelling if _is_forwarded(line)]
    kept = [line for line in travelling if line not in forwarded]
    if authority is not None or not hosts:
        kept = [line for line in kept if line_name(line) != b"host"]
        host_line = b"Host: " + (authority or default_authority)
        kept.insert(0, host_line)
    else:
        host_line = next(line for line in kept if line_name(line) == b"host")
    length = fields.body_length(http_1_0=not minor_version)
    request = RequestHead(method, sent, judged[0], [b"%b %b HTTP/1.1" % (method, sent), *kept], None)
    request.host_line = host_line
    request.length = length or 0
    request.version = b"HTTP/1.%d" % minor_version
    request.keep_alive = b"close" not in fields.connection and (
        minor_version == 1 or b"keep-alive" in fields.connection
    )
    request.forwarded = forwarded
    request.agent = next((line for line in reversed(kept) if line_name(line) == b"user-agent"), b"")
    _set_expectation(request, fields)
    _set_upgrade(request, fields)
    return request


def unjudged_request(head: bytes) -> RequestHead:
    """What a log can show of a head that was refused, and may be anything."""
    method, _, rest = head.partition(CRLF)[0].partition(b" ")
    return RequestHead(method[:32], rest.partition(b" ")[0].translate(None, _INVISIBLE), b"", [], None)


def names_another_protocol(head: bytes) -> bool:
    """Whether the first line is one of another protocol than HTTP that looks like it."""
    return _ANOTHER_PROTOCOL(head) is not None


def judge_response(head: bytes, *, upgrading: bool) -> ResponseHead:
    """Judge a response head without its final CRLF CRLF. `upgrading`: the request asked for a protocol change.

    Raises HeadRefusedError, whose status says what the upstream's fault means to a client: 502.
    """
    try:
        lines = _lines(head, 1000)
        _h11_judges(h11.CLIENT, head, upgrading=upgrading)
        fields = _Fields(lines[1:])
        http_1_0 = lines[0].startswith(b"HTTP/1.0")
        if not http_1_0 and not lines[0].startswith(b"HTTP/1.1"):
            raise _bad("an unknown HTTP version")
        length = fields.body_length(http_1_0=http_1_0)
    except HeadRefusedError as refused:
        raise HeadRefusedError(502, "upstream_protocol_error", refused.message) from refused
    status = int(lines[0][9:12])
    upgrade = (tokens(b",".join(fields.values(b"upgrade"))) or [b""])[0] if status == 101 else b""
    return ResponseHead(
        status,
        [b"HTTP/1.1" + lines[0][8:], *fields.travelling()],
        UNTIL_CLOSE if length is None else length,
        keep_alive=not http_1_0 and b"close" not in fields.connection,
        has_date=bool(fields.values(b"date")),
        upgrade=upgrade,
    )


def _lines(head: bytes, count_limit: int) -> list[bytes]:
    lines = head.split(CRLF)
    if len(lines) - 1 > count_limit:
        raise HeadRefusedError(431, "header_too_large", f"more than {count_limit} header fields")
    if head.translate(None, TEXT) != CRLF * (len(lines) - 1):
        raise _bad("a control character, or a bare CR or LF, in the head")
    for line in lines[1:]:
        if line[:1] in (b" ", b"\t") or b":" not in line:
            raise _bad("a folded header line, or one without a colon")
    return lines


def _spaced_plainly(line: bytes) -> tuple[bytes, bytes]:
    """The name of a field line, and the line; one that frames or routes without odd blanks around its value."""
    name = line_name(line)
    if name in NEVER_NOMINATED and not is_plainly_spaced(line):
        line = line[: len(name)] + b": " + line_value(line)
    return name, line


def _request_line(line: bytes, target_limit_bytes: int) -> tuple[bytes, bytes, int]:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise _bad("a request line that is not method, target and version")
    method, target, version = parts
    if len(target) > target_limit_bytes:
        raise HeadRefusedError(414, "uri_too_long", f"a target of more than {target_limit_bytes} bytes")
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        known = re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version)
        raise HeadRefusedError(505 if known else 400, "bad_request", "an HTTP version other than 1.0 and 1.1")
    if method in (b"CONNECT", b"TRACE"):
        raise HeadRefusedError(405, "method_not_allowed", f"{method.decode()} is not carried")
    return method, target, int(version[-1:])


def _target_parts(method: bytes, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """(authority of an absolute-form, path or "*", query with its question mark)."""
    if not target.isascii() or b"#" in target or b"\t" in target:
        raise _bad("a fragment, or a character outside ASCII, in the target")
    if target.startswith(b"/"):
        path, mark, query = target.partition(b"?")
        return None, path, mark + query
    if target == b"*" and method == b"OPTIONS":
        return None, target, b""
    absolute = _ABSOLUTE(target)
    if absolute is None or host_name(absolute[1]) is None:
        raise _bad("a target that is neither a path nor an http URL")
    path = absolute[2] or (b"*" if method == b"OPTIONS" and not absolute[3] else b"/")
    return absolute[1], path, absolute[3] or b""


def _set_expectation(request: RequestHead, fields: _Fields) -> None:
    expectations = fields.values(b"expect")
    if not expectations:
        return
    if [value.lower() for value in expectations] != [b"100-continue"]:
        raise HeadRefusedError(417, "bad_request", "an expectation other than 100-continue")
    if request.version == b"HTTP/1.0":  # RFC 9110 section 10.1.1: a server ignores it there
        request.lines = [line for line in request.lines if not line.lower().startswith(b"expect:")]
        return
    request.expects_continue = request.length != 0


def _set_upgrade(request: RequestHead, fields: _Fields) -> None:
    """Keep a change of protocol that can be carried: not to HTTP or TLS, none with a body or HTTP/1.0.

    When the backend declines, what the client may have sent ahead is not HTTP, so the answer is the connection's last.
    """
    if b"upgrade" not in fields.connection or request.length or request.version == b"HTTP/1.0":
        return
    asked = tokens(b",".join(fields.values(b"upgrade")))
    offered = [token for token in asked if token.partition(b"/")[0] not in _NOT_CARRIED]
    if offered:
        request.upgrade = offered[0]
        request.keep_alive = False


def _is_forwarded(line: bytes) -> bool:
    name = line_name(line)
    return name == b"forwarded" or name.startswith(b"x-forwarded-")


def _h11_judges(role: type[h11.SERVER] | type[h11.CLIENT], head: bytes, *, upgrading: bool = False) -> None:
    connection = h11.Connection(role, max_incomplete_event_size=len(head) + 8)
    if role is h11.CLIENT:
        headers = [("Host", "x"), *([("Connection", "upgrade"), ("Upgrade", "x")] if upgrading else [])]
        connection.send(h11.Request(method="GET", target="/", headers=headers))
    try:
        connection.receive_data(head + END_OF_HEAD)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise HeadRefusedError(error.error_status_hint, "bad_request", str(error)) from error
    if not isinstance(event, h11.Request | h11.Response | h11.InformationalResponse):
        raise _bad("not a whole head")


def _bad(message: str) -> HeadRefusedError:
    return HeadRefusedError(400, "bad_request", message)
