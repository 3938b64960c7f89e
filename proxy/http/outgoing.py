"""Heads on their way to a backend: a judged head and a backend's plan come in, the lines to send go out.

Nearly every request changes only at its end: what is appended is made once per connection, host and backend, and the
head is the received bytes and that tail.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.http.forwarded import forwarded_lines
from proxy.http.plan import HeadPlan
from proxy.protocols.h1_lines import line_name
from proxy.protocols.h1_request import CRLF, END_OF_HEAD, RequestHead


class OutgoingHead:
    """A request's head as a backend shall get it, whatever that speaks: lines joined by CRLF, in two parts that repeat.

    front: the request line and the fields that the client sent. tail: what the gateway adds, each line after a CRLF,
    and the empty line.
    """

    __slots__ = ("front", "tail")

    def __init__(self, front: bytes, tail: bytes) -> None:
        self.front = front
        self.tail = tail


class Outgoing:
    """Makes heads for one client connection. via: our Via line, or b"". trusted: what it says of others counts."""

    __slots__ = ("_authority", "_backend", "_client", "_scheme", "_tail", "_via", "trusted")

    def __init__(self, client: bytes, scheme: bytes, *, trusted: bool, via: bytes) -> None:
        self._client = client
        self._scheme = scheme
        self.trusted = trusted
        self._via = via
        self._tail = b""
        self._backend: HeadPlan | None = None
        self._authority = b""

    def head(self, request: RequestHead, backend: HeadPlan, authority: bytes, prefix: bytes | None) -> OutgoingHead:
        """The head to send. prefix: the path prefix that matched, for rewrites."""
        if backend.rewrites:
            _rewrite(request, backend, prefix)
        if request.forwarded and self.trusted:
            tail = self._make_tail(request.forwarded, backend, authority)
        else:
            tail = self.tail(backend, authority)
        edit = backend.request_edit
        raw = request.raw
        if raw is None:
            raw = CRLF.join(request.lines)
        if edit.drops and edit.concerns(raw):
            raw = CRLF.join(edit.without_dropped(request.lines))
        if request.upgrade:
            raw += b"\r\nConnection: Upgrade\r\nUpgrade: " + request.upgrade
        return OutgoingHead(raw, tail)

    def tail(self, backend: HeadPlan, authority: bytes) -> bytes:
        """What every head for this host and backend ends with, its empty line included."""
        if backend is not self._backend or authority != self._authority:
            self._tail = self._make_tail((), backend, authority)
            self._backend, self._authority = backend, authority
        return self._tail

    def _make_tail(self, believed: Sequence[bytes], backend: HeadPlan, authority: bytes) -> bytes:
        edit = backend.request_edit
        lines = forwarded_lines(self._client, self._scheme, authority, believed)
        if self._via:
            lines.append(self._via)
        lines = [line for line in lines if line_name(line) not in edit.drops]
        return b"".join(CRLF + line for line in (*lines, *edit.appends)) + END_OF_HEAD


def _rewrite(request: RequestHead, backend: HeadPlan, prefix: bytes | None) -> None:
    """Change the request line and Host in place; a retry finds them changed already and must not come here again."""
    query_at = request.target.find(b"?")
    query = b"" if query_at < 0 else request.target[query_at:]
    for rewrite in backend.rewrites:
        path = rewrite.path(request.path, prefix)
        if path is not None:
            request.lines[0] = b"%b %b HTTP/1.1" % (request.method, path + query)
        if rewrite.host is not None:
            host = b"Host: " + rewrite.host
            start, *fields = request.lines
            request.lines = [start, *(host if line_name(line) == b"host" else line for line in fields)]
    request.raw = None
