"""HTTP/2 frames (RFC 9113 section 4) for the two ends: bytes come in, whole frames go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS = 4
WINDOW_BYTES = 1 << 30
"""What both ends grant at once; an end renews half of it when that is used up."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; the payload without padding, which no proxy that is measured here adds."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The wire form."""
    return b"%b%c%c%b%b" % (len(payload).to_bytes(3, "big"), kind, flags, stream.to_bytes(4, "big"), payload)


def setting(identifier: int, value: int) -> bytes:
    """One parameter of a SETTINGS frame."""
    return identifier.to_bytes(2, "big") + value.to_bytes(4, "big")


def opening() -> bytes:
    """SETTINGS (no push, 100,000 streams, the largest stream window) and as much for the connection."""
    window = WINDOW_BYTES.to_bytes(4, "big")
    settings = setting(2, 0) + setting(3, 100_000) + setting(4, WINDOW_BYTES)
    return frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, window)


class Reader:
    """Splits a connection's bytes. Answers SETTINGS and PING by itself; `replies` is what it has to say."""

    def __init__(self) -> None:
        self.replies = b""
        self._buffer = b""
        self._unrenewed = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames about streams. Raises ValueError on a frame that ends the connection or that is unexpected."""
        buffer, at = self._buffer + data, 0
        while len(buffer) - at >= 9:
            end = at + 9 + int.from_bytes(buffer[at : at + 3], "big")
            if end > len(buffer):
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & 0x7FFFFFFF
            received = Frame(buffer[at + 3], buffer[at + 4], stream, buffer[at + 9 : end])
            at = end
            if stream and received.kind != WINDOW_UPDATE:
                yield received
            else:
                self._connection(received)
            if received.kind == DATA:
                self._renew(len(received.payload))
        self._buffer = buffer[at:]

    def _connection(self, received: Frame) -> None:
        match received.kind:
            case 4 if not received.flags & ACK:
                self.replies += frame(SETTINGS, ACK, 0)
            case 6 if not received.flags & ACK:
                self.replies += frame(PING, ACK, 0, received.payload)
            case 7:
                raise ValueError(f"GOAWAY {received.payload!r}")

    def _renew(self, length: int) -> None:
        self._unrenewed += length
        if self._unrenewed >= WINDOW_BYTES // 2:
            self.replies += frame(WINDOW_UPDATE, 0, 0, self._unrenewed.to_bytes(4, "big"))
            self._unrenewed = 0
