"""HTTP/2 at either end: a client with many streams on a connection, and a backend that answers or echoes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hpack import Decoder, Encoder

from loadtests.profile.calls import MESSAGES, Kind, fields, message
from loadtests.profile.end import WrongAnswerError
from loadtests.profile.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    RST_STREAM,
    Frame,
    Reader,
    frame,
    opening,
)
from loadtests.profile.http1 import BODY


@dataclass(slots=True)
class _Call:
    """One request under way. expected: what the rest of its answer's body begins with; left: messages to come."""

    expected: bytes
    body: bytes = b""
    left: int = 0
    status: str = ""


class Http2Client:
    """Keeps `streams` requests under way. For kind "stream" each echoed message counts as an answer."""

    def __init__(self, kind: Kind, *, streams: int, unique: bool, scheme: str = "http") -> None:
        self.done = 0
        self._kind = kind
        self._streams = streams
        self._unique = unique
        self._scheme = scheme
        self._encoder, self._decoder = Encoder(), Decoder()
        self._reader = Reader()
        self._calls: dict[int, _Call] = {}
        self._next = 1

    def start(self) -> bytes:
        """See Client."""
        return PREFACE + opening() + b"".join(self._call() for _ in range(self._streams))

    def read(self, data: bytes) -> bytes:
        """See Client."""
        replies = [self._answer(received) for received in self._reader.feed(data)]
        said, self._reader.replies = self._reader.replies, b""
        return said + b"".join(replies)

    def _call(self) -> bytes:
        stream, self._next = self._next, self._next + 2
        block = self._encoder.encode(fields(self._kind, self._scheme, unique=self._unique))
        if self._kind == "get":
            self._calls[stream] = _Call(BODY)
            return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
        sent = message(stream)
        call = self._calls[stream] = _Call(sent, left=MESSAGES if self._kind == "stream" else 1)
        flags = 0 if call.left > 1 else END_STREAM
        return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, flags, stream, sent)

    def _answer(self, received: Frame) -> bytes:
        call = self._calls.get(received.stream)
        if call is None or received.kind in (RST_STREAM, CONTINUATION):
            raise WrongAnswerError(f"unexpected {received}")
        if received.kind == HEADERS:
            self._head(call, received)
        elif received.kind == DATA:
            call.body += received.payload
            if self._kind == "stream" and call.left:
                return self._echoed(call, received.stream)
        if not received.flags & END_STREAM:
            return b""
        if self._kind != "stream":
            self.done += 1
        if call.body != call.expected or (self._kind == "stream" and call.left):
            raise WrongAnswerError(f"the body is {call.body!r}, not {call.expected!r}")
        del self._calls[received.stream]
        return self._call()

    def _head(self, call: _Call, received: Frame) -> None:
        block = _texts(self._decoder.decode(received.payload))
        if not call.status:
            call.status = block.get(":status", "")
            wrong = call.status != "200"
        else:
            wrong = block.get("grpc-status") != "0" or not received.flags & END_STREAM
        if wrong:
            raise WrongAnswerError(f"answered {block} {received.payload!r}")

    def _echoed(self, call: _Call, stream: int) -> bytes:
        """A message that came back makes the next one go, until all went."""
        if len(call.body) < len(call.expected):
            return b""
        if call.body != call.expected:
            raise WrongAnswerError(f"echoed {call.body!r}")
        self.done += 1
        call.left -= 1
        call.body = b""
        if not call.left:
            call.expected = b""
            return frame(DATA, END_STREAM, stream)
        call.expected = message(stream + call.left)
        return frame(DATA, 0, stream, call.expected)


class Http2Backend:
    """A fixed answer to a GET; to a gRPC call its own messages, then trailers."""

    def __init__(self) -> None:
        self._encoder, self._decoder = Encoder(), Decoder()
        self._reader = Reader()
        self._begun = False
        self._preface = b""

    def read(self, data: bytes) -> bytes:
        """See Backend."""
        said = b""
        if not self._begun:
            self._preface += data
            if len(self._preface) < len(PREFACE):
                return b""
            if not self._preface.startswith(PREFACE):
                raise WrongAnswerError(f"no preface: {self._preface[:40]!r}")
            self._begun, data, said = True, self._preface[len(PREFACE) :], opening()
        replies = [self._answer(received) for received in self._reader.feed(data)]
        said, self._reader.replies = said + self._reader.replies, b""
        return said + b"".join(replies)

    def _answer(self, received: Frame) -> bytes:
        stream, ended = received.stream, received.flags & END_STREAM
        if received.kind == HEADERS:
            return self._begin(received)
        if received.kind == DATA:
            echoed = frame(DATA, 0, stream, received.payload) if received.payload else b""
            return echoed + (self._trailers(stream) if ended else b"")
        raise WrongAnswerError(f"unexpected {received}")

    def _begin(self, received: Frame) -> bytes:
        asked = _texts(self._decoder.decode(received.payload))
        if asked.get("x-added") != "added":
            raise WrongAnswerError(f"the filter was not applied: {asked}")
        if not received.flags & END_STREAM:
            return self._head(received.stream, [("content-type", "application/grpc")])
        described = [("server", "bench"), ("content-type", "text/plain"), ("content-length", str(len(BODY)))]
        return self._head(received.stream, described) + frame(DATA, END_STREAM, received.stream, BODY)

    def _head(self, stream: int, described: list[tuple[str, str]]) -> bytes:
        return frame(HEADERS, END_HEADERS, stream, self._encoder.encode([(":status", "200"), *described]))

    def _trailers(self, stream: int) -> bytes:
        block = self._encoder.encode([("grpc-status", "0"), ("grpc-message", "")])
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)


def _texts(block: Iterable[tuple[str | bytes, str | bytes]]) -> dict[str, str]:
    return {str(name): str(value) for name, value in block}
