"""Body framing: any split of the same bytes gives the same payload; what is not framing is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h1_body import ChunkedBody, FramingError, SizedBody, chunk, last_chunk


def feed(body: ChunkedBody | SizedBody, pieces: list[bytes]) -> tuple[bytes, bytes]:
    payload, rest = b"", b""
    for piece in pieces:
        if body.done:
            rest += piece
            continue
        payload += body.feed(piece)
        rest += body.surplus
    return payload, rest


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


@settings(max_examples=200)
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.lists(st.integers(0, 400), max_size=12), st.booleans()
)
def test_chunks_mean_the_same_however_they_are_split(payloads: list[bytes], cuts: list[int], trailers: bool) -> None:
    allowed = (b"X-Sum: 1",) if trailers else ()
    wire = b"".join(map(chunk, payloads)) + last_chunk(allowed) + b"NEXT"
    body = ChunkedBody()
    assert feed(body, split(wire, cuts)) == (b"".join(payloads), b"NEXT")
    assert body.done and body.trailers == allowed


@settings(max_examples=100)
@given(st.binary(min_size=1, max_size=60), st.lists(st.integers(0, 100), max_size=6))
def test_sized_bodies_mean_the_same_however_they_are_split(payload: bytes, cuts: list[int]) -> None:
    body = SizedBody(len(payload))
    assert feed(body, split(payload + b"NEXT", cuts)) == (payload, b"NEXT")


@pytest.mark.parametrize(
    "wire",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"0x5\r\nhello\r\n",
        b"-1\r\n",
        b"\r\n",
        b"5 \r\nhello\r\n",
        b"g\r\n",
        b"1;a\x00\r\nx\r\n",
        b"0\r\nBad : x\r\n\r\n",
        b"0\r\n folded\r\n\r\n",
        b"1" * 17 + b"\r\n",
        b"1;" + b"a" * 5000,
    ],
)
def test_what_is_not_chunked_framing_is_refused(wire: bytes) -> None:
    with pytest.raises(FramingError):
        feed(ChunkedBody(), [wire])
    with pytest.raises(FramingError):
        feed(ChunkedBody(), [wire[at : at + 1] for at in range(len(wire))])


def test_extensions_are_dropped_and_forbidden_trailers_too() -> None:
    body = ChunkedBody()
    wire = b"3;name=value\r\nabc\r\n0\r\nContent-Length: 9\r\nX-Sum: 1\r\nHost: evil\r\n\r\n"
    assert feed(body, [wire]) == (b"abc", b"")
    assert body.trailers == (b"X-Sum: 1",)
