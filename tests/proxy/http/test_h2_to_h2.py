"""Requests of HTTP/2 to backends of HTTP/2: what engines hand to each other is counted, timed, held up and ended."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes

from proxy.http.exchange import Exchange
from proxy.http.plan import Plan
from proxy.options import HttpTimeouts, ProxyOptions
from proxy.protocols.h2.stream import Stream
from proxy.snapshot.routes import HttpRule
from tests.proxy.http import stage as stages
from tests.proxy.http.h2_backend import Asked, BackendConnection, H2Backend
from tests.proxy.http.h2_client import Answer, H2Client
from tests.proxy.http.stage import FakePeer, FakeUpstream, Stage, forward, staged

OPTIONS = ProxyOptions(access_log="off")
PIECE = bytes(16384)
Test = Callable[[H2Client, H2Backend], Awaitable[None]]


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


@pytest.fixture(autouse=True, params=["passage", "general"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by both ways that a request may take: nothing tells from outside which it was."""
    if request.param == "general":
        monkeypatch.setattr(Plan, "_direct", lambda plan: None)


def between(
    test: Test,
    on_end: Callable[[Asked], None] = Asked.answer,
    *,
    on_head: Callable[[Asked], None] = lambda _: None,
    rules: Sequence[HttpRule] = (forward(),),
    options: ProxyOptions = OPTIONS,
    log: Path | None = None,
) -> list[dict[str, Any]]:
    """Run a test of one client's connection and one backend; the lines of the access log."""
    backend = H2Backend(on_end)
    backend.on_head = on_head

    async def run(stage: Stage) -> None:
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(await backend.start(), http2=True)])
        client = await H2Client.connect(stage.number)
        try:
            await test(client, backend)
        finally:
            await client.close()
            backend.close()

    staged(run, None, rules, options, log)
    return [json.loads(line) for line in log.read_text().splitlines()] if log else []


def nothing(_: Asked) -> None:
    return None


def echo_heads(asked: Asked) -> None:
    asked.head((b"x-kind", b"stream"))


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def converse(client: H2Client, backend: H2Backend, stream: int, messages: int) -> None:
    """Messages to the backend, each answered by as much again."""
    await client.until(lambda: client.answers[stream].fields)
    asked = backend.asked[-1]
    for number in range(messages):
        came, answered = len(asked.body), len(client.answers[stream].body)
        client.payload(stream, b"%08d" % number)
        await until(partial(_has, asked, came + 8))
        asked.send(asked.body[-8:] * 2)
        await client.until(partial(_has, client.answers[stream], answered + 16))


def _has(message: Asked | Answer, size: int) -> bool:
    return len(message.body) == size


def test_a_conversation_is_carried_and_counted(tmp_path: Path) -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        await converse(client, backend, stream, 10)
        client.payload(stream, b"the end", end=True)
        answer = await client.answer(stream)
        assert backend.asked[0].body == b"".join(b"%08d" % number for number in range(10)) + b"the end"
        assert answer.body == b"".join(b"%08d" % number * 2 for number in range(10)) + b"bye"
        assert (answer.fields["x-kind"], answer.trailers) == ("stream", {"x-sum": "1"})

    def end(asked: Asked) -> None:
        asked.send(b"bye")
        asked.trail((b"x-sum", b"1"))

    (line,) = between(test, end, on_head=echo_heads, options=OPTIONS, log=tmp_path / "access.log")
    assert (line["status"], line["termination"], line["reason"]) == (200, "complete", "ok")
    assert 87 < line["request_bytes"] < 187 and 163 < line["response_bytes"] < 263, "payload, and heads"
    assert line["duration_ms"] >= line["upstream_ms"] > 0


def test_a_conversation_that_goes_on_is_not_idle_and_one_that_stops_is() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        for _ in range(8):
            await converse(client, backend, stream, 1)
            await asyncio.sleep(0.1)  # all of them are longer than the timeout
        assert not client.answers[stream].over
        await until(lambda: client.answers[stream].over)
        await until(lambda: backend.asked[0].reset == ErrorCodes.CANCEL)

    timeouts = HttpTimeouts(client_idle_s=1.2, upstream_idle_s=1.2)
    between(test, nothing, on_head=echo_heads, options=replace(OPTIONS, timeouts=timeouts))


