"""HTTP/2 as an attacker writes it: frames with any content, and what came back, cut into frames.

Written apart from the proxy's own engine on purpose: it shares no line with it, and keeps no rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PROTOCOL_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 1, 9, 11
Fields = Iterable[tuple[bytes, bytes]]
GET = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a.test"), (b":path", b"/"))
POST = ((b":method", b"POST"), *GET[1:])


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 0) -> bytes:
    """Any frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def string(value: bytes) -> bytes:
    """A string literal of HPACK, without Huffman coding."""
    return integer(len(value), 7, 0) + value


def integer(number: int, bits: int, first: int) -> bytes:
    """An integer of HPACK (RFC 7541 section 5.1)."""
    limit = (1 << bits) - 1
    if number < limit:
        return bytes((first | number,))
    out = bytearray((first | limit,))
    number -= limit
    while number >= 128:
        out.append(128 | number % 128)
        number //= 128
    return bytes((*out, number))


def block(fields: Fields) -> bytes:
    """Fields as literals that enter no table."""
    return b"".join(b"\0" + string(name) + string(value) for name, value in fields)


def head(stream: int, fields: Fields = GET, *, end: bool = True) -> bytes:
    """HEADERS, whole."""
    return frame(HEADERS, block(fields), END_HEADERS | (END_STREAM if end else 0), stream)


def u32(*numbers: int) -> bytes:
    """Numbers of 32 bits."""
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def setting(number: int, value: int) -> bytes:
    """One member of SETTINGS."""
    return number.to_bytes(2, "big") + u32(value)


GREETING = PREFACE + frame(SETTINGS) + frame(SETTINGS, flags=ACK)


@dataclass
class Received:
    """What a gateway said on a connection."""

    frames: list[tuple[int, int, bytes]] = field(default_factory=list)
    """(kind, stream, payload)"""

    def codes(self, kind: int) -> list[int]:
        """The error codes in frames of a kind."""
        at = 4 if kind == GOAWAY else 0
        return [int.from_bytes(payload[at : at + 4], "big") for found, _, payload in self.frames if found == kind]

    def count(self, kind: int) -> int:
        return sum(found == kind for found, _, _ in self.frames)


async def read(reader: asyncio.StreamReader) -> Received:
    """Frames until the gateway ends the connection."""
    received = Received()
    try:
        while True:
            header = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(header[:3], "big"))
            received.frames.append((header[3], int.from_bytes(header[5:9], "big"), payload))
    except (asyncio.IncompleteReadError, ConnectionError):
        return received


async def say(port: int, pieces: Iterable[bytes]) -> Received:
    """Send pieces for as long as the gateway takes them, and read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.ensure_future(read(reader))
    try:
        for piece in pieces:
            if writer.transport.is_closing() or reading.done():
                break
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    received = await reading
    writer.close()
    return received
