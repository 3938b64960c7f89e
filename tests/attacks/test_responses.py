"""Backends that answer wrongly: the client gets a whole right answer, 502 or a cut, and nobody gets somebody else's.

After every wrong answer two more requests are made. What they get shows whether a connection that said too much, or
something that is no answer, was ever used again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from proxy.options import HttpTimeouts, ProxyOptions
from tests.attacks.capturing import CLOSE, OK, PAUSE, stage
from tests.proxy.gateway import eventually, run

EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Evil: 1\r\n\r\nevil"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
CUT = b"cut"
"""The head came, and the connection ended before the body did."""
OPTIONS = ProxyOptions(
    access_log="off", removed_bind_drain_s=0.1, timeouts=HttpTimeouts(head_s=0.5, upstream_idle_s=0.3)
)


@dataclass(frozen=True)
class Case:
    """wire: what the backend answers. body: what the client gets with that status, or CUT. without: in no answer."""

    wire: bytes
    status: int
    body: bytes = b""
    request: bytes = GET
    without: bytes = b"X-Evil"


def head(*fields: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *fields, b"", b""))


CASES = {
    "CL and TE": Case(head(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + EVIL, 502),
    "TE and CL": Case(head(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"0\r\n\r\n" + EVIL, 502),
    "two CLs that differ": Case(head(b"Content-Length: 2", b"Content-Length: 4") + b"okok", 502),
    "two CLs alike": Case(head(b"Content-Length: 2", b"Content-Length: 2") + b"ok", 502),
    "a list of CLs": Case(head(b"Content-Length: 2, 2") + b"ok", 502),
    "CL with a plus": Case(head(b"Content-Length: +2") + b"ok", 502),
    "CL empty": Case(head(b"Content-Length: ") + b"ok", 502),
    "CL after a tab": Case(b"HTTP/1.1 200 OK\r\nContent-Length:\t2\r\n\r\nok", 200, b"ok", without=b"\t"),
    "CL beyond 64 bits": Case(head(b"Content-Length: 99999999999999999999") + b"ok", 502),
    "TE gzip, chunked": Case(head(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", 502),
    "TE of its own": Case(head(b"Transfer-Encoding: cow") + b"ok" + CLOSE, 502),
    "TE in HTTP/1.0": Case(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
    "bare LFs": Case(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok" + CLOSE, 502),
    "a bare LF": Case(b"HTTP/1.1 200 OK\r\nA: b\nX-Evil: 1\r\nContent-Length: 2\r\n\r\nok", 502),
    "a bare CR": Case(head(b"A: b\rX-Evil: 1", b"Content-Length: 2") + b"ok", 502),
    "a NUL": Case(head(b"A: b\0", b"Content-Length: 2") + b"ok", 502),
    "a folded line": Case(head(b"A: b", b" X-Evil: 1", b"Content-Length: 2") + b"ok", 502),
    "a blank before the colon": Case(head(b"Content-Length : 2") + b"ok", 502),
    "no colon": Case(head(b"Nonsense", b"Content-Length: 2") + b"ok", 502),
    "framing nominated away": Case(head(b"Connection: content-length", b"Content-Length: 2") + b"ok", 502),
    "nominated ones go": Case(head(b"Connection: x-evil", b"X-Evil: 1", b"Content-Length: 2") + b"ok", 200, b"ok"),
    "HTTP/2.0": Case(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
    "HTTP/0.9": Case(b"hello" + CLOSE, 502),
    "not HTTP at all": Case(b"SSH-2.0-OpenSSH_9\r\n\r\n", 502),
    "a TLS alert": Case(b"\x15\x03\x01\x00\x02\x02\x46" + CLOSE, 502),
    "status of letters": Case(head(b"Content-Length: 2", status=b"abc OK") + b"ok", 502),
    "status 99": Case(head(b"Content-Length: 2", status=b"99 OK") + b"ok", 502),
    "status 1000": Case(head(b"Content-Length: 2", status=b"1000 OK") + b"ok", 502),
    "status 0200": Case(head(b"Content-Length: 2", status=b"0200 OK") + b"ok", 502),
    "no reason phrase": Case(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    "nothing": Case(CLOSE, 502),
    "half a head": Case(b"HTTP/1.1 200 OK\r\nConte" + CLOSE, 502),
    "half a head, then silence": Case(b"HTTP/1.1 200 OK\r\nConte", 504),
    "a head without end": Case(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20000, 502),
    "a line without end": Case(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100000, 502),
    "extra bytes": Case(head(b"Content-Length: 2") + b"ok" + EVIL, 200, b"ok"),
    "extra bytes, later": Case(head(b"Content-Length: 2") + b"ok" + PAUSE + EVIL, 200, b"ok"),
    "an answer before it was asked": Case(OK + EVIL + EVIL, 200, b"ok"),
    "204 with a body": Case(head(b"Content-Length: 4", status=b"204 No Content") + EVIL, 204, without=b"ontent-Length"),
    "204 with a body, later": Case(
        head(b"Content-Length: 4", status=b"204 No Content") + PAUSE + EVIL, 204, without=b"ontent-Length"
    ),
    "204 with chunks": Case(
        head(b"Transfer-Encoding: chunked", status=b"204 No Content") + PAUSE + b"0\r\n\r\n", 204, without=b"Encoding"
    ),
    "204 of length 0": Case(head(b"Content-Length: 0", status=b"204 No Content"), 204, without=b"ontent-Length"),
    "304 with a body": Case(head(b"Content-Length: 4", status=b"304 Not Modified") + EVIL, 304),
    "HEAD with a body": Case(head(b"Content-Length: 4") + EVIL, 200, request=HEAD),
    "HEAD with a body, later": Case(head(b"Content-Length: 4") + PAUSE + EVIL, 200, request=HEAD),
    "early close in a body": Case(head(b"Content-Length: 20") + b"ok" + CLOSE, 200, CUT),
    "silence in a body": Case(head(b"Content-Length: 20") + b"ok", 200, CUT),
    "early close in a chunk": Case(CHUNKED + b"5\r\nok" + CLOSE, 200, CUT),
    "early close between chunks": Case(CHUNKED + b"2\r\nok\r\n" + CLOSE, 200, CUT),
    "early close before the last line": Case(CHUNKED + b"2\r\nok\r\n0\r\n" + CLOSE, 200, CUT),
    "a chunk size with a blank": Case(CHUNKED + b" 2\r\nok\r\n0\r\n\r\n", 200, CUT),
    "a chunk size that is huge": Case(CHUNKED + b"fffffffffffffffff\r\nok\r\n0\r\n\r\n", 200, CUT),
    "a chunk that is too long": Case(CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", 200, CUT),
    "chunks with bare LFs": Case(CHUNKED + b"2\nok\n0\n\n", 200, CUT),
    "chunk extensions go": Case(CHUNKED + b"2;X-Evil\r\nok\r\n0\r\n\r\n", 200, b"ok"),
    "chunks, then more": Case(CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL, 200, b"ok"),
    "trailers that frame go": Case(
        CHUNKED + b"2\r\nok\r\n0\r\nContent-Length: 9\r\nSet-Cookie: X-Evil\r\n\r\n", 200, b"ok"
    ),
    "a 1xx, then the answer": Case(head(status=b"103 Early Hints") + OK, 200, b"ok"),
    "a 1xx with a length": Case(head(b"Content-Length: 9", status=b"103 Early Hints") + OK, 200, b"ok", without=b": 9"),
    "a 1xx with a body": Case(head(b"Content-Length: 4", status=b"103 Early Hints") + b"evil" + OK, 502),
    "a 1xx and nothing": Case(head(status=b"102 Processing") + CLOSE, 502),
    "1xx without end": Case(head(status=b"102 Processing") * 20000, 502),
    "1xx without end, slowly": Case((head(status=b"102 Processing") * 1000 + PAUSE) * 20, 502),
    "101 unasked": Case(head(b"Connection: upgrade", b"Upgrade: x", status=b"101 Switching Protocols") + EVIL, 502),
    "101 to another protocol": Case(
        head(b"Connection: upgrade", b"Upgrade: h2c", status=b"101 Switching Protocols") + EVIL, 502, request=UPGRADE
    ),
    "101 without Upgrade": Case(head(status=b"101 Switching Protocols") + EVIL, 502, request=UPGRADE),
    "101 declined": Case(OK + PAUSE + EVIL, 200, b"ok", request=UPGRADE),
}


def _read(answer: bytes) -> tuple[int, bytes]:
    """The final status and body of what a client received; CUT for a body that is not whole."""
    while True:
        top, end, rest = answer.partition(b"\r\n\r\n")
        assert end, f"no whole head: {answer[:200]!r}"
        status = int(top[9:12])
        if status >= 200:
            break
        answer = rest
    fields = {line.split(b":")[0].lower(): line.split(b":")[1].strip() for line in top.split(b"\r\n")[1:]}
    if b"transfer-encoding" in fields:
        body = b""
        while rest[:1] != b"0":
            size, end, rest = rest.partition(b"\r\n")
            if not end or len(rest) < int(size, 16) + 2:
                return status, CUT
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return status, body if rest.endswith(b"\r\n\r\n") else CUT
    length = int(fields.get(b"content-length", b"0")) if status not in (204, 304) else 0
    return status, rest if len(rest) == length else CUT


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_wrong_answer_reaches_nobody_else(case: Case) -> None:
    """The wrong answer, then two right ones."""
    answers = iter((case.wire,))

    async def test() -> None:
        async with stage(lambda number: next(answers, OK), OPTIONS) as staged:
            first = await staged.say(case.request)
            assert case.without not in first
            assert (int(first[9:12]) if case.request is HEAD else _read(first)[0]) == case.status
            if case.status not in (502, 504) and case.request is not HEAD:
                assert _read(first)[1] == case.body
            await eventually(lambda: staged.capture.answered or case.status in (502, 504) or case.body is CUT)
            await asyncio.sleep(0.01)  # what was sent late is there, on loopback
            for _ in range(2):
                assert _read(await staged.say(GET)) == (200, b"ok")

    run(test)
