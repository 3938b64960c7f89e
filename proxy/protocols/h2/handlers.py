"""Who a connection talks to: what its owner and the users of its streams are told.

A callback may call back into the stream and the connection. After `lost`, and after both directions have ended, a
stream tells its handler nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.errors import Code

if TYPE_CHECKING:
    from proxy.protocols.h2.request_blocks import RequestBlock
    from proxy.protocols.h2.stream import Stream


class StreamHandler(Protocol):
    """The user of one stream."""

    def payload(self, payload: bytes, ended: bool) -> None:
        """Payload of the peer's body, and whether it ends there without trailers; empty only at an end.

        It counts as passed on when this returns, unless the stream is paused: then when it is resumed.
        """

    def trailers(self, lines: tuple[bytes, ...]) -> None:
        """The end of the peer's body, with those of its trailers that may travel on, as lines `name: value`."""

    def lost(self, code: Code | int, unprocessed: bool) -> None:
        """The stream ended before its time: reset by the peer, or for the peer's fault, or with the connection.

        unprocessed: the peer promised that it did nothing with the request (REFUSED_STREAM, or above GOAWAY's last
        id): it may be sent again whatever it was.
        """

    def full(self) -> None:
        """More waits to be sent on this stream than should: send no more for now."""

    def drained(self) -> None:
        """All that waited is sent."""


class AnswerHandler(StreamHandler, Protocol):
    """The user of a stream that a client opened."""

    def interim(self, response: ResponseHead) -> None:
        """A 1xx head; never 101."""

    def answered(self, response: ResponseHead, ended: bool) -> None:
        """The final head, and whether there is nothing more. It is shared: not to be changed."""


class Nobody:
    """The user of streams that are over, an `AnswerHandler`: without circles, what is over is freed at once."""

    def payload(self, payload: bytes, ended: bool) -> None:
        """See StreamHandler."""

    def trailers(self, lines: tuple[bytes, ...]) -> None:
        """See StreamHandler."""

    def lost(self, code: Code | int, unprocessed: bool) -> None:
        """See StreamHandler."""

    def full(self) -> None:
        """See StreamHandler."""

    def drained(self) -> None:
        """See StreamHandler."""

    def interim(self, response: ResponseHead) -> None:
        """See AnswerHandler."""

    def answered(self, response: ResponseHead, ended: bool) -> None:
        """See AnswerHandler."""


NOBODY: Final = Nobody()


class Owner(Protocol):
    """Who reads and writes the transport."""

    def dirty(self) -> None:
        """There is output where there was none: `take` it before this turn of the loop is over."""

    def failed(self, code: Code, message: str) -> None:
        """The connection is over; GOAWAY is in the output. Its streams were told. Send, and close."""

    def empty(self) -> None:
        """The last open stream has ended."""

    def pong(self, payload: bytes) -> None:
        """The answer to a PING of ours."""

    def settled(self) -> None:
        """The peer has acknowledged our SETTINGS."""


class ServerOwner(Owner, Protocol):
    """The owner of a connection on which a client asks."""

    def requested(self, stream: Stream, request: RequestBlock, ended: bool) -> None:
        """A request. Set `stream.handler` before returning."""


class ClientOwner(Owner, Protocol):
    """The owner of a connection on which we ask."""

    def room(self) -> None:
        """`can_open` may have become true: SETTINGS came, or a stream ended while all that may be were open."""

    def going_away(self, code: Code | int) -> None:
        """GOAWAY came: no stream can be opened any more; those above its last id were told that they are lost."""
