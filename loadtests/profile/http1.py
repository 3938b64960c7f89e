"""HTTP/1.1 at either end: one request after the other on a connection, as browsers make them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from loadtests.profile.end import WrongAnswerError

REQUEST = (
    "GET /api/items/{page}?q={number} HTTP/1.1\r\nHost: bench.local\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef; n={number}\r\nX-Request-Id: 8c1f-{number}\r\nCache-Control: no-cache\r\n\r\n"
)
BODY = b"ok-" + b"0123456789" * 10 + b"\n"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (len(BODY), BODY)
)
NUMBERS: Iterator[int] = itertools.count(1)


class Http1Client:
    """Asks, waits for the answer, asks again. unique: path, query, cookie and id never repeat."""

    def __init__(self, *, unique: bool) -> None:
        self.done = 0
        self._unique = unique
        self._answer = b""

    def start(self) -> bytes:
        """See Client."""
        return self._request()

    def read(self, data: bytes) -> bytes:
        """See Client."""
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < len(BODY):
            return b""
        if not head.startswith(b"HTTP/1.1 200 ") or body != BODY:
            raise WrongAnswerError(f"answered {self._answer[:300]!r}")
        self.done += 1
        self._answer = b""
        return self._request()

    def _request(self) -> bytes:
        number = next(NUMBERS) if self._unique else 1
        return REQUEST.format(page=number % 5000, number=number).encode()


class Http1Backend:
    """The same answer to every request."""

    def __init__(self) -> None:
        self._request = b""

    def read(self, data: bytes) -> bytes:
        """See Backend."""
        self._request += data
        *requests, self._request = self._request.split(b"\r\n\r\n")
        for request in requests:
            if b"\r\nX-Added: added" not in request:
                raise WrongAnswerError(f"the filter was not applied: {request!r}")
        return ANSWER * len(requests)
