"""The side of a connection that answers: clients' header blocks become requests (RFC 9113 sections 5.1, 8.1, 8.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2 import settings
from proxy.protocols.h2.apart import apart
from proxy.protocols.h2.block_memory import BlockMemory
from proxy.protocols.h2.connection import Connection
from proxy.protocols.h2.errors import Code, ConnectionFault, StreamFault
from proxy.protocols.h2.handlers import ServerOwner
from proxy.protocols.h2.limits import WINDOW_LIMIT, Limits
from proxy.protocols.h2.request_blocks import RequestBlock, judge_request
from proxy.protocols.h2.stream import Stream

_SKIPS_REMEMBERED = 16


@apart
class ServerConnection(Connection):
    """One client's connection. Feed it from its very first byte."""

    def __init__(self, owner: ServerOwner, limits: Limits, clock: Callable[[], float]) -> None:
        greeting = wire.settings(
            {
                settings.MAX_CONCURRENT_STREAMS: limits.stream_limit,
                settings.INITIAL_WINDOW_SIZE: limits.stream_window_bytes,
                settings.MAX_HEADER_LIST_SIZE: limits.head_limit_bytes,
            }
        )
        super().__init__(owner, limits, clock, greeting)
        self._server_owner = owner
        self._requests: BlockMemory[RequestBlock] = BlockMemory(self.decoder)
        self._preface = wire.PREFACE  # what is still to come of it
        self._last_id = 0
        self._final_id = WINDOW_LIMIT
        self._skipped: deque[tuple[int, int]] = deque(maxlen=_SKIPS_REMEMBERED)

    def receive(self, data: bytes) -> None:
        """Bytes that came, in any pieces."""
        if self._preface and not self.failed:
            came = data[: len(self._preface)]
            if not self._preface.startswith(came):
                self.close(Code.PROTOCOL_ERROR, "not the preface of HTTP/2")
                return
            self._preface = self._preface[len(came) :]
            data = data[len(came) :]
        super().receive(data)

    def head(self, stream_id: int, block: bytes, ended: bool) -> None:
        """A request, or trailers."""
        if not stream_id & 1:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a stream that a client cannot open")
        if stream_id <= self._last_id:
            if any(first <= stream_id <= last for first, last in self._skipped):
                raise ConnectionFault(Code.PROTOCOL_ERROR, "a stream below one that was opened before")
            self.trailers(stream_id, block, ended)
            return
        if stream_id > self._last_id + 2:
            self._skipped.append((self._last_id + 2, stream_id - 2))
        if stream_id <= self._final_id:
            self._last_id = stream_id
        request, known = None, self._requests
        if known.state == self.decoder.state:
            request = known.known.young.get(block) or known.recall(block)
        try:
            if request is None:
                request = self._judge(block)
            if stream_id > self._final_id:
                return
            if ended and request.length > 0:
                raise StreamFault(Code.PROTOCOL_ERROR, "content-length and payload differ")
            if len(self.streams) >= self.limits.stream_limit:
                raise StreamFault(Code.REFUSED_STREAM, "more streams than our setting allows")
        except StreamFault as fault:
            if stream_id <= self._final_id:
                self.reset_id(stream_id, fault.code)
                self.upset()
            return
        stream = Stream(self, stream_id)
        stream.answered = True
        stream.received_end = ended
        if not ended:
            stream.expected = request.length
        self.streams[stream_id] = stream
        self._server_owner.requested(stream, request, ended)

    def _judge(self, block: bytes) -> RequestBlock:
        fields = self.decoder.decode(block)
        request = judge_request(fields, self.decoder.oversized, self.limits.target_limit_bytes)
        if not self.decoder.changed:
            self._requests.remember(block, request)
        return request

    def go_away(self, *, final: bool) -> None:
        """Announce the end (section 6.8): first without a last id, then with the real one, after which new streams are
        ignored. Those up to it go on."""
        if final:
            self._final_id = self._last_id
        self.outbox.add(wire.goaway(self._final_id, Code.NO_ERROR, ""))

    def is_idle(self, stream_id: int) -> bool:
        """See Connection."""
        return not stream_id & 1 or self._last_id < stream_id <= self._final_id

    def late(self, stream_id: int) -> None:
        """See Connection; what comes for streams that were ignored is ignored too."""
        if stream_id <= self._final_id:
            super().late(stream_id)

    def stream_gone(self) -> None:
        """See Connection."""

    def last_id(self) -> int:
        """See Connection."""
        return self._last_id

    def went_away(self, last_id: int, code: int) -> None:
        """A client that goes away opens no more streams; those that are open go on."""

    def may_open(self, limit: int) -> None:
        """Nothing: we never push."""

    def greeted(self) -> None:
        """Nothing waits for the client's SETTINGS."""
