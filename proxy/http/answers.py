"""Answers that the gateway gives itself: a status and a reason come in, a head and a small body go out."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING

from proxy.protocols.h1_response import ResponseHead

if TYPE_CHECKING:
    from proxy.filters.redirect import Redirect
    from proxy.http.exchange import Exchange

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class _Date:
    """The Date field's value, formatted once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def now(self) -> bytes:
        second = int(time())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True).encode()
        return self._text


_DATE = _Date()


def date_line() -> bytes:
    """The Date field of now (RFC 9110 section 6.6.1)."""
    return b"Date: " + _DATE.now()


def phrase(status: int) -> bytes:
    """What follows a status in HTTP/1.1."""
    return _PHRASES.get(status, b"Unknown")


def own_answer(status: int, reason: str, fields: Iterable[bytes] = ()) -> tuple[ResponseHead, bytes]:
    """A head and its body, one line with the reason. fields: further lines of the head."""
    text = phrase(status)
    body = b"" if status in (204, 304) else b"%d %b (%b)\n" % (status, text.lower(), reason.encode())
    lines = [b"HTTP/1.1 %d %b" % (status, text), date_line()]
    if body:
        lines += [b"Content-Type: text/plain; charset=utf-8", b"Content-Length: %d" % len(body)]
    lines += fields
    return ResponseHead(status, lines, len(body), keep_alive=True, has_date=True), body


def location_line(exchange: Exchange, redirect: Redirect) -> bytes:
    """Where a redirect sends an exchange."""
    assert exchange.rule is not None
    return b"Location: " + redirect.location(
        scheme=exchange.client.scheme,
        host=exchange.entry.name,
        listener_port=exchange.client.local_port,
        path=exchange.request.path,
        query=exchange.request.query(),
        prefix=exchange.rule.prefix,
    )
