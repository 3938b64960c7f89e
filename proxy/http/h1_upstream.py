"""An HTTP/1.1 connection to a backend: a request's lines and payload go out, judged heads and payload come in.

Nothing unexpected survives on it: bytes while it waits, bytes after an answer, or an answer before its request was sent
whole end the connection, so that no answer is ever given to the wrong request.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from proxy.http.deadlines import Deadlines
from proxy.options import ProxyOptions
from proxy.protocols.h1_body import Body, ChunkedBody, ClosedBody, FramingError, SizedBody, chunk, last_chunk
from proxy.protocols.h1_referee import HeadRefusedError, judge_response
from proxy.protocols.h1_request import CHUNKED_BODY, END_OF_HEAD
from proxy.protocols.h1_response import UNTIL_CLOSE, ResponseHead, scan_response
from proxy.protocols.tls_client import BrokenOffError
from proxy.reasons import Reason
from proxy.upstreams.pool import Stack

if TYPE_CHECKING:
    from proxy.http.fast_lane import FastLane
    from proxy.http.outgoing import OutgoingHead
    from proxy.http.upstream_stream import StreamUser


class H1Upstream(asyncio.Protocol):
    """One connection, and the stream of one user after the other.

    pooled: it has carried a request before. lane: the fast lane that it serves now, instead of a user.
    """

    h2: Final = None

    def __init__(self, stack: Stack[H1Upstream], deadlines: Deadlines, options: ProxyOptions) -> None:
        """stack: where to wait for other work."""
        self.pooled = False
        self.lane: FastLane | None = None
        self.wake_slot = 0
        self.transport: asyncio.Transport
        self._stack = stack
        self._deadlines = deadlines
        self._options = options
        self._user: StreamUser | None = None
        self._buffer = b""
        self._body: Body | None = None
        self._chunked = False
        self._request_sent = True
        self._answering = False
        self._keep_alive = True
        self._interim_bytes = 0
        self._idle_since = 0.0
        self._reading = True
        self._limit = options.idle_upstreams_limit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open; the attempt that asked for it takes it in the same turn of the loop."""
        self.transport = cast(asyncio.Transport, transport)

    # The request

    def begin(self, user: StreamUser, head: OutgoingHead) -> None:
        """See UpstreamStream."""
        self._user = user
        self._answering = False
        length = user.request.length
        self._request_sent = not length
        self._chunked = length == CHUNKED_BODY
        if self._chunked:
            self.transport.write(head.front + b"\r\nTransfer-Encoding: chunked" + head.tail)
        else:
            self.transport.write(head.front + head.tail)

    def take_over(self, user: StreamUser) -> None:
        """Carry a user whose request, head and body, was written by the fast lane."""
        self._user = user
        self._answering = False
        self._request_sent = True

    def hand_over(self, user: StreamUser) -> None:
        """See UpstreamStream."""
        self._user = user

    def write(self, payload: bytes) -> None:
        """See UpstreamStream."""
        self.transport.write(chunk(payload) if self._chunked else payload)

    def end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See UpstreamStream."""
        self._request_sent = True
        if self._chunked:
            payload = (chunk(payload) if payload else b"") + last_chunk(trailers)
        if payload:
            self.transport.write(payload)

    # The answer

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; on a waiting connection, its end."""
        lane = self.lane
        if lane is not None and lane.answer(data):
            return
        user = self._user
        if user is None:
            self.close()
        elif self._body is not None:
            self._feed(data, user)
        else:
            self._answering = True
            if self._buffer:
                data, self._buffer = self._buffer + data, b""
            self._heads(data, user)

    def _heads(self, data: bytes, user: StreamUser) -> None:
        """Interim heads, then the final one; what follows it is the body's."""
        while True:
            end = data.find(END_OF_HEAD)
            if end < 0:
                self._partial(data, user)
                return
            head = data[:end]
            response = scan_response(head)
            if response is None:
                try:
                    response = judge_response(head, upgrading=bool(user.request.upgrade))
                except HeadRefusedError:
                    self._fail(user, Reason.UPSTREAM_PROTOCOL_ERROR)
                    return
            data = data[end + 4 :]
            if response.status >= 200:
                break
            if response.status == 101:
                self._user = None
                user.switched(response, self.transport, data)
                return
            self._interim_bytes += len(head)
            if self._interim_bytes > self._options.limits.head_limit_bytes:
                self._fail(user, Reason.UPSTREAM_PROTOCOL_ERROR)
                return
            user.interim(response)
        self._interim_bytes = 0
        length = response.length if response.has_body and user.request.method != b"HEAD" else 0
        self._keep_alive = response.keep_alive
        if length == len(data):
            self._release()
            user.answered_whole(response, data)
        else:
            self._stream(response, length, data, user)

    def _partial(self, data: bytes, user: StreamUser) -> None:
        """Wait for the rest of a head, within the limit."""
        self._buffer = data
        if len(data) > self._options.limits.head_limit_bytes:
            self._fail(user, Reason.UPSTREAM_PROTOCOL_ERROR)

    def _stream(self, response: ResponseHead, length: int, rest: bytes, user: StreamUser) -> None:
        """An answer that is not exactly what was received with its head: more is to come, or more came than should."""
        if length == 0:
            self._keep_alive = False
            self._release()
            user.answered_whole(response, b"")
            return
        if length == CHUNKED_BODY:
            self._body = ChunkedBody()
        elif length == UNTIL_CLOSE:
            self._body = ClosedBody()
            self._keep_alive = False
        else:
            self._body = SizedBody(length)
        user.answered(response)
        if rest and self._user is not None:
            self._feed(rest, self._user)

    def _feed(self, data: bytes, user: StreamUser) -> None:
        body = self._body
        assert body is not None
        try:
            payload = body.feed(data)
        except FramingError:
            self._fail(user, Reason.UPSTREAM_PROTOCOL_ERROR)
            return
        if not body.done:
            if payload:
                user.payload(payload)
            return
        if body.surplus:
            self._keep_alive = False
        self._release()
        user.payload_end(payload, body.trailers)

    def _release(self) -> None:
        """The answer is whole: wait for other work, or go."""
        self._user = None
        self._body = None
        if not self._reading:
            self.resume_reading()
        if self._keep_alive and self._request_sent:
            self.rest(monotonic())
        else:
            self.close()

    def rest(self, now_s: float) -> None:
        """Wait for other work, if there is room for that."""
        self.lane = None
        self.pooled = True
        self._idle_since = now_s
        if not self._stack.give(self, self._limit):
            self.close()
        elif not self.wake_slot:
            self._deadlines.watch(self, now_s + self._options.timeouts.upstream_keep_alive_s)

    def _fail(self, user: StreamUser, reason: Reason) -> None:
        self._user = None
        self.transport.abort()
        user.lost(reason, "yes")

    def abandon(self) -> None:
        """See UpstreamStream. Only the end of the connection can tell that to the backend."""
        self._user = None
        self.transport.abort()

    def close(self) -> None:
        """End a connection that nobody uses; what of a request is not sent yet has its answer already."""
        self._stack.forget(self)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    # Flow and time

    def pause_reading(self) -> None:
        """The client takes no more for now."""
        if self._reading:
            self._reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """The client takes more again."""
        if not self._reading:
            self._reading = True
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def pause_writing(self) -> None:
        """The backend takes no more of the request for now."""
        self._leave_lane()
        if self._user is not None:
            self._user.upstream_full()

    def resume_writing(self) -> None:
        """The backend takes more again."""
        if self._user is not None:
            self._user.upstream_drained()

    def _leave_lane(self) -> None:
        if self.lane is not None:
            self.lane.leave()

    def eof_received(self) -> bool:
        """The backend sends no more: the end of a body that lasts until then, or of everything."""
        self._keep_alive = False
        self._stack.forget(self)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._deadlines.forget(self)
        self._stack.forget(self)
        self._leave_lane()
        user, self._user = self._user, None
        if user is None:
            return
        if isinstance(self._body, ClosedBody) and error is None:
            user.payload_end(b"", ())
        else:
            reason = Reason.UPSTREAM_TLS_FAILED if isinstance(error, BrokenOffError) else Reason.UPSTREAM_RESET
            user.lost(reason, "perhaps" if self.pooled and not self._answering else "yes")

    def wake(self, now_s: float) -> float:
        """Close a connection that has waited too long."""
        if self._user is not None or self.lane is not None:
            return now_s + self._options.timeouts.upstream_keep_alive_s
        due = self._idle_since + self._options.timeouts.upstream_keep_alive_s
        if now_s < due:
            return due
        self.close()
        return 0.0
