"""Retries as a rule says (GEP-1731), within a cluster's budget (GEP-3388)."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.options import HttpLimits, ProxyOptions
from proxy.snapshot.routes import Retry
from tests.proxy.http.stage import FakePeer, FakeUpstream, Stage, answering, forward, read_head, staged

OPTIONS = ProxyOptions(access_log="off")
GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"


def failing(status: int) -> bytes:
    return b"HTTP/1.1 %d Bad\r\nDate: x\r\nContent-Length: 3\r\n\r\nbad" % status


def rules(retry: Retry, **timeouts: float) -> list[object]:
    return [forward(retry=retry, **timeouts)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "attempts", "failures", "expected", "asked"),
    [
        ((500,), 3, 2, 200, 3),
        ((500,), 3, 3, 200, 4),
        ((500,), 3, 4, 500, 4),
        ((503,), 3, 2, 500, 1),
        ((500,), 0, 1, 500, 1),
        ((), 3, 1, 500, 1),
    ],
)
def test_codes_are_tried_again_and_the_last_answer_is_the_clients(
    codes: tuple[int, ...], attempts: int, failures: int, expected: int, asked: int
) -> None:
    seen: list[bytes] = []
    answers = [failing(500)] * failures + [OK]

    async def test(stage: Stage) -> None:
        answer = await stage.say(GET)
        assert answer.startswith(b"HTTP/1.1 %d " % expected)
        assert answer.endswith(b"hi" if expected == 200 else b"bad")

    staged(test, answering(*answers, OK, seen=seen), rules(Retry(codes, attempts)))  # type: ignore[arg-type]
    assert len(seen) == asked


def test_an_answer_that_streams_is_left_for_another_attempt() -> None:
    endless = b"HTTP/1.1 503 Bad\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n"

    async def test(stage: Stage) -> None:
        assert (await stage.say(GET)).endswith(b"hi")

    staged(test, answering(endless, OK, OK), rules(Retry((503,), 1)))  # type: ignore[arg-type]


def test_a_body_is_sent_again_whole() -> None:
    seen: list[bytes] = []
    post = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (failing(500), OK):
            seen.append(await read_head(reader) + await reader.readuntil(b"X-T: 1\r\n\r\n"))
            writer.write(answer)

    async def test(stage: Stage) -> None:
        assert (await stage.say(post)).endswith(b"hi")

    staged(test, handler, rules(Retry((500,), 1)))  # type: ignore[arg-type]
    assert len(seen) == 2
    for wire in seen:
        payload = wire.partition(b"\r\n\r\n")[2]
        assert b"".join(payload.split(b"\r\n")[1:4:2]) in (b"abc", b"abcX-T: 1")


def test_a_body_beyond_the_limit_is_sent_once() -> None:
    seen: list[bytes] = []
    options = replace(OPTIONS, limits=HttpLimits(replay_limit_bytes=8))

    async def test(stage: Stage) -> None:
        for length, status in ((8, 200), (9, 500)):
            answer = await stage.say(
                b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length
            )
            assert answer.startswith(b"HTTP/1.1 %d " % status)

    answers = (failing(500), OK, failing(500), OK)
    staged(test, answering(*answers, seen=seen), rules(Retry((500,), 1)), options)  # type: ignore[arg-type]
    assert len(seen) == 3


def test_a_connection_that_is_refused_or_lost_is_tried_elsewhere() -> None:
    async def lossy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    async def test(stage: Stage) -> None:
        good, bad = await stage.backend(answering(OK)), await stage.backend(lossy)
        closed = ("127.0.0.1", 1)
        for peers in ([closed, good], [bad, good], [closed, bad, good]):
            stage.registry.upstreams["c"] = FakeUpstream([FakePeer(address) for address in peers])
            assert (await stage.say(b"POST" + GET[3:])).endswith(b"hi")

    staged(test, answering(OK), rules(Retry((), 2)))  # type: ignore[arg-type]


def test_no_attempts_means_none_at_all() -> None:
    async def test(stage: Stage) -> None:
        good = await stage.backend(answering(OK))
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(("127.0.0.1", 1)), FakePeer(good)])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")

    staged(test, answering(OK), rules(Retry((500,), 0)))  # type: ignore[arg-type]


def test_one_endpoint_is_tried_again_when_there_is_no_other() -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        if len(seen) == 3:
            writer.write(OK)

    async def test(stage: Stage) -> None:
        assert (await stage.say(GET)).endswith(b"hi")

    staged(test, handler, rules(Retry((), 2)))  # type: ignore[arg-type]
    assert len(seen) == 3


def test_an_attempt_that_takes_too_long_is_left_and_the_request_timeout_is_over_all() -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        asked.set()
        await reader.read()

    async def test(stage: Stage) -> None:
        good, mute = await stage.backend(answering(OK)), await stage.backend(silent)
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(mute), FakePeer(good)])
        assert (await stage.say(GET)).endswith(b"hi")
        assert asked.is_set()
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(mute)])
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 504 ")

    retry = Retry((500,), 1_000_000)
    staged(test, answering(OK), rules(retry, backend_timeout_s=0.1, request_timeout_s=0.8))  # type: ignore[arg-type]


def test_the_request_timeout_ends_a_pause() -> None:
    async def test(stage: Stage) -> None:
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 504 ")

    staged(test, answering(failing(500)), rules(Retry((500,), 3, 3600.0), request_timeout_s=0.1))  # type: ignore[arg-type]


def test_a_backends_timeout_covers_its_whole_answer() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nhe")
        await reader.read()

    async def test(stage: Stage) -> None:
        reader, writer = await stage.connect()
        writer.write(GET)
        await read_head(reader)
        assert await reader.read() == b"he"
        writer.close()

    staged(test, slow, [forward(backend_timeout_s=0.1)])


def test_a_budget_that_is_spent_is_said() -> None:
    async def test(stage: Stage) -> None:
        stage.registry.upstreams["c"].retries = 1
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")
        assert stage.metrics.upstream_retries == 1

    staged(test, answering(failing(500)), rules(Retry((500,), 5)))  # type: ignore[arg-type]


def test_the_budget_holds_for_what_is_tried_anyway(tmp_path: Path) -> None:
    path = tmp_path / "log"

    async def test(stage: Stage) -> None:
        good = await stage.backend(answering(OK))
        stage.registry.upstreams["c"] = FakeUpstream([FakePeer(("127.0.0.1", 1)), FakePeer(good)], retries=0)
        assert (await stage.say(GET)).startswith(b"HTTP/1.1 503 ")

    staged(test, answering(OK), [forward()], log=path)
    assert [json.loads(line)["reason"] for line in path.read_text().splitlines()] == ["retry_budget"]


def test_a_client_that_goes_takes_the_retry_with_it() -> None:
    seen: list[bytes] = []

    async def test(stage: Stage) -> None:
        _, writer = await stage.connect()
        writer.write(GET)
        while not seen:
            await asyncio.sleep(0.01)
        reset = struct.pack("ii", 1, 0)  # or it would only half-close, and its answer would be waited for
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()
        while stage.port.connection_count:
            await asyncio.sleep(0.01)
        assert len(seen) == 1

    staged(test, answering(failing(500), seen=seen), rules(Retry((500,), 5, 3600.0)))  # type: ignore[arg-type]
