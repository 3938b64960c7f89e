"""Body framing: received bytes come in, payload goes out (RFC 9112 sections 6 and 7).

A body's `feed` returns the payload inside the data; `done` then says whether it ended, and `surplus` holds what follows
it. Every split of the same bytes gives the same payload. Chunk extensions are dropped, trailers are kept when allowed.
"""

from __future__ import annotations

import re

from proxy.protocols.h1_request import CRLF, TEXT
from proxy.protocols.hop_by_hop import FORBIDDEN_TRAILERS, in_disguise

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?").fullmatch
_TRAILER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t\x20-\x7e\x80-\xff]*").fullmatch
_LINE_LIMIT_BYTES = 4096
_EXTENSIONS_LIMIT_BYTES = 16384
_TRAILERS_LIMIT_BYTES = 16384
_TRAILER_COST_BYTES = 32  # counted for each beside its text, as RFC 9113 section 6.5.2 does


class FramingError(ValueError):
    """Bytes that are not the announced framing; the connection cannot be used any more."""


class SizedBody:
    """A body of a known length, at least 1."""

    __slots__ = ("done", "left", "surplus", "trailers")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = False
        self.surplus = b""
        self.trailers: tuple[bytes, ...] = ()

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`. Not to be called once done."""
        left = self.left - len(data)
        if left > 0:
            self.left = left
            return data
        self.done = True
        if left == 0:
            return data
        self.surplus = data[left:]
        return data[:left]


class ClosedBody:
    """A body that lasts until its connection ends."""

    __slots__ = ("done", "surplus", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.surplus = b""
        self.trailers: tuple[bytes, ...] = ()

    def feed(self, data: bytes) -> bytes:
        """All of `data`."""
        return data


class ChunkedBody:
    """A body in chunks. trailers: the allowed trailer lines, once done."""

    __slots__ = ("_extensions_bytes", "_left", "_pending", "_trailers_bytes", "done", "surplus", "trailers")

    _SIZE, _END_OF_CHUNK, _TRAILERS = 0, -1, -2

    def __init__(self) -> None:
        self.done = False
        self.surplus = b""
        self.trailers: tuple[bytes, ...] = ()
        self._left = self._SIZE  # payload bytes left of this chunk, or what is expected instead
        self._pending = b""
        self._extensions_bytes = 0
        self._trailers_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`. Raises FramingError. Not to be called once done."""
        if self._pending:
            data, self._pending = self._pending + data, b""
        at, payload = 0, []
        while at < len(data) and not self.done:
            if self._left > 0:
                piece = data[at : at + self._left]
                payload.append(piece)
                at += len(piece)
                self._left = self._left - len(piece) or self._END_OF_CHUNK
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._keep(data[at:])
                break
            line, at = data[at : end + 1], end + 1
            self._take(line)
        if self.done:
            self.surplus = data[at:]
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def _keep(self, rest: bytes) -> None:
        """Hold an unfinished line; what can no longer become a good one is refused at once."""
        if len(rest) > _LINE_LIMIT_BYTES or (self._left == self._END_OF_CHUNK and rest != b"\r"):
            raise FramingError("a chunk or trailer line that is too long or misplaced")
        self._pending = rest

    def _take(self, line: bytes) -> None:
        if line[-2:] != CRLF or len(line) > _LINE_LIMIT_BYTES:
            raise FramingError("a line of the chunked framing that does not end in CRLF, or is too long")
        line = line[:-2]
        if self._left == self._END_OF_CHUNK:
            if line:
                raise FramingError("a chunk that is longer than announced")
            self._left = self._SIZE
        elif self._left == self._SIZE:
            match = _CHUNK(line)
            if match is None:
                raise FramingError("a chunk size that is not a hexadecimal number")
            self._extensions_bytes += len(line) - len(match[1])
            if self._extensions_bytes > _EXTENSIONS_LIMIT_BYTES:
                raise FramingError("too many chunk extensions")
            self._left = int(match[1], 16) or self._TRAILERS
        elif line:
            self._trailer(line)
        else:
            self.done = True

    def _trailer(self, line: bytes) -> None:
        match = _TRAILER(line)
        self._trailers_bytes += len(line) + _TRAILER_COST_BYTES
        if match is None or line.translate(None, TEXT) or self._trailers_bytes > _TRAILERS_LIMIT_BYTES:
            raise FramingError("a trailer that is not well formed, or too many of them")
        name = match[1].lower()
        if name not in FORBIDDEN_TRAILERS and not in_disguise(name):
            self.trailers += (line,)


Body = SizedBody | ClosedBody | ChunkedBody


def chunk(payload: bytes) -> bytes:
    """One chunk; the payload must not be empty."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def last_chunk(trailers: tuple[bytes, ...] = ()) -> bytes:
    """The end of a chunked body."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n" + CRLF.join(trailers) + b"\r\n\r\n"
