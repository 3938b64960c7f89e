"""One stream of a connection: what both of its ends may still say, its flow windows, and what waits to be sent.

RFC 9113 sections 5.1 and 5.2. Payload, heads and trailers leave in the order in which they were given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from proxy.protocols.h2.encoder import block as encode_block
from proxy.protocols.h2.errors import Code, StreamFault
from proxy.protocols.h2.frames import DATA, END_HEADERS, END_STREAM, HEADERS, head_frames, pack_front, window_update
from proxy.protocols.h2.handlers import NOBODY, StreamHandler
from proxy.protocols.h2.limits import FRAME_LIMIT_BYTES, WINDOW_LIMIT

if TYPE_CHECKING:
    from proxy.protocols.h2.connection import Connection

_PAYLOAD: Final = 0
_HEAD: Final = 1


class Stream:
    """id: as on the wire. handler: who is told. queued_bytes: payload that waits for window or transport.

    sent_end, received_end: that direction is over. closed: the stream is; its methods do nothing any more.
    send_window, receive_window: bytes of payload that we, and the peer, may send. expected: bytes that the peer still
    has to send, by its content-length; -1 when it did not say. answered: the peer's final head has come.

    onward: where payload goes without the handler seeing it, up to the frame that ends it; passed_bytes: how much did,
    and passed_at: when the last of it came, by the connection's clock; both from `pass_to` on.
    """

    __slots__ = ("_connection", "_full", "_low_window", "_outbox", "_paused", "_queue", "_refused_rest", "_wire_id",
                 "answered", "closed", "expected", "handler", "id", "onward", "passed_at", "passed_bytes",
                 "queued_bytes", "receive_window", "received_end", "send_window", "sent_end")  # fmt: skip

    handler: StreamHandler
    _wire_id: bytes
    passed_at: float
    passed_bytes: int

    def __init__(self, connection: Connection, stream_id: int) -> None:
        self._connection = connection
        self._outbox = connection.outbox
        self.id = stream_id
        self.send_window = connection.peer_window
        window = self.receive_window = connection.limits.stream_window_bytes
        self._low_window = window >> 1
        self.expected = -1
        self.answered = self.closed = self.received_end = self.sent_end = False
        self.queued_bytes = 0
        self.onward: Stream | None = None
        self._queue: deque[tuple[int, bytes, bool]] | None = None
        self._full = self._paused = self._refused_rest = False

    # Sending

    def head(self, block: bytes, ended: bool) -> None:
        """Send a head, encoded by `heads`."""
        outbox = self._outbox
        size = len(block)
        if self.closed:
            return
        if self._queue is not None or outbox.paused:
            self._enqueue(_HEAD, block, ended)
        elif outbox.prefix or size > FRAME_LIMIT_BYTES:
            self._send_head(block, ended)
        else:
            if not outbox.frames:
                outbox.dirty()
            outbox.frames += (pack_front(size << 8 | HEADERS, END_HEADERS | ended, self.id), block)
            if ended:
                self._end_sending()

    def send(self, payload: bytes, ended: bool = False) -> None:
        """Send payload, now or when windows allow; empty payload only with `ended`."""
        size = len(payload)
        outbox = self._outbox
        if (
            self._queue is None
            and size <= self.send_window
            and size <= outbox.window
            and size <= FRAME_LIMIT_BYTES
            and not outbox.paused
        ):
            self.send_window -= size
            outbox.window -= size
            if not outbox.frames:
                outbox.dirty()
            outbox.frames += (pack_front(size << 8 | DATA, ended, self.id), payload)
            if ended:
                self._end_sending()
        elif not self.closed:
            self._enqueue(_PAYLOAD, payload, ended)

    def trailers(self, lines: Sequence[bytes]) -> None:
        """End our body with trailers; without any when `lines` is empty."""
        if lines:
            self.head(encode_block(lines), True)
        else:
            self.send(b"", True)

    def reset(self, code: Code) -> None:
        """Send RST_STREAM; what waits is dropped, and the handler hears nothing more."""
        if not self.closed:
            self._connection.reset_stream(self, code)

    def refuse_rest(self) -> None:
        """We need no more of the peer's body: reset with NO_ERROR once all that we sent is out (section 8.1).

        But a body that is about to end may: there are clients that forget the answer when its stream is reset under
        what they are sending. So the reset waits until the window, which is not renewed, is half used.
        """
        self._refused_rest = True
        self.onward = None
        if self.receive_window <= self._low_window:
            self._end_refused()

    def _end_refused(self) -> None:
        if self.sent_end and not self.received_end:
            self.reset(Code.NO_ERROR)

    def _send_head(self, block: bytes, ended: bool) -> None:
        outbox = self._outbox
        if outbox.prefix:
            block, outbox.prefix = outbox.prefix + block, b""
        outbox.add(head_frames(self.id, block, ended))
        if ended:
            self._end_sending()

    def _end_sending(self) -> None:
        self.sent_end = True
        if self.received_end:
            self.over()
        elif self._refused_rest and self.receive_window <= self._low_window:
            self.reset(Code.NO_ERROR)

    # What waits

    def _enqueue(self, kind: int, content: bytes, ended: bool) -> None:
        queue = self._queue
        if queue is None:
            queue = self._queue = deque()
        if kind == _PAYLOAD:
            self.queued_bytes += len(content)
            while len(content) > FRAME_LIMIT_BYTES:
                queue.append((kind, content[:FRAME_LIMIT_BYTES], False))
                content = content[FRAME_LIMIT_BYTES:]
        queue.append((kind, content, ended))
        self._wait()
        if self.queued_bytes > self._connection.limits.queue_limit_bytes and not self._full:
            self._full = True
            self.handler.full()

    def _wait(self) -> None:
        """Take a place in the turn, unless the stream's own window is shut."""
        if self._queue is None or (self.send_window <= 0 and self.waits_for_window()):
            return
        outbox = self._outbox
        outbox.waiting[self] = None
        if not outbox.paused and (outbox.window > 0 or not self.waits_for_window()):
            outbox.pump()

    def waits_for_window(self) -> bool:
        """Whether what waits first is payload, rather than a head or a mere end."""
        assert self._queue is not None
        kind, content, _ = self._queue[0]
        return kind == _PAYLOAD and bool(content)

    def emit(self) -> bool:
        """Send one frame of what waits, for which the connection's window has room; whether more could be sent."""
        queue = self._queue
        assert queue is not None
        kind, content, ended = queue[0]
        if content and kind == _PAYLOAD:
            size = min(len(content), self.send_window, self._outbox.window, FRAME_LIMIT_BYTES)
            if size < len(content):
                if size > 0:
                    self._emit_payload(content[:size], False)
                    queue[0] = (kind, content[size:], ended)
                return self.send_window > 0
        queue.popleft()
        if not queue:
            self._queue = None
        if kind == _HEAD:
            self._send_head(content, ended)
        else:
            self._emit_payload(content, ended)
        if self._queue is None:
            if self._full and not self.closed:
                self._full = False
                self.handler.drained()
            return False  # what `drained` may have brought has taken its own place
        return not self.closed and (self.send_window > 0 or not self.waits_for_window())

    def _emit_payload(self, payload: bytes, ended: bool) -> None:
        size = len(payload)
        self.send_window -= size
        self.queued_bytes -= size
        self._outbox.window -= size
        self._outbox.add(pack_front(size << 8 | DATA, END_STREAM if ended else 0, self.id) + payload)
        if ended:
            self._end_sending()

    def widen(self, increment: int) -> None:
        """The peer gives more window, or takes some back with a setting. Raises StreamFault."""
        if self.closed:
            return
        self.send_window += increment
        if self.send_window > WINDOW_LIMIT:
            raise StreamFault(Code.FLOW_CONTROL_ERROR, "a window above 2^31-1")
        if increment > 0:
            self._wait()

    def close(self) -> None:
        """It is over: nothing waits any more."""
        self.closed = True
        self.onward = None
        self.send_window = -1  # nothing, not even an end, is sent any more
        self._queue = None
        self.queued_bytes = 0
        if self._outbox.waiting:
            self._outbox.waiting.pop(self, None)

    # Receiving

    def receive(self, payload: bytes, size: int, ended: bool) -> None:
        """DATA: payload, and what it counts with its padding. Raises StreamFault."""
        self.receive_window -= size
        if self.receive_window < 0:
            raise StreamFault(Code.FLOW_CONTROL_ERROR, "more payload than the window allowed")
        if not self.answered:
            raise StreamFault(Code.PROTOCOL_ERROR, "payload before its head")
        if self.expected >= 0:
            self.expected -= len(payload)
            if self.expected < 0:
                raise StreamFault(Code.PROTOCOL_ERROR, "content-length and payload differ")
        if ended:
            self.end_receiving()
            self.handler.payload(payload, True)
            self.settle()
            return
        if payload:
            self.handler.payload(payload, False)
        else:
            self._connection.upset()
        if self.receive_window <= self._low_window:
            if self._refused_rest:
                self._end_refused()
            elif not self._paused:
                self._give_credit()

    def pass_to(self, onward: Stream) -> None:
        """Payload goes straight to `onward`, a stream of another connection, from here on. How its windows and this
        stream's are paused and resumed stays the handlers' matter, and so does every end."""
        if not self.closed and not self.received_end:
            self.onward = onward
            onward._wire_id = onward.id.to_bytes(4, "big")
        self.passed_bytes = 0
        self.passed_at = self._connection.received_at

    def pass_on(self, onward: Stream, front: bytes, payload: bytes, size: int, now_s: float) -> None:
        """DATA without flags or padding, and not empty: as `receive`. Raises StreamFault.

        front: the frame's header up to the stream id. size: of the payload. now_s: by the connection's clock.
        """
        window = self.receive_window = self.receive_window - size
        if window < 0:
            raise StreamFault(Code.FLOW_CONTROL_ERROR, "more payload than the window allowed")
        if self.expected >= 0:
            self.expected -= size
            if self.expected < 0:
                raise StreamFault(Code.PROTOCOL_ERROR, "content-length and payload differ")
        self.passed_bytes += size
        self.passed_at = now_s
        outbox = onward._outbox
        if onward._queue is None and size <= onward.send_window and size <= outbox.window and not outbox.paused:
            onward.send_window -= size
            outbox.window -= size
            if not outbox.frames:
                outbox.dirty()
            outbox.frames += (front, onward._wire_id, payload)
        else:
            onward.send(payload)
        if window <= self._low_window and not self._paused:
            self._give_credit()

    def end_receiving(self) -> None:
        """The peer's direction is over. Raises StreamFault when its content-length promised more."""
        if self.expected > 0:
            raise StreamFault(Code.PROTOCOL_ERROR, "content-length and payload differ")
        self.received_end = True
        self.onward = None

    def settle(self) -> None:
        """Close when both directions are over, once the handler was told."""
        if self.sent_end and self.received_end and not self.closed:
            self.over()

    def over(self) -> None:
        """Both directions have ended in order."""
        self._connection.forget(self)
        self.handler = NOBODY

    def pause_reading(self) -> None:
        """Give the peer no more window for this stream; what it may still send, one window, keeps coming."""
        self._paused = True

    def resume_reading(self) -> None:
        """Give the peer back the window of all that was passed on meanwhile."""
        self._paused = False
        if self.receive_window <= self._low_window and not self._refused_rest:
            self._give_credit()

    def _give_credit(self) -> None:
        if not self.closed and not self.received_end:
            whole = self._connection.limits.stream_window_bytes
            self._outbox.add(window_update(self.id, whole - self.receive_window))
            self.receive_window = whole
