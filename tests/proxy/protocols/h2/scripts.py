"""What the other side of a connection under test says: preface, blocks and frames, written by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.literals import literal_name, string
from proxy.protocols.h2.server import ServerConnection
from tests.proxy.protocols.h2.recording import LIMITS, Owner, server

GET = b"\x82\x86\x84\x41\x01a"
"""GET http://a/, `:authority` inserted into the table: 0xbe from then on."""
PLAIN_GET = b"\x82\x86\x84\x01\x01a"
"""The same without a change of the table."""
OK = b"\x88"

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, body."""


def field(name: bytes, value: bytes, pattern: int = 0) -> bytes:
    """A literal field; pattern 0x10: never indexed."""
    return literal_name(name, pattern) + string(value)


def fields(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"".join(field(name, value) for name, value in pairs)


def request(*pairs: tuple[bytes, bytes], method: bytes = b"POST", path: bytes = b"/", authority: bytes = b"a") -> bytes:
    """A block with the four pseudo-header fields and others."""
    pseudo = ((b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", authority))
    return fields(*pseudo, *pairs)


def frame(kind: int, flags: int, stream_id: int, body: bytes = b"") -> bytes:
    return wire.pack_header(len(body) >> 16, len(body) & 0xFFFF, kind, flags, stream_id) + body


def headers(stream_id: int, block: bytes, *, ended: bool = True) -> bytes:
    return frame(wire.HEADERS, wire.END_HEADERS | ended, stream_id, block)


def data(stream_id: int, payload: bytes = b"", *, ended: bool = False) -> bytes:
    return frame(wire.DATA, int(ended), stream_id, payload)


def greeted(limits: object = None) -> tuple[ServerConnection, Owner]:
    """A server whose client has sent its preface; its own greeting is taken."""
    connection, owner = server(limits or LIMITS)  # type: ignore[arg-type]
    connection.receive(wire.PREFACE + wire.settings({}))
    connection.take()
    return connection, owner


def sent(output: bytes) -> list[Frame]:
    """The frames in some output, behind a preface if there is one."""
    output = output.removeprefix(wire.PREFACE)
    found, at = [], 0
    while at < len(output):
        sort, flags, stream_id = struct.unpack_from(">IBI", output, at)
        size = sort >> 8
        found.append((sort & 0xFF, flags, stream_id, output[at + 9 : at + 9 + size]))
        at += 9 + size
    assert at == len(output), "the last frame is not whole"
    return found


def of_kind(frames: Sequence[Frame], kind: int) -> list[Frame]:
    return [each for each in frames if each[0] == kind]


def resets(output: bytes) -> list[tuple[int, int]]:
    """(stream, code) of RST_STREAM frames."""
    return [(each[2], int.from_bytes(each[3], "big")) for each in of_kind(sent(output), wire.RST_STREAM)]


def goaways(output: bytes) -> list[tuple[int, int]]:
    """(last stream, code) of GOAWAY frames."""
    return [
        (int.from_bytes(each[3][:4], "big"), int.from_bytes(each[3][4:8], "big"))
        for each in of_kind(sent(output), wire.GOAWAY)
    ]


def credited(output: bytes) -> dict[int, int]:
    """Stream to window given back."""
    found: dict[int, int] = {}
    for _, _, stream_id, body in of_kind(sent(output), wire.WINDOW_UPDATE):
        found[stream_id] = found.get(stream_id, 0) + int.from_bytes(body, "big")
    return found
