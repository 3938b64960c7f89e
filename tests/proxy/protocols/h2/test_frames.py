"""Frames that are broken, misplaced or split (RFC 9113 sections 4 to 6)."""

from __future__ import annotations

import pytest

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.limits import FRAME_LIMIT_BYTES
from proxy.protocols.h2.settings import (
    ENABLE_PUSH,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
)
from tests.proxy.protocols.h2.recording import LIMITS, client
from tests.proxy.protocols.h2.scripts import PLAIN_GET, data, frame, goaways, greeted, headers, request, resets, sent

PRIORITY_ON_1 = b"\x00\x00\x00\x01\x10"


def test_a_block_in_pieces_is_one_block() -> None:
    connection, owner = greeted()
    connection.receive(frame(wire.HEADERS, wire.END_STREAM, 1, PLAIN_GET[:2]))
    connection.receive(frame(wire.CONTINUATION, 0, 1, b"") + frame(wire.CONTINUATION, 0, 1, PLAIN_GET[2:3]))
    assert not owner.requests
    connection.receive(frame(wire.CONTINUATION, wire.END_HEADERS, 1, PLAIN_GET[3:]))
    assert owner.told("requested")[0][5] is True


@pytest.mark.parametrize(
    "between",
    [
        data(1, b"x"),
        headers(3, PLAIN_GET),
        frame(wire.CONTINUATION, wire.END_HEADERS, 3, PLAIN_GET[2:]),
        wire.ping(b"12345678", answer=False),
        frame(0xEE, 0, 1, b"of an unknown type"),
    ],
)
def test_nothing_stands_between_the_frames_of_a_block(between: bytes) -> None:
    connection, owner = greeted()
    connection.receive(frame(wire.HEADERS, 0, 1, PLAIN_GET[:2]) + between)
    assert owner.events == [("failed", Code.PROTOCOL_ERROR)]


def test_blocks_without_an_end_are_cut_off_by_number_and_by_size() -> None:
    for more in (frame(wire.CONTINUATION, 0, 1, b"") * 17, frame(wire.CONTINUATION, 0, 1, b"x" * 16000) * 5):
        connection, owner = greeted()
        connection.receive(frame(wire.HEADERS, 0, 1, PLAIN_GET) + more)
        assert owner.events == [("failed", Code.ENHANCE_YOUR_CALM)]


@pytest.mark.parametrize(("unknown", "bit"), [(0xD2, 0), (0, 1 << 31), (0xD2, 1 << 31)])
def test_flags_without_a_meaning_and_the_reserved_bit_are_ignored(unknown: int, bit: int) -> None:
    connection, owner = greeted()
    connection.receive(frame(wire.HEADERS, wire.END_HEADERS | unknown, 1 | bit, PLAIN_GET))
    connection.receive(frame(wire.DATA, unknown, 1 | bit, b"a") + frame(wire.DATA, wire.END_STREAM | unknown, 1 | bit))
    assert [event[0] for event in owner.events] == ["requested", "payload", "payload"]
    assert connection.streams[1].received_end


@pytest.mark.parametrize("size", [FRAME_LIMIT_BYTES + 1, 0x10000, 0x800001])
def test_a_frame_has_its_largest_size_whatever_byte_of_it_says_so(size: int) -> None:
    connection, owner = greeted()
    connection.receive(wire.pack_header(size >> 16, size & 0xFFFF, wire.DATA, 0, 1))
    assert owner.events == [("failed", Code.FRAME_SIZE_ERROR)]


