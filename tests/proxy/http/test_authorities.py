"""Authorities (GEP-1494): what passes, what the client is told, and that nothing passes when nobody can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from proxy.options import HttpLimits, HttpTimeouts, ProxyOptions
from proxy.snapshot.filters import Cors, ExternalAuth, RequestRedirect
from tests.proxy.http.stage import FakePeer, FakeUpstream, Handler, Stage, answering, forward, read_head, staged

OPTIONS = ProxyOptions(access_log="off")
OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
PERMIT = b"HTTP/1.1 200 OK\r\nDate: x\r\nX-User: alice\r\nContent-Length: 2\r\n\r\nok"
AUTH = ExternalAuth("http", "auth", "/check", ("x-team",), ("x-user",))
GET = b"GET /a?q HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic x\r\nX-Team: t\r\nX-User: mallory\r\n\r\n"


def guarded(
    *answers: bytes,
    auth: ExternalAuth = AUTH,
    wire: bytes = GET,
    options: ProxyOptions = OPTIONS,
    handler: Handler | None = None,
    more: Sequence[object] = (),
) -> tuple[bytes, list[bytes], list[bytes]]:
    """(the answer, what the authority saw, what the backend saw)"""
    asked: list[bytes] = []
    seen: list[bytes] = []
    said: list[bytes] = []

    async def test(stage: Stage) -> None:
        address = await stage.backend(handler or answering(*answers, seen=asked))
        stage.registry.upstreams["auth"] = FakeUpstream([FakePeer(address)])
        said.append(await stage.say(wire))

    staged(test, answering(OK, seen=seen), [forward(filters=(auth, *more))], options)  # type: ignore[arg-type]
    return said[0], asked, seen


def test_a_permission_lets_the_request_pass_with_what_it_says() -> None:
    answer, asked, seen = guarded(PERMIT)
    assert answer.endswith(b"hi")
    question = (b"GET /check/a?q HTTP/1.1", b"Host: a.example", b"Authorization: Basic x", b"X-Team: t")
    assert asked == [b"\r\n".join((*question, b"Content-Length: 0")) + b"\r\n\r\n"]
    assert b"GET /a?q HTTP/1.1\r\n" in seen[0]
    assert b"\r\nX-User: alice\r\n" in seen[0] and b"mallory" not in seen[0]


def test_a_permission_without_the_field_leaves_the_request_without_it() -> None:
    _, _, seen = guarded(OK)
    assert b"X-User" not in seen[0]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 401 No\r\nDate: x\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno", b"401"),
        (
            b"HTTP/1.1 302 F\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
            b"302",
        ),
    ],
)
def test_a_refusal_is_the_clients_answer(said: bytes, status: bytes) -> None:
    answer, _, seen = guarded(said)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nWWW-Authenticate: Basic\r\n" in answer and answer.endswith(b"\r\n\r\nno")
    assert answer.count(b"Content-Length: 2\r\n") == 1 and b"chunked" not in answer
    assert seen == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", b"403"),
        (b"HTTP/1.1 201 Created\r\nDate: x\r\nContent-Length: 0\r\n\r\n", b"403"),
        (b"HTTP/1.1 500 Oops\r\nDate: x\r\nContent-Length: 6\r\n\r\nsecret", b"503"),
        (b"what?\r\n\r\n", b"503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nconnection: close", b"200"),
    ],
)
def test_what_is_neither_lets_nothing_pass(said: bytes, status: bytes) -> None:
    answer, _, seen = guarded(said)
    assert answer.startswith(b"HTTP/1.1 " + status) and b"secret" not in answer
    assert bool(seen) == (status == b"200")


def test_an_authority_that_cannot_be_asked_lets_nothing_pass() -> None:
    seen: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(stage: Stage) -> None:
        upstreams = stage.registry.upstreams
        upstreams["auth"] = FakeUpstream([FakePeer(("127.0.0.1", 1))])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")
        upstreams["auth"] = FakeUpstream([])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")
        upstreams["auth"] = FakeUpstream([FakePeer(await stage.backend(silent))])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 504 ")
        del upstreams["auth"]
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")
        assert not stage.port.errands

    options = replace(OPTIONS, timeouts=HttpTimeouts(auth_s=0.2))
    staged(test, answering(OK, seen=seen), [forward(filters=(AUTH,))], options)
    assert seen == []


@pytest.mark.parametrize(
    "wire",
    [
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ],
)
def test_a_body_is_sent_along_and_on(wire: bytes) -> None:
    answer, asked, seen = guarded(PERMIT, auth=replace(AUTH, body_limit_bytes=5), wire=wire)
    assert answer.endswith(b"hi")
    assert asked[0].endswith(b"\r\nContent-Length: 5\r\n\r\nhello")
    assert b"hello" in seen[0].replace(b"\r\n3\r\n", b"")


@pytest.mark.parametrize(
    "wire",
    [
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n",
    ],
)
def test_a_body_that_is_too_long_is_refused(wire: bytes) -> None:
    answer, asked, seen = guarded(PERMIT, auth=replace(AUTH, body_limit_bytes=5), wire=wire)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert asked == seen == []


def test_a_client_that_waits_for_100_is_told_to_send() -> None:
    async def test(stage: Stage) -> None:
        address = await stage.backend(answering(PERMIT))
        stage.registry.upstreams["auth"] = FakeUpstream([FakePeer(address)])
        reader, writer = await stage.connect()
        writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert await read_head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        assert (await read_head(reader)).startswith(b"HTTP/1.1 200 ")
        writer.close()

    staged(test, answering(OK), [forward(filters=(replace(AUTH, body_limit_bytes=5),))])


def test_a_body_that_is_not_asked_for_waits_and_goes_on() -> None:
    body = b"x" * 300_000
    wire = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    answer, asked, seen = guarded(PERMIT, wire=wire)
    assert answer.endswith(b"hi") and asked[0].endswith(b"Content-Length: 0\r\n\r\n")
    assert seen[0].endswith(b"x" * 300_000)


def test_an_answer_without_end_is_not_collected() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    options = replace(OPTIONS, limits=HttpLimits(auth_answer_limit_bytes=10_000))
    answer, _, seen = guarded(handler=endless, options=options)
    assert answer.startswith(b"HTTP/1.1 503 ") and seen == []


def test_every_authority_must_permit() -> None:
    second = replace(AUTH, cluster="second")
    asked: list[bytes] = []

    async def test(stage: Stage) -> None:
        stage.registry.upstreams["auth"] = FakeUpstream([FakePeer(await stage.backend(answering(PERMIT)))])
        denial = b"HTTP/1.1 403 No\r\nDate: x\r\nContent-Length: 0\r\n\r\n"
        address = await stage.backend(answering(PERMIT, denial, denial, seen=asked))
        stage.registry.upstreams["second"] = FakeUpstream([FakePeer(address)])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 200 ")
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 403 ")

    staged(test, answering(OK), [forward(filters=(AUTH, second))])
    assert len(asked) == 2


def test_authorities_come_before_redirects_and_after_preflights() -> None:
    denial = b"HTTP/1.1 403 No\r\nDate: x\r\nContent-Length: 0\r\n\r\n"
    answer, _, _ = guarded(denial, more=(RequestRedirect(hostname="b"),))
    assert answer.startswith(b"HTTP/1.1 403 ") and b"Location" not in answer
    preflight = b"OPTIONS /a HTTP/1.1\r\nHost: a\r\nOrigin: https://a.com\r\nAccess-Control-Request-Method: GET\r\n\r\n"
    answer, asked, _ = guarded(denial, wire=preflight, more=(Cors(("https://a.com",)),))
    assert answer.startswith(b"HTTP/1.1 204 ") and asked == []
    answer, _, _ = guarded(
        denial, wire=GET.replace(b"X-Team", b"Origin: https://a.com\r\nX-Team"), more=(Cors(("https://a.com",)),)
    )
    assert b"\r\nAccess-Control-Allow-Origin: https://a.com\r\n" in answer
