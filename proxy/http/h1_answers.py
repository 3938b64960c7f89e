"""Answers on their way to a client of HTTP/1.1: judged heads, payload and ends come in, bytes in its framing go out.

It refuses to know where an answer comes from, and when its connection is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from proxy.filters.header_edit import NO_EDIT, HeaderEdit
from proxy.http.answers import date_line
from proxy.protocols.h1_body import chunk, last_chunk
from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, END_OF_HEAD
from proxy.protocols.h1_response import UNTIL_CLOSE, ResponseHead


class H1Answers:
    """Writes the answers of one connection, one after the other.

    last: the answer under way is the connection's last, and says so. http_1_1: the client's version is not 1.0, which
    knows neither chunks nor interim answers, and keeps a connection only when it is told so. head_only: the answer
    under way is to HEAD.
    """

    __slots__ = ("_chunked", "_transport", "head_only", "http_1_1", "last")

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._chunked = False
        self.http_1_1 = True
        self.head_only = False
        self.last = False

    def whole(self, response: ResponseHead, edit: HeaderEdit, payload: bytes) -> int:
        """A whole answer; the bytes sent."""
        if response.payload_bytes < 0 and not self.head_only:  # HTTP/2 says by an end how long it was
            head = self._head(response, edit) + b"\r\nContent-Length: %d" % len(payload) + END_OF_HEAD
        else:
            head = self.whole_head(response, edit)
        out = head + payload
        self._transport.write(out)
        return len(out)

    def whole_head(self, response: ResponseHead, edit: HeaderEdit) -> bytes:
        """The head of an answer whose length it tells, with its empty line."""
        if edit is NO_EDIT and response.has_date and self.http_1_1 and not self.last:
            return response.whole
        return self._head(response, edit) + END_OF_HEAD

    def head(self, response: ResponseHead, edit: HeaderEdit) -> int:
        """The final head of an answer whose body follows; the bytes sent."""
        framed = response.length not in (CHUNKED_BODY, UNTIL_CLOSE)
        self._chunked = not framed and self.http_1_1
        if not framed and not self._chunked:
            self.last = True
        out = self._head(response, edit) + (b"\r\nTransfer-Encoding: chunked" if self._chunked else b"") + END_OF_HEAD
        self._transport.write(out)
        return len(out)

    def interim(self, response: ResponseHead) -> None:
        """A 1xx head."""
        if self.http_1_1:
            self._transport.write(response.whole)

    def payload(self, payload: bytes) -> None:
        """Payload of the answer's body; not empty."""
        self._transport.write(chunk(payload) if self._chunked else payload)

    def payload_end(self, payload: bytes, trailers: Sequence[bytes]) -> None:
        """The last payload of the answer's body."""
        if self._chunked:
            self._transport.write((chunk(payload) if payload else b"") + last_chunk(tuple(trailers)))
        elif payload:
            self._transport.write(payload)

    def switch(self, response: ResponseHead, edit: HeaderEdit) -> None:
        """A 101 head: from here on the connection speaks something else."""
        upgrade = (b"Connection: Upgrade", b"Upgrade: " + response.upgrade)
        lines = (*edit.without_dropped(response.lines), *edit.appends, *upgrade)
        self._transport.write(CRLF.join(lines) + END_OF_HEAD)

    def _head(self, response: ResponseHead, edit: HeaderEdit) -> bytes:
        raw = response.raw
        if edit.drops and edit.concerns(raw):
            raw = CRLF.join(edit.without_dropped(response.lines))
        date = () if response.has_date else (date_line(),)
        return CRLF.join((raw, *edit.appends, *date, *self._connection()))

    def _connection(self) -> tuple[bytes, ...]:
        """What a client must be told about the connection, beside what its version says (RFC 9112 section 9.3)."""
        if self.last:
            return (b"Connection: close",)
        return () if self.http_1_1 else (b"Connection: keep-alive",)
