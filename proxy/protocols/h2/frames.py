"""Frames (RFC 9113 sections 4 and 6): what goes on the wire."""

from __future__ import annotations

import struct
from typing import Final

from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.limits import FRAME_LIMIT_BYTES

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (section 3.4)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITISED: Final = 0x20

HEADER_BYTES: Final = 9
_HEADER: Final = struct.Struct(">BHBBI")
unpack_sorted: Final = struct.Struct(">BHHi").unpack_from
"""(what of the length is above two bytes; the rest; type and flags; stream id, negative with the reserved bit) at a
place in received data: small numbers all, which are compared fast."""
ENDING_DATA: Final = DATA << 8 | END_STREAM
ENDING_HEAD: Final = HEADERS << 8 | END_HEADERS | END_STREAM
"""Of the plainest sort, in a type with flags: the same without END_STREAM is one less."""
LARGEST_ID: Final = 2**31 - 1
pack_header: Final = _HEADER.pack
pack_front: Final = struct.Struct(">IBI").pack
"""A header from three: length and, in the lowest byte, type; flags; stream id."""


def head_frames(stream_id: int, block: bytes, ended: bool) -> bytes:
    """HEADERS, and CONTINUATION for what does not fit."""
    size = len(block)
    if size <= FRAME_LIMIT_BYTES:
        return pack_header(0, size, HEADERS, END_HEADERS | ended, stream_id) + block
    frames = [pack_header(0, FRAME_LIMIT_BYTES, HEADERS, ended, stream_id), block[:FRAME_LIMIT_BYTES]]
    for at in range(FRAME_LIMIT_BYTES, size, FRAME_LIMIT_BYTES):
        piece = block[at : at + FRAME_LIMIT_BYTES]
        last = END_HEADERS if at + FRAME_LIMIT_BYTES >= size else 0
        frames += (pack_header(0, len(piece), CONTINUATION, last, stream_id), piece)
    return b"".join(frames)


def reset(stream_id: int, code: Code) -> bytes:
    """RST_STREAM."""
    return pack_header(0, 4, RST_STREAM, 0, stream_id) + code.to_bytes(4, "big")


def window_update(stream_id: int, increment: int) -> bytes:
    """WINDOW_UPDATE; stream 0 is the connection."""
    return pack_header(0, 4, WINDOW_UPDATE, 0, stream_id) + increment.to_bytes(4, "big")


def ping(payload: bytes, *, answer: bool) -> bytes:
    """PING with its eight bytes."""
    return pack_header(0, 8, PING, ACK if answer else 0, 0) + payload


def goaway(last_id: int, code: Code, message: str) -> bytes:
    """GOAWAY; the message is for whoever reads the peer's log."""
    text = message.encode()[:200]
    return pack_header(0, 8 + len(text), GOAWAY, 0, 0) + struct.pack(">II", last_id, code) + text


def settings(values: dict[int, int]) -> bytes:
    """SETTINGS."""
    body = b"".join(struct.pack(">HI", number, value) for number, value in values.items())
    return pack_header(0, len(body), SETTINGS, 0, 0) + body


SETTINGS_ACK: Final = pack_header(0, 0, SETTINGS, ACK, 0)
