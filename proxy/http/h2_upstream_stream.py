"""One request and its answer on an HTTP/2 connection to a backend."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.heads import request_block
from proxy.protocols.h2.stream import Stream
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.http.h2_upstream import H2Upstream
    from proxy.http.outgoing import OutgoingHead
    from proxy.http.retry import Processed
    from proxy.http.upstream_stream import StreamUser

_MISUNDERSTANDINGS = frozenset(
    (
        Code.PROTOCOL_ERROR,
        Code.FLOW_CONTROL_ERROR,
        Code.STREAM_CLOSED,
        Code.FRAME_SIZE_ERROR,
        Code.COMPRESSION_ERROR,
        Code.SETTINGS_TIMEOUT,
    )
)


class H2UpstreamStream:
    """The `UpstreamStream` of one user, and the engine's `AnswerHandler`."""

    __slots__ = ("_answered", "_begun_at", "_connection", "_request_sent", "_stream", "_user")

    _stream: Stream

    def __init__(self, connection: H2Upstream) -> None:
        self._connection = connection
        self._user: StreamUser | None = None
        self._answered = False
        self._request_sent = True
        self._begun_at = 0.0

    # What the user asks: see UpstreamStream

    def begin(self, user: StreamUser, head: OutgoingHead) -> None:
        """See UpstreamStream."""
        self._user = user
        self._begun_at = monotonic()
        connection, request = self._connection, user.request
        self._request_sent = not request.length
        block = request_block(request, head.front, head.tail, connection.scheme)
        self._stream = connection.engine.open(block, self, request.method == b"HEAD", self._request_sent)

    def hand_over(self, user: StreamUser) -> None:
        """See UpstreamStream."""
        self._user = user

    def write(self, payload: bytes) -> None:
        """See UpstreamStream."""
        self._stream.send(payload)

    def end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See UpstreamStream."""
        self._request_sent = True
        if not trailers:
            self._stream.send(payload, True)
            return
        if payload:
            self._stream.send(payload)
        self._stream.trailers(trailers)

    def abandon(self) -> None:
        """See UpstreamStream. The backend is told, and the other streams go on."""
        self._user = None
        self._stream.reset(Code.CANCEL)
        self._connection.doubt(self._begun_at)

    def pause_reading(self) -> None:
        """See UpstreamStream."""
        self._stream.pause_reading()

    def resume_reading(self) -> None:
        """See UpstreamStream."""
        self._stream.resume_reading()

    @property
    def h2(self) -> Stream:
        """See UpstreamStream."""
        return self._stream

    # What the engine tells: see AnswerHandler

    def interim(self, response: ResponseHead) -> None:
        """See AnswerHandler."""
        if self._user is not None:
            self._user.interim(response)

    def answered(self, response: ResponseHead, ended: bool) -> None:
        """See AnswerHandler."""
        self._answered = True
        if self._user is None:
            return
        if ended:
            self._release().answered_whole(response, b"")
        else:
            self._user.answered(response)

    def payload(self, payload: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self._user is None:
            return
        if ended:
            self._release().payload_end(payload, ())
        else:
            self._user.payload(payload)

    def trailers(self, lines: tuple[bytes, ...]) -> None:
        """See StreamHandler."""
        if self._user is not None:
            self._release().payload_end(b"", lines)

    def lost(self, code: Code | int, unprocessed: bool) -> None:
        """See StreamHandler."""
        user, self._user = self._user, None
        if user is not None:
            reason = Reason.UPSTREAM_PROTOCOL_ERROR if code in _MISUNDERSTANDINGS else Reason.UPSTREAM_RESET
            user.lost(reason, self._processed(unprocessed))

    def full(self) -> None:
        """See StreamHandler."""
        if self._user is not None:
            self._user.upstream_full()

    def drained(self) -> None:
        """See StreamHandler."""
        if self._user is not None:
            self._user.upstream_drained()

    def _release(self) -> StreamUser:
        """The answer is whole. What is left of a request that has its answer is not sent any more."""
        user, self._user = self._user, None
        assert user is not None
        if not self._request_sent:
            self._stream.reset(Code.CANCEL)
        return user

    def _processed(self, unprocessed: bool) -> Processed:
        if unprocessed:
            return "no"
        quiet = self._connection.lost and not self._answered and self._connection.engine.received_at < self._begun_at
        return "perhaps" if quiet else "yes"