def test_a_client_that_gives_up_is_logged_with_what_was_carried(tmp_path: Path) -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        await converse(client, backend, stream, 3)
        client.reset(stream)
        await until(lambda: backend.asked[0].reset == ErrorCodes.CANCEL)
        assert (await client.ask("/next")).body == b"hi", "and nothing else is touched"

    def head(asked: Asked) -> None:
        if asked.field(b":path") == b"/a":
            echo_heads(asked)

    lines = between(test, on_head=head, log=tmp_path / "access.log")
    assert [line["reason"] for line in lines] == ["client_closed", "ok"]
    assert [line["termination"] for line in lines] == ["client", "complete"]
    assert lines[0]["request_bytes"] > 24 and lines[0]["response_bytes"] > 48


def test_a_backend_that_gives_up_cuts_the_answer_off(tmp_path: Path) -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        await converse(client, backend, stream, 3)
        backend.asked[0].give_up(ErrorCodes.INTERNAL_ERROR)
        answer = await client.answer(stream)
        assert (answer.reset, answer.ended, len(answer.body)) == (ErrorCodes.INTERNAL_ERROR, False, 48)

    (line,) = between(test, nothing, on_head=echo_heads, log=tmp_path / "access.log")
    assert (line["status"], line["reason"], line["termination"]) == (200, "upstream_reset", "upstream")


@pytest.mark.parametrize("body", [None, b"body"])
def test_goaway_below_an_answer_that_has_begun_cuts_it_off(body: bytes | None) -> None:
    def begin(asked: Asked) -> None:
        echo_heads(asked)
        asked.send(b"half")
        asked.connection.go_away(0)

    async def test(client: H2Client, backend: H2Backend) -> None:
        answer = await client.ask("/a", "GET" if body is None else "POST", body=body)
        assert (answer.body, answer.reset) == (b"half", ErrorCodes.INTERNAL_ERROR)
        assert len(backend.asked) == 1, "a client cannot be given a second answer"

    between(test, begin)


def test_an_answer_that_ends_before_the_request_ends_both() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        await converse(client, backend, stream, 2)
        backend.asked[0].trail((b"x-sum", b"1"))
        answer = await client.answer(stream)
        assert (len(answer.body), answer.trailers, answer.ended) == (32, {"x-sum": "1"}, True)
        await client.until(lambda: answer.reset == ErrorCodes.NO_ERROR)
        await until(lambda: backend.asked[0].reset == ErrorCodes.CANCEL)

    between(test, nothing, on_head=echo_heads)


def test_a_client_that_takes_nothing_holds_up_its_backend_and_no_other_stream() -> None:
    poured: dict[int, int] = {}

    def pour(connection: BackendConnection) -> None:
        for asked in connection.asked.values():
            while asked.field(b":path") == b"/big" and connection.h2.local_flow_control_window(asked.id) >= len(PIECE):
                asked.send(PIECE)
                poured[asked.id] = poured.get(asked.id, 0) + len(PIECE)

    def answer(asked: Asked) -> None:
        if asked.field(b":path") == b"/big":
            asked.head()
            asked.connection.backend.on_window = pour
            pour(asked.connection)
        else:
            asked.answer()

    async def test(client: H2Client, backend: H2Backend) -> None:
        client.hold = True
        big = client.send("/big")
        await until(lambda: len(client.answers[big].body) == 65535)
        client.h2.increment_flow_control_window(1 << 20)  # of the connection: the others go on
        for _ in range(20):
            assert (await client.ask()).body == b"hi"
        assert poured[backend.asked[0].id] < 1_000_000
        client.hold = False
        client.take(big, len(client.answers[big].body))
        await client.until(lambda: len(client.answers[big].body) > 4_000_000)
        client.reset(big)

    between(test, answer)


def test_a_backend_that_takes_nothing_holds_up_its_client_and_no_other_stream() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        backend.reads = False
        stream = client.send("/up", "POST", end=False)
        await client.until(lambda: client.answers[stream].fields)
        upload = asyncio.create_task(client.upload(stream, 4_000_000))
        await until(lambda: len(backend.asked[0].body) == 65535)
        assert client.uploaded_bytes < 1_000_000
        connection = backend.connections[0]
        connection.h2.increment_flow_control_window(1 << 20)
        connection.flush()
        assert (await client.ask()).body == b"hi"
        backend.reads = True
        connection.h2.acknowledge_received_data(len(backend.asked[0].body), backend.asked[0].id)
        connection.flush()
        await upload
        assert len((await client.answer(stream)).body) == 2
        assert len(backend.asked[0].body) == 4_000_000

    def head(asked: Asked) -> None:
        if asked.field(b":path") == b"/up":
            echo_heads(asked)

    def end(asked: Asked) -> None:
        asked.send(b"hi", ended=True) if asked.field(b":path") == b"/up" else asked.answer()

    between(test, end, on_head=head)


