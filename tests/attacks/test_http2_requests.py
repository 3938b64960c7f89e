"""Requests over HTTP/2 that mean to be two requests, or another one, once they are HTTP/1.1."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from proxy.options import HttpTimeouts, ProxyOptions
from tests.attacks import h2_wire as wire
from tests.attacks.capturing import Stage, stage
from tests.attacks.wire import MARKER
from tests.proxy.gateway import run

OPTIONS = ProxyOptions(access_log="off", removed_bind_drain_s=0.1, timeouts=HttpTimeouts(linger_s=0.1))
SMUGGLED = b"GET /" + MARKER + b" HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(frozen=True)
class Reset:
    """The stream is reset, or its connection ended; no backend hears of it."""


@dataclass(frozen=True)
class Answered:
    """The gateway answers itself."""

    status: bytes


@dataclass(frozen=True)
class Forwarded:
    """One clean request gets through, with this target and body, and without these fields."""

    target: bytes = b"/"
    body: bytes = b""
    without: tuple[bytes, ...] = ()
    trailers: tuple[bytes, ...] = ()
    host: bytes = b"a.test"


Expected = Reset | Answered | Forwarded
Case = tuple[bytes, Expected]


def get(*fields: tuple[bytes, bytes]) -> bytes:
    return wire.head(1, (*wire.GET, *fields))


def pseudo(name: bytes, value: bytes) -> bytes:
    """A request, one of whose pseudo-header fields is another."""
    return wire.head(1, [(found, value if found == name else old) for found, old in wire.GET])


def post(*fields: tuple[bytes, bytes], body: bytes = b"", rest: bytes = b"") -> bytes:
    end = b"" if rest else wire.frame(wire.DATA, body, wire.END_STREAM, 1)
    start = wire.frame(wire.DATA, body, 0, 1) if rest else b""
    return wire.head(1, (*wire.POST, *fields), end=False) + start + end + rest


def trailers(*fields: tuple[bytes, bytes]) -> bytes:
    return wire.head(1, fields)


CASES: dict[str, Case] = {
    "plain": (get(), Forwarded()),
    "a request behind a value": (get((b"x", b"y\r\n\r\n" + SMUGGLED)), Reset()),
    "a line end in a value": (get((b"x", b"y\r\nTransfer-Encoding: chunked")), Reset()),
    "a bare line feed in a value": (get((b"x", b"y\nz: 1")), Reset()),
    "a carriage return in a value": (get((b"x", b"y\rz")), Reset()),
    "NUL in a value": (get((b"x", b"y\0z")), Reset()),
    "blanks around a value": (get((b"x", b" y ")), Reset()),
    "a line end in a name": (get((b"x: y\r\nz", b"1")), Reset()),
    "a colon in a name": (get((b"transfer-encoding: chunked\r\nx", b"1")), Reset()),
    "a name with a colon at its end": (get((b"content-length:", b"3")), Reset()),
    "a name with a blank": (get((b"content-length ", b"3")), Reset()),
    "capitals in a name": (get((b"Transfer-Encoding", b"chunked")), Reset()),
    "an empty name": (get((b"", b"x")), Reset()),
    "Transfer-Encoding": (post((b"transfer-encoding", b"chunked"), body=SMUGGLED), Reset()),
    "Connection": (get((b"connection", b"x-forwarded-for")), Reset()),
    "Keep-Alive": (get((b"keep-alive", b"1")), Reset()),
    "Upgrade": (get((b"upgrade", b"websocket")), Reset()),
    "TE beside trailers": (get((b"te", b"gzip")), Reset()),
    "TE": (get((b"te", b"trailers")), Forwarded(without=(b"te",))),
    "HTTP2-Settings": (get((b"http2-settings", b"AAMAAABk")), Forwarded(without=(b"http2-settings",))),
    "a field that reads as Content-Length": (get((b"content_length", b"3")), Forwarded(without=(b"content_length",))),
    "a length of what does not come": (get((b"content-length", b"5")), Reset()),
    "a length that is too small": (post((b"content-length", b"3"), body=b"abc" + SMUGGLED), Reset()),
    "two lengths": (post((b"content-length", b"3"), (b"content-length", b"3"), body=b"abc"), Reset()),
    "two lengths in one": (post((b"content-length", b"3, 3"), body=b"abc"), Reset()),
    "a length with a sign": (post((b"content-length", b"+3"), body=b"abc"), Reset()),
    "a length of 20 digits": (post((b"content-length", b"9" * 20), body=b"abc"), Reset()),
    "a body that is a request": (post(body=SMUGGLED), Forwarded(body=SMUGGLED)),
    "a body that ends chunks": (post(body=b"0\r\n\r\n" + SMUGGLED), Forwarded(body=b"0\r\n\r\n" + SMUGGLED)),
    "a request in the path": (pseudo(b":path", b"/ HTTP/1.1\r\nHost: a\r\n\r\n" + SMUGGLED), Reset()),
    "a blank in the path": (pseudo(b":path", b"/ HTTP/1.1"), Reset()),
    "a path without its slash": (pseudo(b":path", b"a"), Reset()),
    "an absolute path": (pseudo(b":path", b"http://b.test/"), Reset()),
    "a fragment": (pseudo(b":path", b"/#x"), Reset()),
    "an empty path": (pseudo(b":path", b""), Reset()),
    "a path that climbs": (pseudo(b":path", b"/a/../../b"), Forwarded(b"/b")),
    "a path with NUL": (pseudo(b":path", b"/%00"), Answered(b"400")),
    "a request in the method": (pseudo(b":method", b"GET / HTTP/1.1\r\n\r\nGET"), Reset()),
    "a blank in the method": (pseudo(b":method", b"GET /x"), Reset()),
    "CONNECT": (wire.head(1, [(b":method", b"CONNECT"), (b":authority", b"a.test:22")]), Answered(b"405")),
    "TRACE": (pseudo(b":method", b"TRACE"), Answered(b"405")),
    "a scheme of its own": (pseudo(b":scheme", b"http://x/?"), Reset()),
    "an authority with a user": (pseudo(b":authority", b"a.test@b.test"), Reset()),
    "a line end in the authority": (pseudo(b":authority", b"a.test\r\nX: y"), Reset()),
    "a path in the authority": (pseudo(b":authority", b"a.test/x"), Reset()),
    "another Host": (get((b"host", b"b.test")), Reset()),
    "the same Host": (get((b"host", b"a.test")), Forwarded()),
    "two Hosts": (get((b"host", b"a.test"), (b"host", b"a.test")), Reset()),
    "a Host alone": (
        wire.head(1, [*wire.GET[:2], wire.GET[3], (b"host", b"b.test")]),
        Forwarded(host=b"b.test"),
    ),
    "no Host at all": (wire.head(1, [*wire.GET[:2], wire.GET[3]]), Answered(b"400")),
    "two paths": (wire.head(1, (*wire.GET, (b":path", b"/" + MARKER))), Reset()),
    "a path behind the fields": (wire.head(1, [*wire.GET[:3], (b"x", b"y"), wire.GET[3]]), Reset()),
    "a pseudo-header of a response": (get((b":status", b"200")), Reset()),
    "a pseudo-header of its own": (wire.head(1, (*wire.GET, (b":protocol", b"websocket"))), Reset()),
    "trailers": (post(body=b"abc", rest=trailers((b"x-sum", b"1"))), Forwarded(body=b"abc", trailers=(b"x-sum",))),
    "trailers that frame": (
        post(body=b"abc", rest=trailers((b"content-length", b"9"), (b"x-sum", b"1"))),
        Forwarded(body=b"abc", trailers=(b"x-sum",)),
    ),
    "trailers that code": (post(body=b"abc", rest=trailers((b"transfer-encoding", b"chunked"))), Reset()),
    "trailers with a line end": (post(body=b"abc", rest=trailers((b"x", b"y\r\n\r\n" + SMUGGLED))), Reset()),
    "trailers with a pseudo-header": (post(body=b"abc", rest=trailers((b":path", b"/" + MARKER))), Reset()),
    "who asked": (
        get((b"x-forwarded-for", b"9.9.9.9"), (b"forwarded", b"for=9.9.9.9"), (b"x_forwarded_for", b"9.9.9.9")),
        Forwarded(without=(b"forwarded", b"x_forwarded_for")),
    ),
    "hop by hop": (
        get((b"proxy-authorization", b"x"), (b"proxy-connection", b"close")),
        Reset(),
    ),
}


async def attack(staged: Stage, request: bytes, expected: Expected) -> None:
    """Send one request, then a good one on the same connection if it lasts; hold both sides to what was expected."""
    leave = wire.frame(wire.GOAWAY, wire.u32(0, 0))
    reader, writer = await asyncio.open_connection("127.0.0.1", staged.port)
    writer.write(wire.GREETING + request + leave)
    writer.write_eof()
    received = await wire.read(reader)
    writer.close()
    heads = [payload for kind, _, payload in received.frames if kind == wire.HEADERS]
    if isinstance(expected, Reset):
        ended = received.count(wire.RST_STREAM) or any(received.codes(wire.GOAWAY))
        assert ended and not heads, received.frames
        assert all(MARKER not in bytes(data) for data in staged.capture.received)
        return
    if isinstance(expected, Answered):
        bodies = [payload for kind, _, payload in received.frames if kind == wire.DATA]
        assert len(heads) == 1 and bodies[0].startswith(expected.status), received.frames
        assert not staged.capture.received
        return
    (seen,) = staged.capture.requests()
    assert (seen.target, seen.body, seen.one(b"host")) == (expected.target, expected.body, expected.host)
    assert seen.one(b"x-forwarded-for") == b"127.0.0.1"
    assert not seen.fields.keys() & set(expected.without)
    assert tuple(seen.trailers) == expected.trailers


@pytest.mark.parametrize("name", CASES)
def test_a_request_is_refused_or_understood_in_one_way(name: str) -> None:
    request, expected = CASES[name]

    async def test() -> None:
        async with stage(options=OPTIONS) as staged:
            await attack(staged, request, expected)

    run(test)


def test_half_a_body_never_completes_a_request() -> None:
    """The client ends in the middle: the backend must not take what came for all there was."""

    async def test() -> None:
        async with stage(options=OPTIONS) as staged:
            request = wire.head(1, (*wire.POST, (b"content-length", b"10")), end=False)
            reader, writer = await asyncio.open_connection("127.0.0.1", staged.port)
            writer.write(wire.GREETING + request + wire.frame(wire.DATA, b"half", 0, 1))
            writer.write(wire.frame(wire.RST_STREAM, wire.u32(8), stream=1))
            writer.write_eof()
            await reader.read()
            writer.close()
            assert staged.capture.answered == 0

    run(test)
