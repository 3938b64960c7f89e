"""The requests that the HTTP/2 client makes: their header fields and messages."""

from __future__ import annotations

import itertools
from typing import Literal

from hpack import HeaderTuple, NeverIndexedHeaderTuple

Kind = Literal["get", "unary", "stream"]

MESSAGE_BYTES = 50
MESSAGES = 500
"""In each stream of kind "stream"."""
TOKEN = "Bearer " + "0123456789abcdefghijklmnopqrstuvwxyz." * 2 + "0123456789ABCDEFGHIJKLMNOPQRS"
"""110 bytes, as a token has."""

_NUMBERS = itertools.count(1)


def message(number: int) -> bytes:
    """A gRPC message with its 5-byte prefix, told apart by a number."""
    return b"\0" + MESSAGE_BYTES.to_bytes(4, "big") + b"%0*d" % (MESSAGE_BYTES, number)


def fields(kind: Kind, scheme: str, *, unique: bool) -> list[HeaderTuple]:
    """A request's fields. unique: as real clients send them, never twice the same; otherwise few and constant."""
    number = next(_NUMBERS) if unique else 1
    if kind == "get":
        return [HeaderTuple(*field) for field in _get(scheme, number, unique=unique)]
    listed = [
        (":method", "POST"),
        (":scheme", scheme),
        (":path", "/bench.Echo/Unary" if kind == "unary" else "/bench.Echo/Stream"),
        (":authority", "bench.local"),
        ("content-type", "application/grpc"),
        ("user-agent", "grpc-go/1.85.0"),
        ("te", "trailers"),
    ]
    made = [HeaderTuple(*field) for field in listed]
    if unique:
        made.append(HeaderTuple("grpc-timeout", f"{90_000_000 + number % 9_999_991}u"))
        made.append(NeverIndexedHeaderTuple("authorization", TOKEN))
        made.append(HeaderTuple("traceparent", f"00-{number * 0x9E3779B97F4A7C15 % 2**128:032x}-{number:016x}-01"))
    return made


def _get(scheme: str, number: int, *, unique: bool) -> list[tuple[str, str]]:
    path = f"/api/items/{number % 5000}?q={number}" if unique else "/api/items"
    listed = [(":method", "GET"), (":scheme", scheme), (":authority", "bench.local"), (":path", path)]
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    if not unique:
        return [*listed, ("user-agent", agent)]
    return [
        *listed,
        ("user-agent", agent),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br"),
        ("cookie", "session=0123456789abcdef; theme=dark"),
        ("x-request-id", f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"),
        ("cache-control", "no-cache"),
    ]
