"""Authorities that speak gRPC, and mirrors that speak HTTP/2: errands on streams of shared connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proxy.protocols.protobuf import data, fields, number
from proxy.snapshot.filters import ExternalAuth, RequestMirror
from tests.proxy.http.h2_backend import Asked, H2Backend
from tests.proxy.http.stage import FakePeer, FakeUpstream, Stage, answering, forward, staged

OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
AUTH = ExternalAuth("grpc", "service/ns/auth:9000/http2", body_limit_bytes=100)
POST = b"POST /a?q HTTP/1.1\r\nHost: a.example\r\nX-User: mallory\r\nContent-Length: 4\r\n\r\nbody"
CONTENT = (b"content-type", b"application/grpc")


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def header(key: bytes, value: bytes) -> bytes:
    return data(1, data(1, key) + data(2, value))


def saying(payload: bytes, status: bytes = b"0") -> Callable[[Asked], None]:
    def answer(asked: Asked) -> None:
        asked.head(CONTENT)
        asked.send(payload)
        asked.trail((b"grpc-status", status))

    return answer


def beside(
    name: str, backend: H2Backend, test: Callable[[Stage], Awaitable[None]], rule: object, seen: list[bytes]
) -> None:
    async def run(stage: Stage) -> None:
        stage.registry.upstreams[name] = FakeUpstream([FakePeer(await backend.start(), http2=True)])
        try:
            await test(stage)
        finally:
            backend.close()

    staged(run, answering(OK, seen=seen), [forward(filters=(rule,))])  # type: ignore[arg-type]


def asked_and_answered(backend: H2Backend) -> tuple[bytes, list[bytes]]:
    """(the client's answer, what the backend saw)"""
    seen: list[bytes] = []
    said: list[bytes] = []

    async def test(stage: Stage) -> None:
        said.append(await stage.say(POST))

    beside(AUTH.cluster, backend, test, AUTH, seen)
    return said[0], seen


def test_a_call_is_a_check_and_its_permission_edits_both_ways() -> None:
    allowed = data(2, header(b"X-User", b"alice")) + data(2, header(b"Host", b"evil"))
    backend = H2Backend(saying(framed(data(3, allowed + data(6, header(b"X-Seen", b"1"))))))
    answer, seen = asked_and_answered(backend)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nX-Seen: 1\r\n" in answer
    assert b"\r\nX-User: alice\r\n" in seen[0] and b"mallory" not in seen[0] and b"evil" not in seen[0]
    call = backend.asked[0]
    assert dict(call.fields) == {
        b":scheme": b"http",
        b":method": b"POST",
        b":path": b"/envoy.service.auth.v3.Authorization/Check",
        b":authority": b"auth:9000",
        b"content-type": b"application/grpc",
        b"grpc-timeout": b"10000m",
        b"te": b"trailers",
    }
    assert call.body[:5] == b"\0" + (len(call.body) - 5).to_bytes(4, "big")
    message = call.body[5:]
    for step in (1, 4, 2):
        found = dict(fields(message))[step]
        assert isinstance(found, bytes)
        message = found
    told = dict(fields(message))
    assert (told[2], told[4], told[5], told[6], told[9], told[10], told[11]) == (
        b"POST", b"/a?q", b"a.example", b"http", 4, b"HTTP/1.1", b"body",
    )  # fmt: skip


def test_a_denial_is_the_clients_answer() -> None:
    denied = data(1, number(1, 401)) + data(2, header(b"WWW-Authenticate", b"Basic"))
    denied += data(2, header(b"Content-Length", b"99")) + data(3, b"who?")
    answer, seen = asked_and_answered(H2Backend(saying(framed(data(1, number(1, 16)) + data(2, denied)))))
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n") and answer.endswith(b"\r\n\r\nwho?")
    assert b"\r\nWWW-Authenticate: Basic\r\n" in answer and answer.count(b"Content-Length") == 1
    assert seen == []


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (framed(b""), b"7"),
        (b"", b"0"),
        (b"\0\0\0\0\x09", b"0"),
        (b"\1" + framed(b"")[1:], b"0"),
        (framed(b"\xff"), b"0"),
        (framed(b"") * 2, b"0"),
    ],
)
def test_what_is_no_verdict_lets_nothing_pass(payload: bytes, status: bytes) -> None:
    answer, seen = asked_and_answered(H2Backend(saying(payload or b"\0", status)))
    assert answer.startswith(b"HTTP/1.1 503 ") and seen == []


def test_a_call_that_fails_at_once_lets_nothing_pass() -> None:
    backend = H2Backend(lambda asked: asked.head(CONTENT, (b"grpc-status", b"14"), ended=True))
    answer, seen = asked_and_answered(backend)
    assert answer.startswith(b"HTTP/1.1 503 ") and seen == []
    answer, seen = asked_and_answered(H2Backend(lambda asked: asked.give_up(2)))
    assert answer.startswith(b"HTTP/1.1 503 ") and seen == []


def test_a_mirror_that_speaks_http_2_gets_its_copy() -> None:
    backend = H2Backend()

    async def test(stage: Stage) -> None:
        for _ in range(3):
            assert (await stage.say(POST)).endswith(b"hi")
        while stage.port.errands:
            await asyncio.sleep(0.01)
        assert stage.metrics.mirrors_lost == {}

    beside("m", backend, test, RequestMirror("m"), [])
    assert [asked.body for asked in backend.asked] == [b"body"] * 3
    assert len(backend.connections) == 1
    assert backend.asked[0].field(b":path") == b"/a?q"