def test_padding_and_priority_of_a_head_are_no_part_of_it() -> None:
    connection, owner = greeted()
    flags = wire.END_HEADERS | wire.END_STREAM | wire.PADDED | wire.PRIORITISED
    connection.receive(frame(wire.HEADERS, flags, 1, b"\x03" + b"\x80\x00\x00\x05\x10" + PLAIN_GET + b"\0\0\0"))
    assert owner.requests[1].head(True).lines == [b"GET / HTTP/1.1", b"Host: a"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (frame(wire.HEADERS, 0x25, 1, PRIORITY_ON_1 + PLAIN_GET), Code.PROTOCOL_ERROR),
        (frame(wire.PRIORITY, 0, 1, PRIORITY_ON_1), Code.PROTOCOL_ERROR),
        (frame(wire.HEADERS, 0x25, 1, b"\0"), Code.FRAME_SIZE_ERROR),
        (frame(wire.HEADERS, 0x0D, 1, b"\x09" + PLAIN_GET), Code.PROTOCOL_ERROR),
        (frame(wire.HEADERS, 0x0D, 1, b""), Code.PROTOCOL_ERROR),
        (frame(wire.HEADERS, 0x05, 0, PLAIN_GET), Code.PROTOCOL_ERROR),
        (frame(wire.HEADERS, 0x05, 2, PLAIN_GET), Code.PROTOCOL_ERROR),
        (headers(1, request(), ended=False) + frame(wire.DATA, wire.PADDED, 1, b"\x02a"), Code.PROTOCOL_ERROR),
        (frame(wire.DATA, 0, 0, b"x"), Code.PROTOCOL_ERROR),
        (data(1, b"x"), Code.PROTOCOL_ERROR),
        (frame(wire.CONTINUATION, wire.END_HEADERS, 1, PLAIN_GET), Code.PROTOCOL_ERROR),
        (frame(wire.PUSH_PROMISE, wire.END_HEADERS, 1, b"\0\0\0\2" + PLAIN_GET), Code.PROTOCOL_ERROR),
        (frame(wire.RST_STREAM, 0, 0, bytes(4)), Code.PROTOCOL_ERROR),
        (frame(wire.RST_STREAM, 0, 1, bytes(4)), Code.PROTOCOL_ERROR),
        (headers(1, PLAIN_GET) + frame(wire.RST_STREAM, 0, 1, bytes(3)), Code.FRAME_SIZE_ERROR),
        (frame(wire.PRIORITY, 0, 0, bytes(5)), Code.PROTOCOL_ERROR),
        (frame(wire.PRIORITY, 0, 1, bytes(4)), Code.FRAME_SIZE_ERROR),
        (frame(wire.PING, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
        (frame(wire.PING, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
        (frame(wire.SETTINGS, 0, 0, bytes(5)), Code.FRAME_SIZE_ERROR),
        (frame(wire.SETTINGS, 0, 1), Code.PROTOCOL_ERROR),
        (frame(wire.SETTINGS, wire.ACK, 0, bytes(6)), Code.FRAME_SIZE_ERROR),
        (wire.settings({ENABLE_PUSH: 2}), Code.PROTOCOL_ERROR),
        (wire.settings({INITIAL_WINDOW_SIZE: 2**31}), Code.FLOW_CONTROL_ERROR),
        (wire.settings({MAX_FRAME_SIZE: 16383}), Code.PROTOCOL_ERROR),
        (wire.settings({MAX_FRAME_SIZE: 2**24}), Code.PROTOCOL_ERROR),
        (wire.settings(dict.fromkeys(range(256, 512), 0)), Code.ENHANCE_YOUR_CALM),
        (frame(wire.WINDOW_UPDATE, 0, 0, bytes(3)), Code.FRAME_SIZE_ERROR),
        (wire.window_update(1, 1), Code.PROTOCOL_ERROR),
        (frame(wire.GOAWAY, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
        (frame(wire.GOAWAY, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
        (frame(wire.DATA, 0, 1, bytes(16385)), Code.FRAME_SIZE_ERROR),
        (headers(1, b"\x80"), Code.COMPRESSION_ERROR),
    ],
)
def test_what_breaks_the_connections_rules_ends_it_with_the_right_code(said: bytes, code: Code) -> None:
    connection, owner = greeted()
    connection.receive(said)
    assert owner.told("failed") == [("failed", code)]
    assert [said for _, said in goaways(connection.take())] == [code]
    connection.receive(headers(5, PLAIN_GET))
    assert 5 not in owner.requests, "nothing that follows is believed"


def test_unknown_frames_and_settings_and_priorities_change_nothing() -> None:
    connection, owner = greeted()
    connection.receive(frame(0xEE, 0xFF, 3, b"what") + wire.settings({0x99: 7}))
    connection.receive(frame(wire.PRIORITY, 0, 9, b"\0\0\0\1\x10") + headers(1, PLAIN_GET))
    assert list(owner.requests) == [1]
    assert [each[:2] for each in sent(connection.take())] == [(wire.SETTINGS, wire.ACK)]


def test_pings_are_answered_and_answers_told() -> None:
    connection, owner = greeted()
    connection.receive(wire.ping(b"12345678", answer=False))
    assert sent(connection.take()) == [(wire.PING, wire.ACK, 0, b"12345678")]
    connection.ping(b"abcdefgh")
    assert sent(connection.take()) == [(wire.PING, 0, 0, b"abcdefgh")]
    connection.receive(wire.ping(b"abcdefgh", answer=True))
    assert owner.told("pong") == [("pong", b"abcdefgh")]


def test_a_server_may_not_promise_push() -> None:
    connection, owner = client()
    connection.receive(wire.settings({ENABLE_PUSH: 1}))
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]


def test_a_large_head_goes_out_in_pieces() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    block = b"\x88" + b"\x00\x01x\x7f\x81\xfe\x01" + b"y" * 32768
    owner.streams[1].head(block, True)
    frames = sent(connection.take())
    assert [(each[0], each[1]) for each in frames] == [
        (wire.HEADERS, wire.END_STREAM),
        (wire.CONTINUATION, 0),
        (wire.CONTINUATION, wire.END_HEADERS),
    ]
    assert b"".join(each[3] for each in frames) == b"\x20" + block


def test_output_is_announced_once_per_turn() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET))
    before = owner.dirty_count
    for stream in owner.streams.values():
        stream.head(b"\x88", False)
        stream.send(b"x", True)
    assert owner.dirty_count == before + 1
    assert len(sent(connection.take())) == 4
    assert connection.take() == b""


def test_the_limit_of_streams_is_kept() -> None:
    connection, owner = greeted()
    count = LIMITS.stream_limit
    for number in range(count + 1):
        connection.receive(headers(1 + 2 * number, PLAIN_GET))
    assert resets(connection.take()) == [(1 + 2 * count, Code.REFUSED_STREAM)]
    owner.streams[1].head(b"\x88", True)
    connection.receive(headers(3 + 2 * count, PLAIN_GET))
    assert resets(connection.take()) == []
