"""What can be compared: for each mode of the command the variants of its work, the one that counts most first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["http1", "https", "http2", "grpc", "tcp", "udp"]
MODES: tuple[Mode, ...] = ("http1", "https", "http2", "grpc", "tcp", "udp")

Traffic = Literal["get", "unary", "stream", "bytes", "datagrams"]
"""get: a small page. unary, stream: gRPC calls of one message, of 500 messages each answered before the next."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind of work.

    client: what the clients speak; tls: inside TLS that ends at the proxy. backend: what the backend speaks.
    headers "unique": as browsers and gRPC clients send them, never twice the same; "same": few and constant.
    """

    name: str
    client: Literal["http1", "http2", "tcp", "udp"]
    backend: Literal["http1", "h2c", "tcp", "udp"]
    traffic: Traffic
    headers: Literal["unique", "same", "none"] = "unique"
    tls: bool = False
    access_log: bool = True

    @property
    def grpc(self) -> bool:
        """Whether it is carried by a GRPCRoute."""
        return self.traffic in ("unary", "stream")

    @property
    def http(self) -> bool:
        """Whether it is carried by a route of HTTP requests."""
        return self.client in ("http1", "http2")

    @property
    def unit(self) -> str:
        """What is counted. A message is one that was sent and came back; a datagram went one way."""
        return {"get": "request", "unary": "request", "stream": "message", "bytes": "GB", "datagrams": "datagram"}[
            self.traffic
        ]


_PLAIN = Variant("access log on", "http1", "http1", "get")
_TO_HTTP1 = Variant("h2c to http1, unique headers", "http2", "http1", "get")
_TO_H2C = Variant("h2c to h2c, unique headers", "http2", "h2c", "get")
_UNARY = Variant("unary, unique headers", "http2", "h2c", "unary")
_STREAM = Variant("stream, unique headers", "http2", "h2c", "stream")

VARIANTS: dict[Mode, tuple[Variant, ...]] = {
    "http1": (_PLAIN, replace(_PLAIN, name="access log off", access_log=False)),
    "https": (replace(_PLAIN, name="kept alive", tls=True),),
    "http2": (
        _TO_HTTP1,
        _TO_H2C,
        replace(_TO_HTTP1, name="h2 over TLS to http1, unique headers", tls=True),
        replace(_TO_HTTP1, name="h2c to http1, same headers", headers="same"),
        replace(_TO_H2C, name="h2c to h2c, same headers", headers="same"),
    ),
    "grpc": (
        _UNARY,
        _STREAM,
        replace(_UNARY, name="unary, same headers", headers="same"),
        replace(_STREAM, name="stream, same headers", headers="same"),
    ),
    "tcp": (Variant("8 connections", "tcp", "tcp", "bytes", "none"),),
    "udp": (Variant("32 sockets, window 8", "udp", "udp", "datagrams", "none"),),
}
