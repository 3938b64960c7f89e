"""What an exchange asks of the way back to its client: a connection of HTTP/1.1, or a stream of HTTP/2.

Credit for a request's body is given by reading on. While a way is paused it may deliver what it had allowed its client
to send before (a read, or a window), and no more than that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from proxy.filters.header_edit import HeaderEdit
from proxy.protocols.h1_response import ResponseHead
from proxy.protocols.h2.stream import Stream

if TYPE_CHECKING:
    from proxy.http.client import Client
    from proxy.http.exchange import Exchange


class Answers(Protocol):
    """Where an answer goes: interim heads, then one final head, payload and an end. The integers are bytes sent."""

    def interim(self, response: ResponseHead) -> None:
        """A 1xx head other than 101."""

    def whole(self, response: ResponseHead, edit: HeaderEdit, payload: bytes) -> int:
        """The final head and the whole body."""

    def head(self, response: ResponseHead, edit: HeaderEdit) -> int:
        """The final head; its body follows."""

    def payload(self, payload: bytes) -> None:
        """Payload of the body; not empty."""

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """The last payload, which may be empty, and the end."""


class Downstream(Protocol):
    """The way back. While the client takes no more of an answer, it calls the exchange's `downstream_full`."""

    @property
    def client(self) -> Client:
        """Whose request it is."""

    @property
    def h2(self) -> Stream | None:
        """The engine's stream; None for HTTP/1.1."""

    @property
    def answers(self) -> Answers:
        """Where the answer goes."""

    def own(self, response: ResponseHead, payload: bytes) -> int:
        """Send an answer of the gateway's own, which may come before the request is whole; the bytes sent."""

    def abort(self) -> None:
        """Cut the answer off so that the client can see that it is not whole."""

    def pause_reading(self) -> None:
        """Take no more of the request's body for now."""

    def resume_reading(self) -> None:
        """Take more of it again."""

    def watch(self, due_s: float) -> None:
        """Ask the exchange at `due_s`, or earlier, whether it is overdue (`time.monotonic()`)."""

    def exchange_ended(self) -> None:
        """The exchange is over; nothing more of it will come."""


class Switching(Protocol):
    """A way that can become a tunnel: HTTP/1.1's, after it asked for a change of protocol."""

    def tunnel(
        self, exchange: Exchange, backend: asyncio.Transport, response: ResponseHead, edit: HeaderEdit, rest: bytes
    ) -> None:
        """101: send the head, then carry bytes both ways; `rest` is what the backend sent already."""
