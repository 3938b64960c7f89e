"""Requests over HTTP/2 through a port to HTTP/1.1 backends: heads, bodies, trailers, refusals, records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.http.plan import Plan
from proxy.options import HttpLimits, ProxyOptions
from proxy.protocols.tls import TlsInfo
from proxy.snapshot.filters import RequestHeaderModifier, RequestRedirect, ResponseHeaderModifier
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule
from tests.proxy.http import stage as stages
from tests.proxy.http.h2_client import H2Client
from tests.proxy.http.stage import Stage, answering, forward, read_head, staged

OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
OPTIONS = ProxyOptions(access_log="off")


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


@pytest.fixture(autouse=True, params=["passage", "general"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by both ways that a request may take: nothing tells from outside which it was."""
    if request.param == "general":
        monkeypatch.setattr(Plan, "_direct", lambda plan: None)


def with_client(test: Callable[[H2Client], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
    """A test of one connection."""

    async def connected(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        await test(client)
        await client.close()

    return connected


def test_a_backend_gets_the_request_as_http_1_1_has_it() -> None:
    seen: list[bytes] = []

    async def test(client: H2Client) -> None:
        fields = [("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"), ("te", "trailers"), ("x-forwarded-for", "9")]
        answer = await client.ask("/a?q=1", fields=fields)
        assert (answer.status, answer.body, answer.trailers) == (200, b"hi", {})
        assert answer.fields == {":status": "200", "date": "x", "content-length": "2"}

    staged(with_client(test), answering(OK, seen=seen))
    assert b"".join(seen) == (
        b"GET /a?q=1 HTTP/1.1\r\nHost: a.example\r\ncookie: a=1; b=2\r\naccept: */*\r\nX-Forwarded-For: 127.0.0.1\r\n"
        b"X-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\nVia: 2 gatehouse\r\n\r\n"
    )


def test_bodies_and_trailers_go_both_ways() -> None:
    seen: list[bytes] = []
    chunks = b"HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            seen.append(await read_head(reader))
            seen.append(await reader.readuntil(b"x-end: 1\r\n\r\n"))
            writer.write(chunks)

    async def test(client: H2Client) -> None:
        for _ in range(2):
            stream = client.send(method="POST", end=False)
            client.payload(stream, b"hello")
            client.payload(stream, b"!")
            client.trailers(stream, [("x-end", "1"), ("content-length", "7")])
            answer = await client.answer(stream)
            assert (answer.body, answer.trailers, answer.ended) == (b"abc", {"x-sum": "1"}, True)
            assert "transfer-encoding" not in answer.fields

    staged(with_client(test), handler)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in seen[0]
    assert seen[1].replace(b"5\r\nhello\r\n1\r\n!\r\n", b"6\r\nhello!\r\n") == b"6\r\nhello!\r\n0\r\nx-end: 1\r\n\r\n"


def test_a_known_length_stays_one() -> None:
    seen: list[bytes] = []

    async def test(client: H2Client) -> None:
        assert (await client.ask(method="PUT", fields=[("content-length", "5")], body=b"hello")).status == 200
        assert (await client.ask(method="PUT", fields=[("content-length", "0")], body=b"")).status == 200

    staged(with_client(test), answering(OK, seen=seen))
    assert all(b"chunked" not in head for head in seen)
    assert seen[0].endswith(b"\r\n\r\nhello") and b"content-length: 0" in seen[1]


def test_answers_without_a_body_end_with_their_head() -> None:
    answers = (
        b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
    )

    async def test(client: H2Client) -> None:
        for method, status in (("HEAD", 200), ("GET", 304), ("GET", 204)):
            answer = await client.ask(method=method)
            assert (answer.status, answer.body, answer.ended) == (status, b"", True)

    staged(with_client(test), answering(*answers))


def test_an_answer_until_close_ends_its_stream_and_no_other() -> None:
    async def test(client: H2Client) -> None:
        for _ in range(2):
            answer = await client.ask()
            assert (answer.body, answer.ended) == (b"hello", True)

    staged(with_client(test), answering(b"HTTP/1.1 200 OK\r\nX: until-close\r\n\r\nhello"))


def test_interim_answers_come_before_the_final_one() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"expect: 100-continue" in await read_head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        assert await reader.readexactly(5) == b"hello"
        writer.write(OK)

    async def test(client: H2Client) -> None:
        fields = [("expect", "100-continue"), ("content-length", "5")]
        stream = client.send(method="POST", fields=fields, end=False)
        await client.until(lambda: len(client.answers[stream].interim) == 2)
        client.payload(stream, b"hello", end=True)
        answer = await client.answer(stream)
        assert answer.interim == [{":status": "100"}, {":status": "103", "link": "</x>"}]
        assert (answer.status, answer.body) == (200, b"hi")

    staged(with_client(test), handler)


def test_filters_change_heads_both_ways() -> None:
    seen: list[bytes] = []
    filters = (
        RequestHeaderModifier(set=(("X-Set", "new"),), remove=("x-gone",)),
        ResponseHeaderModifier(add=(("X-Out", "1"),), remove=("server",)),
    )

    async def test(client: H2Client) -> None:
        for _ in range(2):
            answer = await client.ask(fields=[("x-set", "old"), ("x-gone", "1"), ("x-kept", "1")])
            assert answer.fields.keys() == {":status", "x-out", "content-length", "date"}

    staged(
        with_client(test),
        answering(b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 2\r\n\r\nhi", seen=seen),
        [forward(filters=filters)],
    )
    assert all(b"old" not in head and b"x-gone" not in head and b"X-Set: new\r\n" in head for head in seen)


def test_streams_do_not_wait_for_each_other() -> None:
    release = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            if b"/slow" in await read_head(reader):
                await release.wait()
            writer.write(OK)

    async def test(client: H2Client) -> None:
        slow = client.send("/slow")
        quick = [client.send() for _ in range(50)]
        assert [(await client.answer(stream)).status for stream in quick] == [200] * 50
        assert not client.answers[slow].fields
        release.set()
        assert (await client.answer(slow)).body == b"hi"

    staged(with_client(test), handler)


def test_the_gateway_answers_itself_with_a_reason(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    moved = HttpAction("ns/r", "3", filters=(RequestRedirect(scheme="https", status=301),))
    rules = [forward("/gone", "missing"), HttpRule(HttpMatch(path="/moved"), moved)]
    options = ProxyOptions(access_log=str(log), limits=HttpLimits(target_limit_bytes=1000, field_count_limit=20))

    async def test(client: H2Client) -> None:
        for path, status in (("/gone", 500), ("/moved", 301), ("/else", 404), ("/%00", 400), ("/" + "a" * 1000, 414)):
            answer = await client.ask(path, method="POST" if status == 404 else "GET")
            assert (answer.status, answer.ended) == (status, True)
            assert answer.body.startswith(b"%d " % status) and len(answer.body) == int(answer.fields["content-length"])
        assert (await client.ask("/else", "HEAD")).body == b""
        assert (await client.ask(fields=[(f"x-{number}", "1") for number in range(30)])).status == 431
        assert (await client.ask(fields=[("expect", "more")])).status == 417
        assert client.goaways == []

    staged(with_client(test), None, rules, options, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["status"], line["reason"]) for line in lines[:4]] == [
        (500, "backend_not_found"), (301, "redirected"), (404, "route_not_found"), (400, "bad_request")
    ]  # fmt: skip
    assert {line["protocol"] for line in lines} == {"HTTP/2"}


def test_an_early_answer_ends_an_unfinished_request_without_an_error() -> None:
    async def test(client: H2Client) -> None:
        stream = client.send("/else", "POST", end=False)
        answer = await client.answer(stream)
        assert answer.status == 404 and answer.ended
        await client.until(lambda: answer.reset is not None)
        assert answer.reset == 0
        assert (await client.ask()).status == 200

    staged(with_client(test), answering(OK), [forward("/a")])


def test_a_backend_that_breaks_off_resets_the_stream_alone() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/cut" in await read_head(reader):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            return
        writer.write(OK)
        await reader.read()

    async def test(client: H2Client) -> None:
        answer = await client.ask("/cut")
        assert (answer.status, answer.ended, answer.reset) == (200, False, 2)
        assert (await client.ask()).status == 200

    staged(with_client(test), handler)


def test_a_client_that_resets_a_stream_is_heard_by_the_backend(tmp_path: Path) -> None:
    gone, came = asyncio.Event(), asyncio.Event()
    log = tmp_path / "access.log"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        came.set()
        await reader.read()
        gone.set()

    async def test(client: H2Client) -> None:
        stream = client.send()
        await came.wait()
        client.reset(stream)
        await gone.wait()

    staged(with_client(test), handler, log=log)
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (line["status"], line["reason"], line["termination"]) == (0, "client_closed", "client")


@pytest.mark.parametrize(
    ("listener", "status"), [("ns/g/l", 200), ("ns/g/other", 421)], ids=["its own", "another's"]
)  # fmt: skip
def test_a_host_of_another_listener_is_misdirected_on_a_connection(listener: str, status: int) -> None:
    async def test(stage: Stage) -> None:
        tls = TlsInfo("a.example", "TLSv1.3", "h2", listener)
        server = await asyncio.get_running_loop().create_server(lambda: stage.port.protocol(tls), "127.0.0.1", 0)
        client = await H2Client.connect(server.sockets[0].getsockname()[1])
        assert (await client.ask(scheme="https")).status == status
        await client.close()
        server.close()

    staged(test, answering(OK))


def test_requests_follow_the_site_in_force() -> None:
    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        assert (await client.ask()).status == 200
        stage.update([forward("/b")])
        assert [(await client.ask(path)).status for path in ("/a", "/b")] == [404, 200]
        await client.close()

    staged(test, answering(OK))


def test_streams_beyond_the_limit_are_refused_and_may_be_sent_again() -> None:
    release = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await release.wait()
        writer.write(OK)

    async def test(client: H2Client) -> None:
        streams = [client.send() for _ in range(3)]  # before the gateway's SETTINGS said that two are enough
        assert (await client.answer(streams[2])).reset == 7
        release.set()
        assert [(await client.answer(stream)).status for stream in streams[:2]] == [200, 200]

    staged(with_client(test), handler, options=replace(OPTIONS, limits=HttpLimits(stream_limit=2)))
