"""Answers of HTTP/2 servers (RFC 9113 section 8.3.2)."""

from __future__ import annotations

import hpack
import pytest

from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.client import ClientConnection
from proxy.protocols.h2.decoder import Decoder
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.heads import response_block
from proxy.protocols.h2.response_blocks import judge_response
from tests.proxy.protocols.h2.recording import Owner, ask, client
from tests.proxy.protocols.h2.scripts import data, field, fields, frame, headers, resets

OK = (b":status", b"200")


def asked(method: bytes = b"GET") -> tuple[ClientConnection, Owner]:
    """A client that has asked once, on stream 1."""
    connection, owner = client()
    connection.receive(wire.settings({}))
    ask(connection, owner, [method + b" / HTTP/1.1", b"Host: a"])
    connection.take()
    owner.events.clear()
    return connection, owner


def test_an_answer_is_what_it_would_be_in_http_1_1() -> None:
    connection, owner = asked()
    connection.receive(headers(1, fields(OK, (b"content-length", b"3"), (b"date", b"x"), (b"a", b"b")), ended=False))
    connection.receive(data(1, b"abc", ended=True))
    assert owner.events == [
        ("answered", 1, (b"HTTP/1.1 200 OK", b"content-length: 3", b"date: x", b"a: b"), False),
        ("payload", 1, b"abc", True),
        ("empty",),
    ]


def test_interim_answers_end_nothing() -> None:
    connection, owner = asked()
    connection.receive(headers(1, fields((b":status", b"103"), (b"link", b"x")), ended=False) + headers(1, fields(OK)))
    assert owner.events[:2] == [
        ("interim", 1, (b"HTTP/1.1 103 Early Hints", b"link: x")),
        ("answered", 1, (b"HTTP/1.1 200 OK",), True),
    ]


@pytest.mark.parametrize(
    "said",
    [
        headers(1, fields((b":status", b"100"))),  # ends the stream
        headers(1, fields((b":status", b"101")), ended=False),
        headers(1, fields((b":status", b"99"))),
        headers(1, fields((b":status", b"abc"))),
        headers(1, fields((b"a", b"b"))),
        headers(1, fields((b"a", b"b"), OK)),
        headers(1, fields(OK, OK)),
        headers(1, fields(OK, (b":path", b"/"))),
        headers(1, fields(OK, (b"connection", b"x"))),
        headers(1, fields(OK, (b"transfer-encoding", b"chunked"))),
        headers(1, fields(OK, (b"content-length", b"x"))),
        headers(1, fields(OK, (b"content-length", b"3"))),
        headers(1, fields(OK, (b"content-length", b"3"), (b"content-length", b"3")), ended=False),
        headers(1, fields(OK, *((b"x-%d" % number, b"y") for number in range(101)))),
        headers(1, fields(OK), ended=False) + headers(1, fields((b"a", b"b")), ended=False),
        headers(1, fields((b":status", b"204")), ended=False) + data(1, b"x"),
        data(1, b"before any head"),
    ],
)
def test_what_breaks_the_rules_resets_its_stream_alone(said: bytes) -> None:
    connection, owner = asked()
    connection.receive(said)
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR)]
    assert owner.told("lost") == [("lost", 1, Code.PROTOCOL_ERROR, False)]
    assert not owner.told("failed")


@pytest.mark.parametrize(
    ("method", "status"),
    [(b"HEAD", b"200"), (b"GET", b"304")],
)
def test_a_length_without_a_body_is_fine_where_it_belongs_to_another_answer(method: bytes, status: bytes) -> None:
    connection, owner = asked(method)
    connection.receive(headers(1, fields((b":status", status), (b"content-length", b"3"))))
    assert owner.told("answered")[0][3] is True
    connection, owner = asked(method)
    connection.receive(headers(1, fields((b":status", status), (b"content-length", b"3")), ended=False))
    connection.receive(data(1, b"abc"))
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR)], "but payload is not"


def test_trailers_alone_are_a_whole_answer() -> None:
    connection, owner = asked(b"POST")
    connection.receive(headers(1, fields(OK, (b"grpc-status", b"5"))))
    assert owner.events[0] == ("answered", 1, (b"HTTP/1.1 200 OK", b"grpc-status: 5"), True)


def test_interim_answers_without_end_are_cut_off() -> None:
    connection, owner = asked()
    connection.receive(headers(1, fields((b":status", b"103"), (b"a", b"b" * 8000)), ended=False) * 9)
    assert owner.told("lost") == [("lost", 1, Code.ENHANCE_YOUR_CALM, False)]


def test_an_answer_may_come_before_the_request_is_whole() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    stream = ask(connection, owner, [b"POST / HTTP/1.1", b"Host: a"], ended=False)
    connection.receive(headers(1, fields((b":status", b"413"))) + frame(wire.RST_STREAM, 0, 1, bytes(4)))
    assert owner.told("answered")[0][3] is True
    assert owner.told("lost") == [("lost", 1, Code.NO_ERROR, False)]
    stream.send(b"more", True)
    assert stream.closed


def test_pushed_streams_are_refused() -> None:
    connection, owner = asked()
    connection.receive(frame(wire.PUSH_PROMISE, wire.END_HEADERS, 1, bytes((0, 0, 0, 2)) + fields(OK)))
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]
    connection, owner = asked()
    connection.receive(headers(2, fields(OK)))
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]


def judged(*pairs: tuple[bytes, bytes], pattern: int = 0) -> ResponseHead:
    """The head of an answer with these fields."""
    block = b"".join(field(name, value, pattern) for name, value in pairs)
    return judge_response(Decoder(65536, 100).decode(block), oversized=False)


def test_what_an_answer_is_sent_on_as_is_what_its_lines_say() -> None:
    pairs = [(b"content-length", b"3"), (b"x", b"y" * 200), (b"host", b"h"), (b"te", b"trailers"), (b"a_b", b"c")]
    for status in (b"200", b"404", b"418", b"999"):
        response = judged((b":status", status), *pairs, (b"proxy-authenticate", b"z"), (b"transfer_encoding", b"z"))
        assert response.block == response_block(response.lines)
        assert len(response.lines) == 4


def test_an_answer_that_may_not_announce_a_length_is_not_sent_on_with_one() -> None:
    for status in (b"103", b"204"):
        response = judged((b":status", status), (b"content-length", b"0"), (b"x", b"y"))
        assert response.block is None
        assert response.lines[1:] == [b"x: y"]


def test_an_answer_that_came_never_indexed_is_sent_on_so() -> None:
    block = judged((b":status", b"200"), (b"x", b"y"), pattern=0x10).block
    assert block is not None
    sent = hpack.Decoder().decode(block, raw=True)
    assert [isinstance(each, hpack.NeverIndexedHeaderTuple) for each in sent] == [True, True]
