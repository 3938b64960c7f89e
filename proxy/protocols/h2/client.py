"""The side of a connection that asks: requests are opened as streams, servers' header blocks become answers.

RFC 9113 sections 5.1, 6.8, 8.1.
"""

from __future__ import annotations

from collections.abc import Callable

from proxy.protocols.h1_request import CHUNKED_BODY
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2 import settings
from proxy.protocols.h2.apart import apart
from proxy.protocols.h2.block_memory import BlockMemory
from proxy.protocols.h2.connection import Connection
from proxy.protocols.h2.errors import Code, StreamFault
from proxy.protocols.h2.handlers import NOBODY, AnswerHandler, ClientOwner
from proxy.protocols.h2.limits import Limits
from proxy.protocols.h2.response_blocks import judge_response
from proxy.protocols.h2.stream import Stream

_LAST_ID = 2**31 - 1
_STREAMS_BEFORE_SETTINGS = 100
"""How many streams are opened before the server has said how many may be: what section 6.5.2 wants it to allow."""


@apart
class AskedStream(Stream):
    """A stream of ours. head_only: the request was a HEAD, whose answer's length is not that of a body."""

    __slots__ = ("asker", "head_only", "interim_bytes")

    asker: AnswerHandler
    head_only: bool
    interim_bytes: int

    def over(self) -> None:
        """See Stream."""
        self._connection.forget(self)
        self.handler = self.asker = NOBODY

    def count_interim(self, size: int) -> None:
        """Raises StreamFault when interim answers do not end."""
        self.interim_bytes += size
        if self.interim_bytes > self._connection.limits.head_limit_bytes:
            raise StreamFault(Code.ENHANCE_YOUR_CALM, "too many interim answers")


@apart
class ClientConnection(Connection):
    """One connection to a server. can_open: a stream may be opened now; lasting: ever again. stream_limit: how many may
    be open at once."""

    from_server = True

    def __init__(self, owner: ClientOwner, limits: Limits, clock: Callable[[], float]) -> None:
        """limits.stream_limit bounds how many streams we open, whatever the server says."""
        greeting = wire.PREFACE + wire.settings(
            {
                settings.ENABLE_PUSH: 0,
                settings.INITIAL_WINDOW_SIZE: limits.stream_window_bytes,
                settings.MAX_HEADER_LIST_SIZE: limits.head_limit_bytes,
            }
        )
        super().__init__(owner, limits, clock, greeting)
        self._client_owner = owner
        self._responses: BlockMemory[ResponseHead] = BlockMemory(self.decoder)
        self._next_id = 1
        self.stream_limit = min(_STREAMS_BEFORE_SETTINGS, limits.stream_limit)
        self._told_limit = False
        self.lasting = True

    @property
    def can_open(self) -> bool:
        """Whether `open` may be called now."""
        return self.lasting and not self.failed and len(self.streams) < self.stream_limit

    def open(self, block: bytes, handler: AnswerHandler, head_only: bool, ended: bool) -> Stream:
        """Send a request's head, encoded by `heads`. head_only: it is a HEAD. Only while `can_open`."""
        stream_id = self._next_id
        self._next_id += 2
        if self._next_id > _LAST_ID:
            self.lasting = False
        stream = AskedStream(self, stream_id)  # without an `__init__` of its own, which would have to call another
        stream.handler = stream.asker = handler
        stream.head_only = head_only
        stream.interim_bytes = 0
        self.streams[stream_id] = stream
        stream.head(block, ended)
        return stream

    def head(self, stream_id: int, block: bytes, ended: bool) -> None:
        """An answer's head, interim ones included, or its trailers."""
        stream = self.streams.get(stream_id)
        if stream is None or stream.answered:
            self.trailers(stream_id, block, ended)
            return
        assert isinstance(stream, AskedStream)
        try:
            response, known = None, self._responses
            if known.state == self.decoder.state:
                response = known.known.young.get(block) or known.recall(block)
            if response is None:
                response = self._judge(block)
            if response.status < 200:
                if ended:
                    raise StreamFault(Code.PROTOCOL_ERROR, "an interim answer that ends its stream")
                stream.count_interim(len(block))
                stream.asker.interim(response)
                return
            self._answered(stream, response, ended)
        except StreamFault as fault:
            self.stream_fault(stream, fault)

    def _answered(self, stream: AskedStream, response: ResponseHead, ended: bool) -> None:
        has_length = response.has_body and not stream.head_only and response.length != CHUNKED_BODY
        if has_length:
            stream.expected = response.length
        elif not response.has_body or stream.head_only:
            stream.expected = 0
        if ended:
            stream.end_receiving()
        stream.answered = True
        stream.asker.answered(response, ended)
        if ended:
            stream.settle()

    def _judge(self, block: bytes) -> ResponseHead:
        fields = self.decoder.decode(block)
        response = judge_response(fields, oversized=self.decoder.oversized)
        if not self.decoder.changed:
            self._responses.remember(block, response)
        return response

    def is_idle(self, stream_id: int) -> bool:
        """See Connection."""
        return not stream_id & 1 or stream_id >= self._next_id

    def stream_gone(self) -> None:
        """See Connection."""
        if len(self.streams) == self.stream_limit - 1 and self.lasting:
            self._client_owner.room()

    def last_id(self) -> int:
        """No server opens streams here."""
        return 0

    def may_open(self, limit: int) -> None:
        """The server says how many streams may be open at once."""
        self._told_limit = True
        self.stream_limit = min(limit, self.limits.stream_limit)

    def greeted(self) -> None:
        """The server's SETTINGS came; without a limit in them there is only ours."""
        if not self._told_limit:
            self.stream_limit = self.limits.stream_limit
        if self.can_open:
            self._client_owner.room()

    def went_away(self, last_id: int, code: int) -> None:
        """Streams above the last id were not looked at, and may be asked elsewhere (section 6.8)."""
        self.lasting = False
        spared = [stream for stream_id, stream in self.streams.items() if stream_id > last_id]
        for stream in spared:
            stream.close()
            del self.streams[stream.id]
        self._client_owner.going_away(code)
        for stream in spared:
            stream.handler.lost(Code.REFUSED_STREAM, not stream.answered)
        if not self.streams:
            self.owner.empty()
