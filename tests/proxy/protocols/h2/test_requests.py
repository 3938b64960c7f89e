"""Request heads of HTTP/2 (RFC 9113 sections 8.1 to 8.3): what they say, and what they must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.protocols.h1_request import CHUNKED_BODY, RequestHead
from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from tests.proxy.protocols.h2.recording import LIMITS
from tests.proxy.protocols.h2.scripts import data, fields, greeted, headers, request, resets

METHOD, SCHEME, PATH, HOST = (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")


def judged(block: bytes, *, ended: bool = True) -> RequestHead:
    connection, owner = greeted()
    connection.receive(headers(1, block, ended=ended))
    return owner.requests[1].head(ended)


def refusal(block: bytes) -> tuple[int, str] | None:
    connection, owner = greeted()
    connection.receive(headers(1, block))
    return owner.requests[1].refusal


def test_a_head_is_what_it_would_be_in_http_1_1() -> None:
    head = judged(request((b"user-agent", b"curl"), (b"x-a", b"b"), path=b"/p?q", authority=b"H.example:8080"))
    assert head.lines == [b"POST /p?q HTTP/1.1", b"Host: H.example:8080", b"user-agent: curl", b"x-a: b"]
    assert head.raw == b"\r\n".join(head.lines)
    assert (head.method, head.target, head.path, head.query()) == (b"POST", b"/p?q", b"/p", b"q")
    assert (head.host_line, head.agent, head.length) == (b"Host: H.example:8080", b"user-agent: curl", 0)


def test_a_body_of_unknown_length_is_until_its_end() -> None:
    assert judged(request(), ended=False).length == CHUNKED_BODY
    assert judged(request((b"content-length", b"5")), ended=False).length == 5


def test_host_stands_in_for_authority_and_must_equal_it() -> None:
    assert judged(fields(METHOD, SCHEME, PATH, (b"host", b"b"))).lines == [b"GET / HTTP/1.1", b"Host: b"]
    assert judged(fields(METHOD, SCHEME, PATH, (b":authority", b"B"), (b"host", b"b"))).host_line == b"Host: B"
    assert refusal(fields(METHOD, SCHEME, PATH)) == (400, "bad_request")


def test_cookies_are_joined() -> None:
    head = judged(request((b"cookie", b"a=b"), (b"x", b"y"), (b"cookie", b"c=d")))
    assert head.lines[2:] == [b"cookie: a=b; c=d", b"x: y"]


def test_te_says_that_trailers_are_welcome_and_does_not_travel() -> None:
    head = judged(request((b"te", b"trailers")))
    assert head.takes_trailers
    assert len(head.lines) == 2
    assert not judged(request()).takes_trailers


def test_forwarded_fields_and_fields_in_disguise_do_not_travel() -> None:
    head = judged(request((b"x-forwarded-for", b"9.9.9.9"), (b"content_length", b"3"), (b"proxy-authorization", b"x")))
    assert head.forwarded == [b"x-forwarded-for: 9.9.9.9"]
    assert len(head.lines) == 2


def test_paths_are_judged_as_in_http_1_1() -> None:
    head = judged(request(path=b"/a/../b?c/../d"))
    assert (head.path, head.target, head.lines[0]) == (b"/b", b"/b?c/../d", b"POST /b?c/../d HTTP/1.1")
    assert refusal(request(path=b"/a%00")) == (400, "bad_request")


def test_a_target_has_its_limit() -> None:
    connection, owner = greeted(replace(LIMITS, target_limit_bytes=10))
    connection.receive(headers(1, request(path=b"/123456789")) + headers(3, request(path=b"/1234567890")))
    assert [owner.requests[stream_id].refusal for stream_id in (1, 3)] == [None, (414, "uri_too_long")]


def test_an_expectation_is_noted_and_an_unknown_one_answered() -> None:
    assert judged(request((b"expect", b"100-continue")), ended=False).expects_continue
    assert not judged(request((b"expect", b"100-continue"))).expects_continue, "there is no body"
    assert refusal(request((b"expect", b"miracles"))) == (417, "bad_request")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (fields((b":method", b"CONNECT"), (b":authority", b"a:443")), (405, "method_not_allowed")),
        (request(method=b"TRACE"), (405, "method_not_allowed")),
        (request(path=b"*"), (400, "bad_request")),
        (request(path=b"*", method=b"OPTIONS"), None),
        (request(*((b"x-%d" % number, b"y") for number in range(100))), (431, "header_too_large")),
        (request() + b"\x40\x01z\x7f\xa1\x1e" + b"w" * 4000 + b"\xbe" * 20, (431, "header_too_large")),
    ],
)
def test_what_is_http_and_is_not_carried_is_answered(block: bytes, expected: tuple[int, str] | None) -> None:
    assert refusal(block) == expected


@pytest.mark.parametrize(
    "block",
    [
        fields(METHOD, SCHEME, HOST),
        fields(METHOD, PATH, HOST),
        fields(SCHEME, PATH, HOST),
        fields(METHOD, METHOD, SCHEME, PATH, HOST),
        fields(METHOD, SCHEME, PATH, PATH, HOST),
        fields(METHOD, SCHEME, (b"x", b"y"), PATH, HOST),
        fields(METHOD, SCHEME, PATH, (b"te", b"trailers"), HOST),
        fields(METHOD, SCHEME, PATH, (b"host", b"a"), HOST),
        fields(METHOD, SCHEME, PATH, (b"cookie", b"a"), HOST),
        fields(METHOD, SCHEME, PATH, HOST, (b":status", b"200")),
        fields(METHOD, SCHEME, PATH, HOST, (b":protocol", b"websocket")),
        fields(METHOD, SCHEME, (b":path", b""), HOST),
        fields(METHOD, SCHEME, (b":path", b"relative"), HOST),
        fields(METHOD, SCHEME, (b":path", b"/a b"), HOST),
        fields(METHOD, SCHEME, (b":path", b"/a#b"), HOST),
        fields(METHOD, (b":scheme", b"gopher"), PATH, HOST),
        fields((b":method", b"G T"), SCHEME, PATH, HOST),
        fields(METHOD, SCHEME, PATH, (b":authority", b"user@a")),
        fields(METHOD, SCHEME, PATH, HOST, (b"host", b"b")),
        fields(METHOD, SCHEME, PATH, HOST, (b"host", b"a"), (b"host", b"a")),
        fields((b":method", b"CONNECT"), SCHEME, PATH, HOST),
        request((b"connection", b"keep-alive")),
        request((b"keep-alive", b"1")),
        request((b"proxy-connection", b"x")),
        request((b"transfer-encoding", b"chunked")),
        request((b"upgrade", b"websocket")),
        request((b"te", b"gzip")),
        request((b"X-Upper", b"y")),
        request((b"x y", b"z")),
        request((b"", b"z")),
        request((b"x", b"a\r\nb")),
        request((b"x", b"a\0")),
        request((b"x", b" a")),
        request((b"x", b"a\t")),
        request((b"content-length", b"5"), (b"content-length", b"5")),
        request((b"content-length", b"+5")),
        request((b"content-length", b"5")),  # and the stream ends
    ],
)
def test_what_breaks_the_rules_resets_its_stream_alone(block: bytes) -> None:
    connection, owner = greeted()
    connection.receive(headers(1, block) + headers(3, request()))
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR)]
    assert list(owner.requests) == [3]


@pytest.mark.parametrize(
    "body",
    [
        data(1, b"123456"),
        data(1, b"1234") + data(1, ended=True),
        data(1, b"123456", ended=True),
        data(1, b"1234") + headers(1, fields((b"x", b"y"))),
    ],
)
def test_payload_that_is_not_as_long_as_announced_resets_the_stream(body: bytes) -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request((b"content-length", b"5")), ended=False) + body)
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR)]
    assert owner.told("lost") == [("lost", 1, Code.PROTOCOL_ERROR, False)]


def test_payload_as_long_as_announced_is_passed_on_with_its_trailers() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request((b"content-length", b"5")), ended=False) + data(1, b"12345"))
    connection.receive(headers(1, fields((b"grpc-status", b"0"), (b"content-length", b"9"), (b"trailer", b"x"))))
    assert owner.payload_of(1) == b"12345"
    assert owner.told("trailers") == [("trailers", 1, (b"grpc-status: 0",))], "without those that frame or route"


def test_trailers_must_end_their_stream() -> None:
    connection, _ = greeted()
    connection.receive(headers(1, request(), ended=False) + headers(1, fields((b"x", b"y")), ended=False))
    assert resets(connection.take()) == [(1, Code.PROTOCOL_ERROR)]


def test_a_preface_is_needed_and_settings_first() -> None:
    from tests.proxy.protocols.h2.recording import server

    connection, owner = server()
    connection.receive(b"GET / HTTP/1.1\r\n\r\n")
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]
    connection, owner = server()
    connection.receive(wire.PREFACE + headers(1, request()))
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]
