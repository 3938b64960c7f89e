"""A connection: received bytes are cut into frames and judged, streams and owner are told, output collects.

RFC 9113. What both roles share is here; `server` and `client` know what header blocks mean. Every split of the same
bytes has the same effect. Faults of the peer end in `Owner.failed` or a stream's `lost`, never in an exception.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.block_memory import BlockMemory
from proxy.protocols.h2.control import CONTROLS
from proxy.protocols.h2.decoder import Decoder
from proxy.protocols.h2.errors import Code, ConnectionFault, StreamFault
from proxy.protocols.h2.frames import DATA, END_STREAM, ENDING_DATA, ENDING_HEAD, HEADER_BYTES, LARGEST_ID
from proxy.protocols.h2.frames import unpack_sorted as unpack
from proxy.protocols.h2.handlers import Owner
from proxy.protocols.h2.header_block import PartialBlock, without_padding, without_priority
from proxy.protocols.h2.limits import DEFAULT_WINDOW, FRAME_LIMIT_BYTES, Limits
from proxy.protocols.h2.outbox import Outbox
from proxy.protocols.h2.response_blocks import judge_trailers
from proxy.protocols.h2.stream import Stream
from proxy.protocols.h2.upsets import Upsets

_REMEMBERED_RESETS = 2000


class Connection(ABC):
    """What both roles share.

    owner: who is told. streams: those that are open, by id. outbox: what is to be sent. failed: it is over.
    peer_window: what a new stream may send at first. received_at: when bytes came last, by its clock.
    """

    from_server = False

    def __init__(self, owner: Owner, limits: Limits, clock: Callable[[], float], greeting: bytes) -> None:
        """clock: seconds, monotonic. greeting: what we send first; it waits in the outbox to be taken."""
        self.owner = owner
        self.limits = limits
        self.streams: dict[int, Stream] = {}
        self.outbox = Outbox(owner.dirty, limits.control_limit)
        self.outbox.frames.append(greeting)
        if limits.connection_window_bytes > DEFAULT_WINDOW:
            self.outbox.frames.append(wire.window_update(0, limits.connection_window_bytes - DEFAULT_WINDOW))
        self.failed = False
        self.peer_window = DEFAULT_WINDOW
        self.received_at = clock()
        self.decoder = Decoder(limits.head_limit_bytes, limits.field_count_limit)
        self._trailers: BlockMemory[tuple[bytes, ...]] = BlockMemory(self.decoder)
        self._clock = clock
        self._upsets = Upsets(limits.upset_limit, limits.upset_interval_s, clock)
        self._resets: dict[int, None] = {}
        self._rest = b""
        self._greeted = False
        self._partial: PartialBlock | None = None
        self._plain = False  # greeted, and not within a header block
        self._uncredited_bytes = 0

    # Bytes

    def receive(self, data: bytes) -> None:
        """Bytes that came, in any pieces."""
        if self.failed:
            return
        self.received_at = self._clock()
        if self._rest:
            data, self._rest = self._rest + data, b""
        try:
            done = self._scan(data, len(data))
            self._credit_connection()
        except ConnectionFault as fault:
            self.close(fault.code, fault.message)
        else:
            if done < len(data) and not self.failed:
                self._rest = data[done:]

    def take(self) -> bytes:
        """All output so far, to be written at once; to be asked for the first time as soon as there is a transport."""
        return self.outbox.take()

    def _scan(self, data: bytes, end: int) -> int:
        """Take all whole frames; the place behind them. Raises ConnectionFault."""
        at = 0
        streams, now = self.streams, self.received_at
        while end - at >= HEADER_BYTES:
            excess, size, sort, stream_id = unpack(data, at)
            body_at = at + HEADER_BYTES
            after = body_at + size
            if excess or size > FRAME_LIMIT_BYTES:
                raise ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame that is larger than our setting")
            if after > end:
                break
            if sort <= ENDING_DATA and self._plain:
                stream = streams.get(stream_id)
                if stream is None or stream.received_end:
                    self._frame(DATA, sort, stream_id & LARGEST_ID, data[body_at:after])
                else:
                    self._uncredited_bytes += size
                    onward = stream.onward
                    try:
                        if onward is None or sort or not size:
                            stream.receive(data[body_at:after], size, sort == ENDING_DATA)
                        else:
                            stream.pass_on(onward, data[at : at + 5], data[body_at:after], size, now)
                            at = after
                            continue
                    except StreamFault as fault:
                        self.stream_fault(stream, fault)
            elif sort | END_STREAM == ENDING_HEAD and self._plain and stream_id >= 0:
                self.head(stream_id, data[body_at:after], sort == ENDING_HEAD)
            else:
                self._frame(sort >> 8, sort & 0xFF, stream_id & LARGEST_ID, data[body_at:after])
            at = after
            if self.failed:
                break
        return at

    def _frame(self, kind: int, flags: int, stream_id: int, body: bytes) -> None:
        """A frame that is not of the plainest sort."""
        partial = self._partial
        if partial is not None:
            block = partial.more(kind, flags, stream_id, body)
            if block is not None:
                self._partial, self._plain = None, True
                self.head(stream_id, block, partial.ended)
        elif not self._greeted and (kind != wire.SETTINGS or flags & wire.ACK):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        elif kind == wire.DATA:
            self._data(flags, stream_id, body)
        elif kind == wire.HEADERS:
            self._headers(flags, stream_id, body)
        elif kind in CONTROLS:
            self._greeted = self._plain = True
            CONTROLS[kind](self, flags, stream_id, body)

    def _data(self, flags: int, stream_id: int, body: bytes) -> None:
        payload = without_padding(flags, body)
        self._uncredited_bytes += len(body)
        stream = self.streams.get(stream_id)
        if stream is None:
            self.late(stream_id)
            return
        try:
            if stream.received_end:
                raise StreamFault(Code.STREAM_CLOSED, "payload after the end")
            stream.receive(payload, len(body), flags & wire.END_STREAM != 0)
        except StreamFault as fault:
            self.stream_fault(stream, fault)

    def _headers(self, flags: int, stream_id: int, body: bytes) -> None:
        if not stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "HEADERS on stream 0")
        fragment = without_priority(flags, stream_id, without_padding(flags, body))
        ended = flags & wire.END_STREAM != 0
        if flags & wire.END_HEADERS:
            self.head(stream_id, fragment, ended)
        else:
            self._partial = PartialBlock(stream_id, ended, fragment, self.limits.head_limit_bytes)
            self._plain = False

    def _credit_connection(self) -> None:
        """Give back the connection's window as soon as payload is here: one stream that nobody reads must not hold up
        the others. What a stream can take of our memory is bounded by its own window."""
        window = self.limits.connection_window_bytes
        if self._uncredited_bytes * 4 > window:
            if self._uncredited_bytes > window:
                raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "more payload than the connection's window allowed")
            self.outbox.add(wire.window_update(0, self._uncredited_bytes))
            self._uncredited_bytes = 0

    # Header blocks

    @abstractmethod
    def head(self, stream_id: int, block: bytes, ended: bool) -> None:
        """A whole header block. It must be decoded whatever becomes of its stream. Raises ConnectionFault."""

    def trailers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """A header block that does not open a stream, nor its answer. Raises ConnectionFault."""
        lines = self._trailers.known.young.get(block)
        if lines is None:
            lines = self._trailers.recall(block)
        broken: StreamFault | None = None
        if lines is None:
            fields = self.decoder.decode(block)
            try:
                lines = judge_trailers(fields, oversized=self.decoder.oversized)
                if not self.decoder.changed:
                    self._trailers.remember(block, lines)
            except StreamFault as fault:
                broken = fault
        stream = self.streams.get(stream_id)
        if stream is None:
            self.late(stream_id)
            return
        try:
            if stream.received_end:
                raise StreamFault(Code.STREAM_CLOSED, "trailers after the end")
            if lines is None or not ended:
                raise broken or StreamFault(Code.PROTOCOL_ERROR, "trailers that do not end their stream")
            stream.end_receiving()
        except StreamFault as fault:
            self.stream_fault(stream, fault)
            return
        stream.handler.trailers(lines)
        if stream.sent_end and not stream.closed:
            stream.over()

    # Streams

    @abstractmethod
    def is_idle(self, stream_id: int) -> bool:
        """Whether nobody has opened that stream yet."""

    @abstractmethod
    def stream_gone(self) -> None:
        """A stream is not open any more."""

    @abstractmethod
    def last_id(self) -> int:
        """The last stream of the peer's that we looked at, for GOAWAY."""

    @abstractmethod
    def may_open(self, limit: int) -> None:
        """The peer says how many streams we may have open."""

    @abstractmethod
    def greeted(self) -> None:
        """SETTINGS came."""

    @abstractmethod
    def went_away(self, last_id: int, code: int) -> None:
        """GOAWAY came."""

    def late(self, stream_id: int) -> None:
        """A frame for a stream that is not open: ignored after a reset of ours. Raises ConnectionFault (5.1)."""
        if self.is_idle(stream_id):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame on a stream that was never opened")
        if stream_id not in self._resets:
            raise ConnectionFault(Code.STREAM_CLOSED, "a frame on a stream that is closed")

    def forget(self, stream: Stream) -> None:
        """The stream is over."""
        stream.close()
        self.streams.pop(stream.id, None)
        self.stream_gone()
        if not self.streams:
            self.owner.empty()

    def reset_stream(self, stream: Stream, code: Code) -> None:
        """Send RST_STREAM; late frames on it are ignored."""
        self.reset_id(stream.id, code)
        self.forget(stream)

    def reset_id(self, stream_id: int, code: Code) -> None:
        """Send RST_STREAM for a stream that is, or would have been."""
        if len(self._resets) >= _REMEMBERED_RESETS:
            del self._resets[next(iter(self._resets))]
        self._resets[stream_id] = None
        self.outbox.add(wire.reset(stream_id, code))

    def stream_fault(self, stream: Stream, fault: StreamFault) -> None:
        """The peer broke the stream's rules. Raises ConnectionFault when it does so too often."""
        self.reset_stream(stream, fault.code)
        stream.handler.lost(fault.code, False)
        self.upset()

    def upset(self) -> None:
        """The peer made work and nothing came of it. Raises ConnectionFault when it does so too often."""
        if not self._upsets.one_more():
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "too many resets, or frames that do nothing")

    # The transport, and the end

    def pause_writing(self) -> None:
        """The transport is full: a closed window for everything but control frames."""
        self.outbox.pause()

    def resume_writing(self) -> None:
        """The transport takes more again."""
        self.outbox.resume()

    def ping(self, payload: bytes) -> None:
        """Send a PING of eight bytes; `Owner.pong` hears the answer."""
        self.outbox.add(wire.ping(payload, answer=False))

    def close(self, code: Code, message: str = "") -> None:
        """Send a last GOAWAY; every stream that is open is lost. Then `Owner.failed`."""
        if self.failed:
            return
        self.outbox.add(wire.goaway(self.last_id(), code, message))
        self._lose_all(code)
        self.owner.failed(code, message)

    def transport_lost(self) -> None:
        """The transport is gone: every stream that is open is lost."""
        if not self.failed:
            self._lose_all(Code.INTERNAL_ERROR)

    def _lose_all(self, code: Code) -> None:
        self.failed = True
        self._rest = b""
        streams = list(self.streams.values())
        self.streams.clear()
        for stream in streams:
            stream.close()
        for stream in streams:
            stream.handler.lost(code, False)
