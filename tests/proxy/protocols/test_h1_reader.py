"""What a client sends, in any pieces: heads and payload in turn, and refusals as soon as they are certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.protocols.h1_body import FramingError
from proxy.protocols.h1_reader import RequestReader
from proxy.protocols.h1_referee import HeadRefusedError

WIRE = (
    b"\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /b HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello"
    b"POST /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    b"HEAD /d HTTP/1.0\r\n\r\n"
)


def reader(head_limit_bytes: int = 200, target_limit_bytes: int = 100) -> RequestReader:
    return RequestReader(
        default_authority=b"192.0.2.2:80",
        head_limit_bytes=head_limit_bytes,
        target_limit_bytes=target_limit_bytes,
        field_count_limit=10,
    )


def understood(one: RequestReader, data: bytes) -> list[bytes]:
    """Targets and payload bytes, in their order."""
    one.buffer += data
    found: list[bytes] = []
    while one.buffer:
        if one.body is not None:
            found += [b"%c" % byte for byte in one.payload()]
            found += one.trailers
            continue
        request = one.head()
        if request is None:
            break
        found.append(request.method + request.target)
    return found


@given(st.lists(st.integers(0, len(WIRE)), max_size=8))
def test_every_split_of_the_same_bytes_says_the_same(cuts: list[int]) -> None:
    one, found = reader(), list[bytes]()
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(WIRE)], strict=True):
        found += understood(one, WIRE[start:end])
    heads_and_payload = [b"GET/a", b"POST/b", b"h", b"e", b"l", b"l", b"o", b"POST/c", b"a", b"b", b"c", b"X-Sum: 1"]
    assert found == [*heads_and_payload, b"HEAD/d"]


@pytest.mark.parametrize(
    ("wire", "status", "head"),
    [
        (b"\x16\x03\x01", 400, b""),
        (b"GET /" + b"a" * 200, 414, b""),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 200, 431, b""),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b"),
    ],
    ids=["not a request", "target too long", "head too large", "two hosts"],
)
def test_what_is_no_request_is_refused_with_its_status_and_head(wire: bytes, status: int, head: bytes) -> None:
    with pytest.raises(HeadRefusedError) as caught:
        understood(reader(), wire)
    assert (caught.value.status, caught.value.head) == (status, head)


def test_a_head_that_will_not_be_finished_is_not_judged() -> None:
    one = reader()
    one.ended = True
    assert understood(one, b"\x16\x03\x01") == []


def test_a_body_that_breaks_its_framing_is_over() -> None:
    one = reader()
    with pytest.raises(FramingError):
        understood(one, b"POST /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
    assert one.body is None
