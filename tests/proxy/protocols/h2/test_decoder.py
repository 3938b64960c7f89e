"""Our decoder of header blocks against the `hpack` package, and what RFC 7541 says of broken ones."""

from __future__ import annotations

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h2 import huffman
from proxy.protocols.h2.decoder import Decoder
from proxy.protocols.h2.errors import Code, ConnectionFault
from proxy.protocols.h2.integers import encode as encode_integer
from proxy.protocols.h2.static_table import ENTRIES
from tests.proxy.protocols.h2.header_blocks import LARGE, differences, ours, referees


def test_random_sessions_are_understood_as_the_referee_does() -> None:
    assert list(differences(seed=7541, count=4000)) == []


# Integers padded with zeros past four bytes are refused by ours alone (RFC 7541 section 5.1 allows limits).
unpadded = st.binary(max_size=60).filter(lambda block: b"\x80\x80\x80" not in block)


@given(st.lists(unpadded, max_size=8))
@settings(max_examples=400)
def test_any_bytes_are_understood_as_the_referee_does_or_refused_by_both(blocks: list[bytes]) -> None:
    decoder, referee = Decoder(LARGE, LARGE), hpack.Decoder(max_header_list_size=LARGE)
    for block in blocks:
        mine, theirs = ours(decoder, block), referees(referee, block)
        assert mine == theirs
        if mine is None:
            return


fields = st.lists(st.tuples(st.sampled_from([name for name, _ in ENTRIES] + [b"x-a", b"x-b"]), st.binary(max_size=40)))


@given(st.lists(st.tuples(fields, st.booleans(), st.sampled_from((None, None, 0, 100, 4096))), max_size=10))
@settings(max_examples=200)
def test_what_the_referee_encodes_is_decoded(blocks: list[tuple[list[tuple[bytes, bytes]], bool, int | None]]) -> None:
    encoder, decoder = hpack.Encoder(), Decoder(LARGE, LARGE)
    for sent, coded, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        block = encoder.encode(sent, huffman=coded)
        assert [(field.name, field.value) for field in decoder.decode(block)] == sent


@given(st.binary(max_size=300))
def test_huffman_coded_strings_come_back(plain: bytes) -> None:
    bits = "".join(format(code, f"0{length}b") for code, length in (huffman.codes()[byte] for byte in plain))
    bits += "1" * (-len(bits) % 8)
    assert huffman.decode(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))) == plain


@pytest.mark.parametrize(
    "coded",
    [
        b"\xff\xff\xff\xff",  # the end-of-string symbol
        b"\x1f\xff",  # eight bits of padding and more
        b"\x1e",  # padding of zeros after "a"
    ],
)
def test_a_huffman_string_that_ends_wrongly_is_refused(coded: bytes) -> None:
    with pytest.raises(ConnectionFault):
        huffman.decode(coded)


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",  # index 0
        b"\xbe",  # the first entry of an empty table
        b"\x7f\x00\x01a",  # a name beyond both tables
        b"\x00\x05ab",  # a name that ends too soon
        b"\x00\x01a\x05b",  # a value that ends too soon
        b"\xff\xff\xff\xff\xff\xff\x01",  # an integer that is too large
        b"\xff",  # an integer without an end
        b"\x82\x20",  # a size update behind a field
        b"\x3f\xe2\x1f",  # a table larger than our setting
    ],
)
def test_broken_blocks_are_compression_errors(block: bytes) -> None:
    with pytest.raises(ConnectionFault) as refused:
        Decoder(LARGE, 100).decode(block)
    assert refused.value.code == Code.COMPRESSION_ERROR


def test_a_table_as_large_as_our_setting_is_allowed() -> None:
    assert Decoder(LARGE, 100).decode(b"\x3f\xe1\x1f\x82")[0].value == b"GET"


def test_what_is_too_much_is_cut_off_and_the_table_still_sees_it() -> None:
    decoder = Decoder(limit_bytes=200, count_limit=100)
    fields = decoder.decode(b"\x82" * 10 + b"\x40\x01a\x01b")
    assert decoder.oversized
    assert len(fields) < 10
    assert decoder.decode(b"\xbe")[0].line == b"a: b"
    assert not decoder.oversized


def test_a_large_entry_that_is_named_often_is_too_much() -> None:
    decoder = Decoder(limit_bytes=65536, count_limit=100)
    decoder.decode(b"\x40\x01a\x7f\xa1\x16" + b"b" * 2976)  # 3009 bytes, as tables count
    assert len(decoder.decode(b"\xbe" * 21)) == 21
    assert not decoder.oversized
    assert len(decoder.decode(b"\xbe" * 22)) == 21
    assert decoder.oversized


def test_a_literal_that_fills_a_block_of_several_frames_is_counted() -> None:
    decoder = Decoder(limit_bytes=65536, count_limit=100)
    long = encode_integer(60000, 7, 0) + b"b" * 60000
    assert decoder.decode(b"\x00\x01a" + long)[0].size == 60033
    assert not decoder.oversized
    assert len(decoder.decode(b"\x00\x01a" + long + b"\x82\x00\x01a\x7f\xe1\x2a" + b"b" * 5600)) == 2
    assert decoder.oversized


def test_more_fields_than_the_limit_are_too_much() -> None:
    decoder = Decoder(LARGE, count_limit=3)
    decoder.decode(b"\x82" * 3)
    assert not decoder.oversized
    decoder.decode(b"\x82" * 4)
    assert decoder.oversized


def test_names_are_forgotten_in_favour_of_newer_ones_rather_than_kept_for_ever() -> None:
    decoder = Decoder(LARGE, LARGE)
    for number in range(20000):
        decoder.decode(b"\x00\x07x-%05d\x01v" % number)
    block = b"\x00\x07x-fresh\x01v"
    first = decoder.decode(block)[0]
    assert decoder.decode(block)[0] is first, "a new literal is remembered although many others came before"
