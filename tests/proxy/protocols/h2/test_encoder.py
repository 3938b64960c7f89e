"""Header blocks that we write, read by the `hpack` package."""

from __future__ import annotations

import hpack
from hypothesis import given
from hypothesis import strategies as st

from proxy.protocols.h1_request import CRLF, RequestHead
from proxy.protocols.h2 import encoder, heads
from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.encoder import block
from proxy.protocols.h2.fields import SecretLine
from proxy.protocols.h2.heads import request_block, response_block
from tests.proxy.protocols.h2.recording import ask, client
from tests.proxy.protocols.h2.scripts import field, greeted, headers, request, sent

LINE_NAMES = ["Content-Type", "x-a", "X-Very-Long-" + "n" * 200, "accept-encoding", "Date", "ETag"]


def read(encoded: bytes) -> list[tuple[bytes, bytes, bool]]:
    """Name, value, whether it must never be indexed."""
    decoder = hpack.Decoder()
    fields = decoder.decode(encoded, raw=True)
    assert not decoder.header_table.dynamic_entries, "nothing may be inserted"
    return [(bytes(each[0]), bytes(each[1]), isinstance(each, hpack.NeverIndexedHeaderTuple)) for each in fields]


def forwarded(head: RequestHead) -> list[tuple[bytes, bytes, bool]]:
    """What a backend reads of a request that we received."""
    assert head.raw is not None
    return read(request_block(head, head.raw, b"", b"http"))


def edited(head: RequestHead) -> list[tuple[bytes, bytes, bool]]:
    """The same of a request that a filter may have changed."""
    head.encoded = None
    return forwarded(head)


values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300)


@given(st.lists(st.tuples(st.sampled_from(LINE_NAMES), values)))
def test_lines_arrive_with_lower_case_names(lines: list[tuple[str, str]]) -> None:
    encoded = block([f"{name}: {value}".encode() for name, value in lines])
    assert read(encoded) == [(name.lower().encode(), value.encode(), False) for name, value in lines]


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    assert read(block([b"a:b", b"c: \t d \t", b"e:"])) == [(b"a", b"b", False), (b"c", b"d", False), (b"e", b"", False)]


def test_what_only_http_1_1_says_is_left_out() -> None:
    lines = [b"Connection: x", b"Keep-Alive: 3", b"Transfer-Encoding: chunked", b"Upgrade: y", b"TE: trailers", b"a: b"]
    assert read(block(lines)) == [(b"a", b"b", False)]


def test_a_request_says_method_scheme_path_and_authority_first() -> None:
    lines = [b"PUT /a?b HTTP/1.1", b"X: y", b"Host: h.example:81", b"Content-Length: 3"]
    front, tail = CRLF.join(lines[:3]), b"\r\n" + lines[3] + b"\r\n\r\n"
    head = RequestHead(b"PUT", b"/a?b", b"/a", lines, None)
    head.takes_trailers = True
    assert read(request_block(head, front, tail, b"https")) == [
        (b":scheme", b"https", False),
        (b":method", b"PUT", False),
        (b":path", b"/a?b", False),
        (b":authority", b"h.example:81", False),
        (b"x", b"y", False),
        (b"content-length", b"3", False),
        (b"te", b"trailers", False),
    ]


def test_a_response_says_its_status_first() -> None:
    for status in (200, 404, 418, 599):
        assert read(response_block([b"HTTP/1.1 %d Such" % status, b"a: b"]))[0] == (b":status", b"%d" % status, False)


def test_never_indexed_arrives_never_indexed_and_leaves_so() -> None:
    connection, owner = greeted()
    encoded = request(method=b"GET") + field(b"x-token", b"s3cret", 0x10) + field(b"x-plain", b"s3cret")
    connection.receive(headers(1, encoded))
    assert forwarded(owner.requests[1].head(True))[-2:] == [
        (b"x-token", b"s3cret", True),
        (b"x-plain", b"s3cret", False),
    ]


def test_what_means_something_here_stays_never_indexed_too() -> None:
    connection, owner = greeted()
    secret = [(b"user-agent", b"a"), (b"content-length", b"1"), (b"date", b"b"), (b"expect", b"100-continue")]
    encoded = request() + b"".join(field(name, value, 0x10) for name, value in secret)
    connection.receive(headers(1, encoded, ended=False))
    head = owner.requests[1].head(False)
    for sent_on in (forwarded(head), edited(head)):
        assert sent_on[-4:] == [(name, value, True) for name, value in secret]


def test_a_plain_line_of_the_same_text_stays_plain_and_the_other_way_round() -> None:
    line = b"x-mixed: value"
    for _ in range(2):
        assert read(block([line])) == [(b"x-mixed", b"value", False)]
        assert read(block([SecretLine(line)])) == [(b"x-mixed", b"value", True)]