def test_what_is_over_is_freed_at_once() -> None:
    def living() -> int:
        return sum(isinstance(each, Stream | Exchange) for each in gc.get_objects())

    async def test(client: H2Client, backend: H2Backend) -> None:
        await client.ask()
        gc.collect()
        gc.disable()
        try:
            before = living()
            for _ in range(5):
                stream = client.send(method="POST", end=False)
                await converse(client, backend, stream, 2)
                client.payload(stream, b"the end", end=True)
                await client.answer(stream)
                await client.ask(method="POST", body=b"body")
            await until(lambda: living() <= before)
        finally:
            gc.enable()

    def head(asked: Asked) -> None:
        if asked.field(b":method") == b"POST":
            echo_heads(asked)

    def end(asked: Asked) -> None:
        asked.send(b"", ended=True) if asked.field(b":method") == b"POST" else asked.answer()

    between(test, end, on_head=head)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_request_is_asked_again_with_its_body(method: str, tmp_path: Path) -> None:
    def refuse_once(asked: Asked) -> None:
        if len(asked.connection.backend.asked) == 1:
            asked.give_up(ErrorCodes.REFUSED_STREAM)
        else:
            asked.answer(asked.body)

    async def test(client: H2Client, backend: H2Backend) -> None:
        answer = await client.ask(method=method, body=b"body" if method == "POST" else None)
        assert (answer.status, answer.body) == (200, b"body" if method == "POST" else b"")
        assert len(backend.asked) == 2

    (line,) = between(test, refuse_once, log=tmp_path / "access.log")
    assert (line["status"], line["reason"], line["method"]) == (200, "ok", method)


def test_what_was_sent_of_a_body_is_sent_again_before_the_rest() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        stream = client.send(method="POST", end=False)
        client.payload(stream, b"one")
        await until(lambda: backend.asked and backend.asked[0].body == b"one")
        backend.asked[0].give_up(ErrorCodes.REFUSED_STREAM)
        await until(lambda: len(backend.asked) == 2)
        client.payload(stream, b"two")
        client.trailers(stream, [("x-sum", "1")])
        assert (await client.answer(stream)).body == b"hi"
        assert (backend.asked[1].body, backend.asked[1].trailers) == (b"onetwo", [(b"x-sum", b"1")])

    between(test)


@pytest.mark.parametrize("limited", [partial(forward, request_timeout_s=0.2), partial(forward, backend_timeout_s=0.2)])
@pytest.mark.parametrize("begun", [False, True])
def test_a_rules_timeouts_end_a_request(limited: Callable[[], HttpRule], begun: bool, tmp_path: Path) -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        answer = await client.ask(method="POST", body=b"body")
        assert (answer.status, answer.reset) == ((200, ErrorCodes.INTERNAL_ERROR) if begun else (504, None))
        await until(lambda: backend.asked[0].reset == ErrorCodes.CANCEL)

    on_head = echo_heads if begun else nothing
    (line,) = between(test, nothing, on_head=on_head, rules=(limited(),), log=tmp_path / "access.log")
    assert (line["status"], line["reason"]) == (200 if begun else 504, "upstream_timeout")
    assert line["termination"] == "timeout"


def test_a_call_ends_when_its_client_waits_no_longer() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        fields = [("content-type", "application/grpc"), ("grpc-timeout", "200m"), ("te", "trailers")]
        answer = await client.ask(method="POST", fields=fields, body=b"message")
        assert (answer.fields["grpc-status"], answer.ended) == ("4", True)
        await until(lambda: backend.asked[0].reset == ErrorCodes.CANCEL)

    between(test, nothing)


def test_interim_answers_and_whole_ones_are_passed_on() -> None:
    def answer(asked: Asked) -> None:
        asked.connection.h2.send_headers(asked.id, [(b":status", b"103"), (b"link", b"</x>")])
        asked.head((b"x-a", b"b"), status=b"204", ended=True)

    async def test(client: H2Client, _: H2Backend) -> None:
        answer = await client.ask()
        assert answer.interim == [{":status": "103", "link": "</x>"}]
        assert (answer.status, answer.body, answer.ended, answer.fields["x-a"]) == (204, b"", True, "b")

    between(test, answer)


def test_an_idle_connection_that_its_backend_has_left_is_replaced() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        assert (await client.ask()).body == b"hi"
        backend.connections[0].transport.abort()
        assert (await client.ask()).body == b"hi"
        assert len(backend.connections) == 2

    between(test)


def test_a_backend_that_dies_before_its_answer_is_not_asked_again() -> None:
    async def test(client: H2Client, backend: H2Backend) -> None:
        answer = await client.ask(method="POST", body=b"body")
        assert (answer.status, len(backend.asked)) == (502, 1)

    between(test, lambda asked: asked.connection.transport.abort())
