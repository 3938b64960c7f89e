"""The fast lane against the general path: the same bytes and mishaps must have the same effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.fast_lane import FastLane
from proxy.options import HttpLimits, ProxyOptions
from proxy.protocols.h1_lines import REQUEST_LINES
from proxy.snapshot.filters import RequestHeaderModifier, RequestRedirect, ResponseHeaderModifier, URLRewrite
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, ValueMatch, WeightedBackend
from tests.proxy.http.memory import Step, Transcript, played
from tests.proxy.http.stage import forward

OPTIONS = ProxyOptions(access_log="off", limits=HttpLimits(head_limit_bytes=2000, field_count_limit=12))
TRUSTING = replace(OPTIONS, trusted_proxies=(ip_network("192.0.2.0/24"),))
SET = RequestHeaderModifier(set=(("X-Added", "ours"),), remove=("x-gone",))
SITES = (
    (
        forward("/", filters=(SET,)),
        forward("/out", filters=(ResponseHeaderModifier(add=(("X-Out", "1"),), remove=("server",)),)),
        forward("/timed", request_timeout_s=30.0, backend_timeout_s=20.0),
        forward("/rewritten", filters=(URLRewrite(hostname="inner"),)),
        HttpRule(
            HttpMatch(path="/asks", headers=(ValueMatch("exact", "x-gone", "1"),)),
            HttpAction("ns/r", "1", backends=(WeightedBackend(1, "c"),)),
        ),
        HttpRule(HttpMatch(path="/moved"), HttpAction("ns/r", "2", filters=(RequestRedirect(scheme="https"),))),
    ),
    (forward("/a"), forward("/gone", "missing")),
)
GET = b"GET /a/1?q=%22 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\nCookie: n=1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nServer: s\r\nDate: x\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"

for number in range(100):  # a name whose values do not repeat
    REQUEST_LINES.judge(b"Cookie: n=%d" % number)


def both(steps: Sequence[Step], options: ProxyOptions = OPTIONS, peers: int = 1) -> tuple[Transcript, int]:
    """The transcript, the same for both, and how many answers came by the fast lane."""
    carried = 0
    fast = FastLane.answer

    def counted(lane: FastLane, data: bytes) -> bool:
        nonlocal carried
        answered = fast(lane, data)
        carried += answered
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastLane, "answer", counted)
        by_lane = played(steps, SITES, options, peers=peers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastLane, "request", lambda lane, data: False)
        assert by_lane == played(steps, SITES, options, peers=peers)
    return by_lane, carried


def test_a_plain_request_takes_the_fast_lane_and_looks_as_ever() -> None:
    transcript, carried = both([("client", GET), ("backend", OK)] * 3)
    assert carried == 2  # the first needed a connection
    (backend,) = transcript.backends[-1]
    assert backend == (
        (
            GET[:-2] + b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"
            b"Via: 1.1 gatehouse\r\nX-Added: ours\r\n\r\n"
        )
        * 3,
        (),
    )
    assert transcript.client[-1] == (OK.replace(b"Connection: keep-alive\r\n", b"") * 3, ())
    assert [(line["status"], line["path"], line["user_agent"]) for line in transcript.lines] == [
        (200, "/a/1?q=%22", "x")
    ] * 3


POST = b"POST /b HTTP/1.1\r\nHost: b\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc"
AFTER = [
    ("backend", OK),
    ("backend_lost", b""),
    ("backend_eof", b""),
    ("client_eof", b""),
    ("client_lost", b""),
    ("client", GET),
    ("overdue", b""),
    ("drain", b""),
    ("client_full", b""),
    ("backend_full", b""),
    ("site_1", b""),
]


@pytest.mark.parametrize("mishap", AFTER, ids=lambda step: step[0])
@pytest.mark.parametrize("request_", [GET, POST, POST.replace(b"POST", b"PUT")], ids=["get", "post", "put"])
@pytest.mark.parametrize("answer", [OK, OK[:30], OK[:-1], OK[:40]], ids=["whole", "head", "body", "split"])
def test_a_mishap_on_the_lane_is_one_of_the_general_path(mishap: Step, request_: bytes, answer: bytes) -> None:
    steps = [("client", request_), ("backend", OK)] * 2 + [("client", request_), mishap, ("backend", answer)]
    rest = [("backend", OK[len(answer) :] or OK), ("backend_drained", b""), ("client_drained", b""), ("client", GET)]
    both([*steps, *rest, ("backend", OK)], peers=2)


def head(start: bytes, lines: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join((start, *lines)) + b"\r\n\r\n" + body


TARGETS = [
    b"/", b"/a", b"/a/b?q=1&r=%20", b"/a//b", b"/a/../b", b"/a/.b", b"/%41", b'/x"y', b"/a?\\", b"*", b"/out/1",
    b"/timed",
    b"/rewritten", b"/asks", b"/moved", b"/gone", b"/a#b", b"/a b", b"a", b"http://a/b", b"/a/b/", b"/" + b"a" * 1990,
]  # fmt: skip
LINES = [
    b"Host: a.example", b"Host: b", b"host: a.example", b"User-Agent: x", b"User-Agent: y", b"Accept: */*",
    b"Cookie: n=7",
    b"Cookie: n=%d", b"Cookie: \x01", b"Cookie", b"Cookie ", b"Cookie : 1", b" folded: 1", b"", b"X-Added: client",
    b"x-gone: 1", b"Connection: keep-alive", b"Connection: close", b"Connection: X-Gone", b"Keep-Alive: 5",
    b"X-Forwarded-For: 9.9.9.9", b"X-Forwarded-Host: z", b"Content-Length: 3", b"Content-Length: 0",
    b"Content-Length: x",
    b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Upgrade: websocket", b"TE: trailers",
]  # fmt: skip
ANSWERS = [
    OK, OK.replace(b"Server: s\r\n", b""), OK.replace(b"Date: x\r\nContent", b"Content"), OK[:-1], OK + b"!", OK[:20],
    OK.replace(b"keep-alive", b"close"), b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nDate: x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nDate: x\r\n\r\nhi", b"HTTP/1.0 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n", b"hi",
]  # fmt: skip


@pytest.mark.parametrize("options", [OPTIONS, TRUSTING], ids=["believing nobody", "believing"])
@pytest.mark.parametrize("line", LINES)
def test_a_line_means_the_same_on_the_lane_wherever_it_stands(line: bytes, options: ProxyOptions) -> None:
    orders = ([LINES[0], line], [line, LINES[0]], [LINES[0], line, LINES[6]], [LINES[0], LINES[6], line], [line])
    for lines in orders:
        for body in (b"", b"abc"):
            request = head(b"PUT /a HTTP/1.1", lines, body)
            both([("client", GET), ("backend", OK), *([("client", request), ("backend", OK)] * 3)], options)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_means_the_same_on_the_lane(target: bytes) -> None:
    for method in (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"get", b"BREW"):
        for version in (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 "):
            request = GET.replace(b"GET /a/1?q=%22 HTTP/1.1", b"%b %b %b" % (method, target, version))
            both([*([("client", GET), ("backend", OK)] * 2), *([("client", request), ("backend", OK)] * 2)])


def test_limits_are_the_same_on_the_lane() -> None:
    for count in range(8, 16):
        lines = [b"Host: a", *(b"X-%d: 1" % number for number in range(count - 1))]
        request = head(b"GET /a HTTP/1.1", lines, b"")
        both([("client", GET), ("backend", OK), *([("client", request), ("backend", OK)] * 3)])
    for size in range(1900, 2100, 7):
        request = head(b"GET /a HTTP/1.1", [b"Host: a", b"Cookie: " + b"c" * size], b"")
        both([("client", GET), ("backend", OK), *([("client", request), ("backend", OK)] * 3)])


plain_head = st.builds(
    head,
    st.builds(
        lambda method, target: method + b" " + target + b" HTTP/1.1",
        st.sampled_from([b"GET", b"GET", b"HEAD", b"POST", b"OPTIONS", b"get"]),
        st.one_of(st.sampled_from(TARGETS[:3]), st.sampled_from(TARGETS)),
    ),
    st.builds(
        lambda first, rest: [*first, *rest],
        st.sampled_from([LINES[:1], LINES[:1] + LINES[3:4], [], LINES[1:2] + LINES[16:17]]),
        st.one_of(st.just([LINES[6]]), st.lists(st.sampled_from(LINES), max_size=5)),
    ),
    st.sampled_from([b"", b"", b"", b"abc", GET]),
)
a_step = st.one_of(
    st.tuples(st.just("client"), plain_head),
    st.tuples(st.just("client"), st.one_of(st.just(GET), st.just(POST), st.binary(max_size=5))),
    st.tuples(st.just("backend"), st.one_of(st.just(OK), st.sampled_from(ANSWERS))),
    st.sampled_from([*AFTER, ("site_0", b""), ("backend_drained", b""), ("client_drained", b"")]),
)


@settings(max_examples=150)
@given(
    st.lists(st.one_of(st.tuples(a_step), st.just((("client", GET), ("backend", OK)))), min_size=1, max_size=12),
    st.sampled_from([OPTIONS, TRUSTING]),
)
def test_whatever_happens_the_two_cannot_be_told_apart(turns: list[tuple[Step, ...]], options: ProxyOptions) -> None:
    both([("client", GET), ("backend", OK), *(step for turn in turns for step in turn)], options, peers=2)