def test_never_indexed_paths_authorities_cookies_and_answers_stay_so() -> None:
    connection, owner = greeted()
    encoded = field(b":method", b"GET") + field(b":scheme", b"http") + field(b":path", b"/k?key=1", 0x10)
    encoded += field(b":authority", b"secret.example", 0x10) + field(b"cookie", b"a=b", 0x10) + field(b"cookie", b"c=d")
    connection.receive(headers(1, encoded))
    head = owner.requests[1].head(True)
    secret = {(name, value) for name, value, never in forwarded(head) if never}
    assert secret == {(b":path", b"/k?key=1"), (b":authority", b"secret.example"), (b"cookie", b"a=b")}
    secret = {(name, value) for name, value, never in edited(head) if never}
    assert secret >= {(b":path", b"/k?key=1"), (b":authority", b"secret.example"), (b"cookie", b"a=b; c=d")}
    asked, answers = client()
    asked.receive(wire.settings({}))
    ask(asked, answers)
    asked.receive(headers(1, b"\x88" + field(b"set-cookie", b"a=b", 0x10), ended=False))
    asked.receive(headers(1, field(b"x-checksum", b"1", 0x10)))
    assert read(response_block(answers.told("answered")[0][2])) == [  # type: ignore[arg-type]
        (b":status", b"200", False),
        (b"set-cookie", b"a=b", True),
    ]
    assert read(block(answers.told("trailers")[0][2])) == [(b"x-checksum", b"1", True)]  # type: ignore[arg-type]


def test_credentials_are_never_indexed_whoever_sent_them_and_not_remembered() -> None:
    line = b"Authorization: Basic x"
    assert read(block([line])) == [(b"authorization", b"Basic x", True)]
    assert encoder._LINES.recall(line) is None
    front = b"GET / HTTP/1.1\r\nHost: a\r\n" + line
    head = RequestHead(b"GET", b"/", b"/", [], None)
    assert read(request_block(head, front, b"", b"http"))[-1] == (b"authorization", b"Basic x", True)
    assert heads._FRONTS.recall(front) is None


def test_never_indexed_values_are_remembered_by_their_own_connection_only() -> None:
    encoded = request(method=b"GET") + field(b"x-only-here", b"s3cret", 0x10)
    (one, of_one), (other, of_other) = greeted(), greeted()
    one.receive(headers(1, encoded) + headers(3, encoded + field(b"y", b"z")))
    other.receive(headers(1, encoded))
    first, again, elsewhere = of_one.requests[1], of_one.requests[3], of_other.requests[1]
    assert first.head(True).lines[-1] is again.head(True).lines[-2], "remembered here"
    assert first.head(True).lines[-1] is not elsewhere.head(True).lines[-1], "and not there"


def test_what_came_over_http_2_and_is_not_changed_goes_on_as_it_came() -> None:
    connection, owner = greeted()
    pairs = [
        (b"te", b"trailers"),
        (b"host", b"a"),
        (b"x-forwarded-for", b"9.9.9.9"),
        (b"cookie", b"a"),
        (b"cookie", b"b"),
    ]
    connection.receive(headers(1, request(*pairs, (b"x", b"y"), path=b"/p?q")))
    connection.receive(headers(3, request(*pairs, (b"x", b"y"), path=b"/./p?q")))
    head = owner.requests[1].head(True)
    assert [each[:2] for each in forwarded(head)] == [
        (b":scheme", b"http"),
        (b":method", b"POST"),
        (b":path", b"/p?q"),
        (b":authority", b"a"),
        (b"cookie", b"a"),
        (b"cookie", b"b"),
        (b"x", b"y"),
        (b"te", b"trailers"),
    ]
    assert dict(each[:2] for each in edited(head)) == {**dict(each[:2] for each in forwarded(head)), b"cookie": b"a; b"}
    resolved = owner.requests[3].head(True)
    assert resolved.encoded is None, "its path is not what came"
    assert (b":path", b"/p?q", False) in forwarded(resolved)


def test_the_first_block_of_a_connection_sets_the_table_to_nothing() -> None:
    connection, owner = client()
    connection.take()
    ask(connection, owner)
    ask(connection, owner)
    first, second = (body for _, _, _, body in sent(connection.take()))
    assert first[0] == 0x20
    assert second == first[1:]


def test_it_is_the_first_block_on_the_wire_that_does() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(method=b"GET")) + headers(3, request(method=b"GET")))
    connection.pause_writing()
    owner.streams[3].head(b"\x88", True)
    connection.resume_writing()
    owner.streams[1].head(b"\x89", True)
    assert [body for _, _, _, body in sent(connection.take())] == [b"\x20\x88", b"\x89"]


def test_names_are_forgotten_in_favour_of_newer_ones_rather_than_kept_for_ever() -> None:
    for number in range(20000):
        block([b"x-%d: v" % number])
    line = b"x-newest: v"
    first = block([line])
    assert encoder._LINES.recall(line) == first
    assert encoder._NAMES.recall(b"x-newest") is not None
    assert encoder._NAMES.recall(b"x-0") is None
    assert len(encoder._NAMES) <= 4096
