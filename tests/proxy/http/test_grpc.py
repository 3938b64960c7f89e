"""What the gateway itself says to clients of gRPC, and how long they wait; real calls are among the scenarios."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from proxy.http.grpc import GrpcCall, grpc_answer, grpc_call
from proxy.protocols.h2.fields import Field
from proxy.protocols.h2.names import named
from proxy.protocols.h2.request_blocks import judge_request
from tests.proxy.http.h2_client import H2Client
from tests.proxy.http.stage import Stage, answering, forward, read_head, staged

CALL = [("content-type", "application/grpc"), ("te", "trailers")]
START = [b":method: POST", b":scheme: http", b":path: /", b":authority: a"]


def called(*lines: bytes) -> GrpcCall | None:
    """The call that a request with these fields is."""
    pairs = [line.rpartition(b": ") for line in (*START, *lines) if line]
    fields = [Field(named(name), value) for name, _, value in pairs]
    return grpc_call(judge_request(fields, oversized=False, target_limit_bytes=100))


@pytest.mark.parametrize(
    ("line", "speaks"),
    [
        (b"content-type: application/grpc", True),
        (b"content-type: application/grpc+proto", True),
        (b"content-type: application/grpc;charset=x", True),
        (b"content-type: application/grpc-web", False),
        (b"content-type: application/json", False),
        (b"x-content-type: application/grpc", False),
        (b"accept: application/grpc", False),
    ],
)
@pytest.mark.parametrize("after", [b"", b"x: y"], ids=["last", "not last"])
def test_the_content_type_tells_who_speaks_grpc(line: bytes, speaks: bool, after: bytes) -> None:
    assert (called(line, after) is not None) == speaks


def test_one_content_type_among_others_is_enough() -> None:
    assert called(b"content-type: text/plain", b"content-type: application/grpc") is not None
    assert called() is None


@pytest.mark.parametrize(
    ("value", "timeout_s"),
    [(b"1S", 1.0), (b"2M", 120.0), (b"1H", 3600.0), (b"250m", 0.25), (b"99999999u", 99.999999), (b"5n", 5e-9),
     (b"0S", 0.0), (b"", 0.0), (b"1", 0.0), (b"-1S", 0.0), (b"123456789S", 0.0), (b"1S, 2S", 0.0)],
)  # fmt: skip
def test_timeouts_are_read_as_grpc_writes_them(value: bytes, timeout_s: float) -> None:
    call = called(b"grpc-timeout: " + value, b"content-type: application/grpc", b"grpc-timeout: 7S")
    assert call is not None and call.timeout_s == pytest.approx(timeout_s)


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [(400, "bad_request", 13), (404, "route_not_found", 12), (421, "misdirected", 2), (500, "no_backend", 2),
     (502, "upstream_reset", 14), (503, "no_endpoint", 14), (504, "upstream_timeout", 4), (403, "forbidden", 7)],
)  # fmt: skip
def test_statuses_are_those_of_grpcs_own_mapping(status: int, reason: str, code: int) -> None:
    answer = grpc_answer(status, reason, (b"x-more: 1",))
    assert answer.status == 200 and b"grpc-status: %d" % code in answer.lines and b"x-more: 1" in answer.lines
    assert b"content-type: application/grpc" in answer.lines


def test_a_call_that_no_rule_takes_is_unimplemented(tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        answer = await client.ask("/pkg.Service/Method", "POST", CALL, body=b"\0\0\0\0\0")
        assert (answer.status, answer.body, answer.ended) == (200, b"", True)
        assert answer.fields["grpc-status"] == "12" and answer.fields["grpc-message"] == "route_not_found"
        assert (await client.ask("/pkg.Service/Method", "POST")).status == 404
        await client.close()

    staged(test, None, [forward("/a")], log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["status"], line["reason"]) for line in lines] == [(404, "route_not_found")] * 2


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "during it"])
def test_a_call_ends_when_its_client_waits_no_longer(answered: bool) -> None:
    gone = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        if answered:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await reader.read()
        gone.set()

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        answer = await client.ask("/a", "POST", [*CALL, ("grpc-timeout", "100m")])
        if answered:
            assert (answer.body, answer.ended, answer.reset) == (b"a", False, 2)
        else:
            assert (answer.fields["grpc-status"], answer.ended) == ("4", True)
        await gone.wait()
        await client.close()

    staged(test, handler)


def test_the_shorter_of_two_timeouts_counts() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        for path, timeout in (("/short", "60S"), ("/long", "100m")):
            answer = await client.ask(path, "POST", [*CALL, ("grpc-timeout", timeout)])
            assert answer.fields["grpc-status"] == "4"
        await client.close()

    staged(test, handler, [forward("/short", request_timeout_s=0.1), forward("/long", request_timeout_s=60.0)])


def test_a_call_that_is_answered_is_left_alone() -> None:
    ok = b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\nContent-Length: 0\r\ngrpc-status: 5\r\n\r\n"

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        answer = await client.ask("/a", "POST", [*CALL, ("grpc-timeout", "60S")], body=b"\0\0\0\0\0")
        assert (answer.status, answer.fields["grpc-status"]) == (200, "5")
        await client.close()

    staged(test, answering(ok))
