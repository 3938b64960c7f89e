"""The seam towards a backend: a stream that carries one request, and whoever uses it.

A stream is a connection of HTTP/1.1, for as long as it is lent, or a stream of HTTP/2. Paused, it may deliver what the
backend was allowed to send before, and no more than that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from proxy.http.retry import Processed
from proxy.protocols.h1_request import RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.stream import Stream
from proxy.reasons import Reason

if TYPE_CHECKING:
    from proxy.http.outgoing import OutgoingHead


class StreamUser(Protocol):
    """Who is told of an answer: `interim`, then `answered` with `payload` and `payload_end`, or `answered_whole`.

    `lost` may come instead, at any time before the end. Nothing comes after an end, or after it abandoned the stream.
    """

    @property
    def request(self) -> RequestHead:
        """Tells a stream whether a body follows, and what kind of answer has none."""

    def interim(self, response: ResponseHead) -> None:
        """A 1xx head other than 101."""

    def answered(self, response: ResponseHead) -> None:
        """The final head of the answer; its body follows."""

    def answered_whole(self, response: ResponseHead, payload: bytes) -> None:
        """The final head of the answer and its whole body, whose length the head need not tell."""

    def payload(self, payload: bytes) -> None:
        """Payload of the answer's body; not empty."""

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """The last payload of the answer's body, which may be empty."""

    def switched(self, response: ResponseHead, transport: asyncio.Transport, rest: bytes) -> None:
        """101: from here on, `transport` speaks something else, of which `rest` has come already."""

    def lost(self, reason: Reason, processed: Processed) -> None:
        """The stream ended, or its backend said something that is not HTTP, before the answer was whole."""

    def upstream_full(self) -> None:
        """The backend takes no more of the body for now."""

    def upstream_drained(self) -> None:
        """The backend takes more again."""


class UpstreamStream(Protocol):
    """One request and its answer, on a connection that is open."""

    @property
    def h2(self) -> Stream | None:
        """The engine's stream, once begun; None for HTTP/1.1."""

    def begin(self, user: StreamUser, head: OutgoingHead) -> None:
        """Send the head."""

    def hand_over(self, user: StreamUser) -> None:
        """Another user goes on with the request of the one before."""

    def write(self, payload: bytes) -> None:
        """Payload of the request's body; not empty."""

    def end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """The last payload, which may be empty, and the end. Only for requests that have a body."""

    def abandon(self) -> None:
        """Nothing more of the answer is wanted: call back no more."""

    def pause_reading(self) -> None:
        """The client takes no more of the answer for now."""

    def resume_reading(self) -> None:
        """The client takes more again."""
