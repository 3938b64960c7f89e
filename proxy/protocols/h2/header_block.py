"""A header block in several frames: HEADERS and its CONTINUATIONs come in, the whole block goes out (section 6.10)."""

from __future__ import annotations

from proxy.protocols.h2.errors import Code, ConnectionFault
from proxy.protocols.h2.frames import CONTINUATION, END_HEADERS, PADDED, PRIORITISED

_FRAMES_LIMIT = 16


class PartialBlock:
    """What has come of a block. stream_id, ended: of its HEADERS frame."""

    __slots__ = ("_bytes", "_frames", "_limit_bytes", "_pieces", "ended", "stream_id")

    def __init__(self, stream_id: int, ended: bool, piece: bytes, limit_bytes: int) -> None:
        self.stream_id = stream_id
        self.ended = ended
        self._pieces = [piece]
        self._bytes = len(piece)
        self._frames = 0
        self._limit_bytes = limit_bytes

    def more(self, kind: int, flags: int, stream_id: int, piece: bytes) -> bytes | None:
        """The whole block, or None while it is not. Raises ConnectionFault for anything between, and for a flood."""
        if kind != CONTINUATION or stream_id != self.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame between HEADERS and its CONTINUATION")
        self._pieces.append(piece)
        self._bytes += len(piece)
        self._frames += 1
        if self._bytes > self._limit_bytes or self._frames > _FRAMES_LIMIT:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "a header block without an end")
        return b"".join(self._pieces) if flags & END_HEADERS else None


def without_padding(flags: int, body: bytes) -> bytes:
    """What a DATA or HEADERS frame carries beside its padding. Raises ConnectionFault."""
    if not flags & PADDED:
        return body
    if not body or body[0] >= len(body):
        raise ConnectionFault(Code.PROTOCOL_ERROR, "padding that is longer than its frame")
    return body[1 : len(body) - body[0]]


def without_priority(flags: int, stream_id: int, body: bytes) -> bytes:
    """The fragment behind the deprecated priority of a HEADERS frame. Raises ConnectionFault."""
    if not flags & PRIORITISED:
        return body
    if len(body) < 5:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "HEADERS without room for the priority it announces")
    if int.from_bytes(body[:4], "big") & 0x7FFFFFFF == stream_id:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "a stream that depends on itself")
    return body[5:]
