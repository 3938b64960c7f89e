"""Request and response heads: what is refused, what is understood, and that scanner and referee never disagree."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.protocols.h1_lines import line_name
from proxy.protocols.h1_referee import HeadRefusedError, judge_request, judge_response
from proxy.protocols.h1_request import CHUNKED_BODY, RequestHead, scan_request
from proxy.protocols.h1_response import UNTIL_CLOSE, scan_response


def judge(head: bytes) -> RequestHead:
    return judge_request(head, default_authority=b"192.0.2.1:80", count_limit=100, target_limit_bytes=8192)


def lines(*rest: str, start: str = "GET / HTTP/1.1", host: str | None = "a.example") -> bytes:
    return "\r\n".join([start, *([f"Host: {host}"] if host is not None else []), *rest]).encode("latin-1")


REFUSED = {
    "content-length and transfer-encoding": (lines("Content-Length: 1", "Transfer-Encoding: chunked"), 400),
    "two content-lengths": (lines("Content-Length: 1", "Content-Length: 1"), 400),
    "content-length list": (lines("Content-Length: 1, 1"), 400),
    "signed content-length": (lines("Content-Length: +1"), 400),
    "two hosts": (lines("Host: b.example"), 400),
    "no host": (lines(host=None), 400),
    "empty host": (lines(host=""), 400),
    "host with user": (lines(host="u@a.example"), 400),
    "host with blank": (lines(host="a b"), 400),
    "host with slash": (lines(host="a/b"), 400),
    "bare lf": (b"GET / HTTP/1.1\nHost: a", 400),
    "bare cr": (lines("X: a\rb"), 400),
    "nul": (lines("X: a\0b"), 400),
    "obs-fold": (lines("X: a", " b"), 400),
    "blank before colon": (lines("X : a"), 400),
    "no colon": (lines("X"), 400),
    "other coding": (lines("Transfer-Encoding: gzip, chunked"), 501),
    "coding twice": (lines("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501),
    "coding in 1.0": (lines("Transfer-Encoding: chunked", start="POST / HTTP/1.0"), 400),
    "nominates host": (lines("Connection: close, Host"), 400),
    "nominates content-length": (lines("Connection: Content-Length", "Content-Length: 1"), 400),
    "nominates transfer-encoding": (lines("Connection: transfer-encoding", "Transfer-Encoding: chunked"), 400),
    "fragment": (lines(start="GET /a#b HTTP/1.1"), 400),
    "escaped nul": (lines(start="GET /a%00 HTTP/1.1"), 400),
    "broken escape": (lines(start="GET /a%2 HTTP/1.1"), 400),
    "two blanks": (lines(start="GET  / HTTP/1.1"), 400),
    "0.9": (lines(start="GET /"), 400),
    "2.0": (lines(start="GET / HTTP/2.0"), 505),
    "connect": (lines(start="CONNECT a.example:443 HTTP/1.1"), 405),
    "trace": (lines(start="TRACE / HTTP/1.1"), 405),
    "star with get": (lines(start="GET * HTTP/1.1"), 400),
    "absolute with user": (lines(start="GET http://u@a.example/ HTTP/1.1"), 400),
    "no slash": (lines(start="GET a HTTP/1.1"), 400),
    "odd expectation": (lines("Expect: a-pony"), 417),
    "leading empty line": (b"\r\n" + lines(), 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_head_is_refused_by_the_referee_and_never_taken_by_the_scanner(name: str) -> None:
    head, status = REFUSED[name]
    assert scan_request(head) is None
    with pytest.raises(HeadRefusedError) as refused:
        judge(head)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (lines(start=f"GET /{'a' * 9000} HTTP/1.1"), 414),
        (lines(*(f"X-{n}: 1" for n in range(101))), 431),
    ],
)
def test_the_referee_knows_limits(head: bytes, status: int) -> None:
    with pytest.raises(HeadRefusedError) as refused:
        judge(head)
    assert refused.value.status == status


def test_a_plain_head_is_scanned_without_the_referee() -> None:
    head = lines(
        "Connection: keep-alive",
        "User-Agent: t",
        "X-Forwarded-For: 1.2.3.4",
        "Content-Length: 5",
        start="POST /a?b HTTP/1.1",
    )
    request = scan_request(head)
    assert request is not None
    assert (request.method, request.target, request.path, request.length) == (b"POST", b"/a?b", b"/a", 5)
    assert request.lines == [b"POST /a?b HTTP/1.1", b"Host: a.example", b"User-Agent: t", b"Content-Length: 5"]
    assert (request.agent, request.forwarded) == (b"User-Agent: t", [b"X-Forwarded-For: 1.2.3.4"])


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (lines(start="BREW /pot HTTP/1.1"), (b"BREW", b"/pot")),
        (lines(start="OPTIONS * HTTP/1.1"), (b"OPTIONS", b"*")),
        (lines(start="GET http://b.example/x?y HTTP/1.1"), (b"GET", b"/x?y")),
        (lines(start="GET http://b.example HTTP/1.1"), (b"GET", b"/")),
        (lines(start="GET /a%2Fb/../c HTTP/1.1"), (b"GET", b"/c")),
        (lines(start="GET //a//b HTTP/1.1"), (b"GET", b"//a//b")),
    ],
)
def test_odd_but_legal_requests_are_understood(head: bytes, expected: tuple[bytes, bytes]) -> None:
    request = judge(head)
    assert (request.method, request.target) == expected


def test_the_authority_of_an_absolute_form_replaces_the_host() -> None:
    assert judge(lines(start="GET http://b.example:81/ HTTP/1.1")).host_line == b"Host: b.example:81"


def test_http_1_0_without_host_gets_the_address_it_dialled_and_is_not_kept() -> None:
    request = judge(lines(start="GET / HTTP/1.0", host=None))
    assert (request.host_line, request.keep_alive, request.lines[0]) == (
        b"Host: 192.0.2.1:80",
        False,
        b"GET / HTTP/1.1",
    )


def test_fields_that_connection_nominates_stay_behind() -> None:
    request = judge(lines("Connection: close, X-Mine", "X-Mine: 1", "TE: trailers", "Keep-Alive: 5", "X-Other: 2"))
    assert [line_name(line) for line in request.lines[1:]] == [b"host", b"x-other"]
    assert not request.keep_alive


def test_an_upgrade_is_kept_but_never_to_h2c() -> None:
    assert judge(lines("Connection: Upgrade", "Upgrade: websocket")).upgrade == b"websocket"
    assert judge(lines("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x")).upgrade == b""


NAMES = st.sampled_from(
    [
        "Host",
        "host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "X-A",
        "Cookie",
        "User-Agent",
        "TE",
        "Upgrade",
        "Expect",
        "Keep-Alive",
        "X-Forwarded-For",
        "X a",
        "X-A ",
        " X",
        "",
        "Trailer",
    ]
)
VALUES = st.sampled_from(
    [
        "a.example",
        "a.example:80",
        "A.Example.",
        "[::1]:80",
        "5",
        "0",
        "05",
        "+5",
        "5,5",
        "chunked",
        "Chunked",
        "gzip",
        "close",
        "keep-alive",
        "Close",
        "close, x-a",
        "host",
        "100-continue",
        "websocket",
        "",
        " ",
        "a\tb",
        "a\rb",
        "a\nb",
        "\x00",
        "\x7f",
        "\x80",
        "é",
        "a b",
        "a@b",
        "a#b",
        "a/b",
    ]
)
COLONS = st.sampled_from([": ", ":", ":\t", " :", ":  "])
FIELD = st.tuples(NAMES, COLONS, VALUES).map("".join)
METHOD = st.sampled_from(["GET", "POST", "HEAD", "get", "PROPFIND", "G@T", "", "CONNECT", "TRACE"])
TARGET = st.one_of(
    st.sampled_from(
        [
            "/",
            "/a",
            "*",
            "http://b/",
            "/a/../b",
            "//a",
            "/%2e%2e/x",
            "/%2F",
            "/%zz",
            "/a#",
            "/\xe9",
            "a",
            "/.",
            "/a?b=/../%",
        ]
    ),
    st.text(alphabet="/.%2eFf?#ab;\\", max_size=12),
)
VERSION = st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 "])
HEADS = st.builds(
    lambda method, target, version, host, fields: "\r\n".join([f"{method} {target} {version}", *host, *fields]).encode(
        "latin-1", "replace"
    ),
    METHOD,
    TARGET,
    VERSION,
    st.sampled_from([["Host: a.example"], []]),
    st.lists(FIELD, max_size=5),
)


@settings(max_examples=600)
@given(HEADS)
@example(lines("Connection: keep-alive", "Content-Length: 0"))
def test_the_scanner_never_understands_a_head_differently_from_the_referee(head: bytes) -> None:
    scanned = scan_request(head)
    if scanned is None:
        return
    judged = judge(head)
    for attribute in (
        "method",
        "target",
        "path",
        "host_line",
        "length",
        "keep_alive",
        "version",
        "agent",
        "forwarded",
        "upgrade",
    ):
        assert getattr(scanned, attribute) == getattr(judged, attribute), attribute
    assert not judged.expects_continue

    assert sorted(scanned.lines) == sorted(judged.lines)
    assert scanned.raw in (None, b"\r\n".join(scanned.lines))


@settings(max_examples=300)
@given(
    st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.1 204 No", "HTTP/1.1 404", "HTTP/1.0 200 OK", "HTTP/1.1 20 OK"]),
    st.lists(FIELD, max_size=5),
)
def test_the_response_scanner_never_understands_a_head_differently_from_the_referee(
    start: str, fields: list[str]
) -> None:
    head = "\r\n".join([start, *fields]).encode("latin-1", "replace")
    scanned = scan_response(head)
    if scanned is None:
        return
    judged = judge_response(head, upgrading=False)
    for attribute in ("status", "length", "keep_alive", "has_date"):
        assert getattr(scanned, attribute) == getattr(judged, attribute), attribute
    assert sorted(scanned.lines) == sorted(judged.lines)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b",
        b"HTTP/1.1 200 OK\nX: a",
        b"HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 1",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade",
        b"SMTP 200 OK",
    ],
)
def test_a_bad_answer_is_refused_as_the_upstreams_fault(head: bytes) -> None:
    assert scan_response(head) is None
    with pytest.raises(HeadRefusedError) as refused:
        judge_response(head, upgrading=False)
    assert (refused.value.status, refused.value.reason) == (502, "upstream_protocol_error")


def test_bodies_of_answers_follow_method_and_status() -> None:
    chunked = scan_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked")
    until_close = scan_response(b"HTTP/1.1 200 OK\r\nX: 1")
    unmodified = scan_response(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10")
    assert chunked is not None and until_close is not None and unmodified is not None
    assert (chunked.body_length(b"GET"), chunked.body_length(b"HEAD")) == (CHUNKED_BODY, 0)
    assert (until_close.body_length(b"GET"), unmodified.body_length(b"GET")) == (UNTIL_CLOSE, 0)


def test_names_whose_values_never_repeat_leave_the_memory_and_stay_strict() -> None:
    for n in range(200):
        request = scan_request(lines(f"X-Unrepeated: {n}"))
        assert request is not None
    assert scan_request(lines("X-Unrepeated: a\rb")) is None
    assert scan_request(lines("X-Unrepeated : a")) is None
