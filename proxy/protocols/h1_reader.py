"""What one client sends over HTTP/1.1: bytes come in, judged heads and the payload of their bodies go out, in turn."""

from __future__ import annotations

import re

from proxy.protocols.h1_body import ChunkedBody, FramingError, SizedBody
from proxy.protocols.h1_referee import HeadRefusedError, judge_request
from proxy.protocols.h1_request import CHUNKED_BODY, CRLF, END_OF_HEAD, RequestHead, scan_request

_BEGINS = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]|\r\n?").match
_EMPTY_LINES = re.compile(rb"(?:\r\n)+").match


class RequestReader:
    """buffer: what was received and not understood yet. body: what comes next belongs to it; None: a head comes next.

    ended: nothing more will be received. head_bytes: of the last head, its empty line included. trailers: of the last
    body. Limits are in bytes, but field_count_limit.
    """

    __slots__ = ("_count_limit", "_default_authority", "_head_limit_bytes", "_plain_limit_bytes", "_target_limit_bytes",
                 "body", "buffer", "ended", "head_bytes", "trailers")  # fmt: skip

    def __init__(
        self, *, default_authority: bytes, head_limit_bytes: int, target_limit_bytes: int, field_count_limit: int
    ) -> None:
        """default_authority: stands in for the Host that HTTP/1.0 does not require."""
        self.buffer = b""
        self.body: SizedBody | ChunkedBody | None = None
        self.ended = False
        self.head_bytes = 0
        self.trailers: tuple[bytes, ...] = ()
        self._default_authority = default_authority
        self._head_limit_bytes = head_limit_bytes
        self._target_limit_bytes = target_limit_bytes
        self._plain_limit_bytes = min(head_limit_bytes, target_limit_bytes)
        self._count_limit = field_count_limit

    def head(self) -> RequestHead | None:
        """The next head; None when it is not whole yet. Not to be called while there is a body.

        Raises HeadRefusedError: what follows cannot be told apart any more.
        """
        data = self.buffer
        if data.startswith(CRLF):  # RFC 9112 section 2.2: empty lines before a request are ignored
            data = self.buffer = data[_EMPTY_LINES(data).end() :]  # type: ignore[union-attr]
        end = data.find(END_OF_HEAD)
        if end < 0 or end > self._head_limit_bytes:
            self._wait(data)
            return None
        head = data[:end]
        self.buffer = data[end + 4 :]
        self.head_bytes = end + 4
        request = scan_request(head)
        if request is None or len(request.lines) > self._count_limit or end > self._plain_limit_bytes:
            request = self._judge(head)
        length = request.length
        if length:
            self.body = ChunkedBody() if length == CHUNKED_BODY else SizedBody(length)
        return request

    def _judge(self, head: bytes) -> RequestHead:
        try:
            return judge_request(
                head,
                default_authority=self._default_authority,
                count_limit=self._count_limit,
                target_limit_bytes=self._target_limit_bytes,
            )
        except HeadRefusedError as refused:
            refused.head = head
            raise

    def payload(self) -> bytes:
        """What was received of the body's payload; at its end, `body` is None. Raises FramingError, and ends it too."""
        body, data = self.body, self.buffer
        assert body is not None
        self.buffer = b""
        try:
            payload = body.feed(data)
        except FramingError:
            self.body = None
            raise
        if body.done:
            self.body, self.buffer, self.trailers = None, body.surplus, body.trailers
        return payload

    def _wait(self, data: bytes) -> None:
        """Wait for the rest of a head, within the limits."""
        if self.ended:
            return
        if data and not _BEGINS(data):  # such as TLS on a plain port: no need to wait for the end of that
            raise HeadRefusedError(400, "bad_request", "what no request begins with")
        if len(data) <= self._head_limit_bytes:
            return
        if CRLF in data[: self._target_limit_bytes]:
            raise HeadRefusedError(431, "header_too_large", f"more than {self._head_limit_bytes} bytes of head")
        raise HeadRefusedError(414, "uri_too_long", f"more than {self._target_limit_bytes} bytes of target")
