"""A request of the gateway's own beside an exchange: a head and payload come in, what is answered goes to its sender.

Bounded in time and memory: what cannot be sent on waits up to a limit, and then the errand fails; nobody waits for it.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from proxy.http.opening import kept_stream, open_stream
from proxy.http.retry import Processed, after_lost_stream
from proxy.http.upstream_stream import UpstreamStream
from proxy.protocols.h1_request import RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason
from proxy.services import Peer, Upstream
from proxy.upstreams.connect import ConnectFailedError

if TYPE_CHECKING:
    from certs.bundle import Bundle
    from proxy.http.outgoing import OutgoingHead
    from proxy.http.port import HttpPort


class Sender(Protocol):
    """Whom an errand reports to: a head, payload and an end, or, at any time before the end, a failure."""

    def answered(self, response: ResponseHead) -> None:
        """The final head of the answer."""

    def payload(self, payload: bytes) -> None:
        """Payload of the answer; not empty."""

    def finished(self, trailers: tuple[bytes, ...]) -> None:
        """The answer is whole."""

    def failed(self, reason: Reason) -> None:
        """There will be no answer, or no more of it."""


class Errand:
    """One request to one endpoint of a cluster. What is lost before it was answered is tried again as an exchange would
    try it, as long as everything that was sent can be sent again.

    request: tells the length of the body and the method. wake_slot: for `Deadlines`.
    """

    __slots__ = (
        "_among",
        "_attempts",
        "_backlog_bytes",
        "_certificate",
        "_cluster",
        "_complete",
        "_due_s",
        "_ended",
        "_full",
        "_head",
        "_kept",
        "_limit_bytes",
        "_opening",
        "_over",
        "_port",
        "_sender",
        "_stream",
        "_trailers",
        "_written",
        "request",
        "wake_slot",
    )

    def __init__(
        self,
        port: HttpPort,
        cluster: str,
        request: RequestHead,
        head: OutgoingHead,
        sender: Sender,
        certificate: Bundle | None,
        *,
        among: set[Errand],
        life_s: float,
    ) -> None:
        """certificate: shown to backends that speak TLS. among: where it is while it is under way. life_s: from now to
        the end of the answer."""
        self.request = request
        self.wake_slot = 0
        self._port = port
        self._cluster = cluster
        self._certificate = certificate
        self._head = head
        self._sender = sender
        self._due_s = monotonic() + life_s
        self._among = among
        self._attempts = 0
        self._limit_bytes = port.services.options.limits.mirror_backlog_limit_bytes
        self._stream: UpstreamStream | None = None
        self._opening: asyncio.Task[None] | None = None
        self._kept: list[bytes] | None = []
        self._backlog_bytes = 0
        self._written = 0
        self._complete = not request.length
        self._trailers: tuple[bytes, ...] = ()
        self._full = False
        self._ended = False
        self._over = False

    def begin(self) -> None:
        """Set out. What the sender is told, it may be told before this returns."""
        self._among.add(self)
        self._port.deadlines.watch(self, self._due_s)
        upstream = self._port.services.registry.get(self._cluster)
        if upstream is None:
            self._fail(Reason.BACKEND_NOT_FOUND)
        else:
            self._opening = self._port.services.loop.create_task(self._open(upstream, fresh=False))

    def write(self, payload: bytes, *, end: bool, trailers: tuple[bytes, ...] = ()) -> None:
        """Payload of the request's body, and whether it ends there."""
        if self._over:
            return
        if end:
            self._complete, self._trailers = True, trailers
        if self._kept is not None:
            self._keep(payload)
        elif self._full or self._stream is None:
            self._fail(Reason.OVERLOADED)
        else:
            self._send(payload)

    def abandon(self) -> None:
        """Nothing more is wanted of it: the sender is told nothing more. Harmless when it is over."""
        if not self._over:
            self._end()

    def wake(self, now_s: float) -> float:
        """See Watched: its time is over, or not yet."""
        if now_s < self._due_s:
            return self._due_s
        self._fail(Reason.UPSTREAM_TIMEOUT)
        return 0.0

    async def _open(self, upstream: Upstream, *, fresh: bool) -> None:
        peer = await self._peer(upstream)
        if peer is None:
            self._opening = None
            self._fail(Reason.NO_ENDPOINT)
            return
        services = self._port.services
        stream = None if fresh and not peer.http2 else kept_stream(services, peer, self._certificate)
        if stream is None:
            try:
                stream = await open_stream(services, self._port.deadlines, upstream, peer, self._certificate)
            except ConnectFailedError as error:
                self._opening = None
                self._fail(error.reason)
                return
        self._opening = None
        self._attempts += 1
        self._stream = stream
        self._written, self._full, self._ended = 0, False, False
        stream.begin(self, self._head)
        self._flush()

    async def _peer(self, upstream: Upstream) -> Peer | None:
        peer = upstream.pick()
        if peer is None:
            await upstream.resolved()
            peer = upstream.pick()
        return peer

    def _keep(self, payload: bytes) -> None:
        """Remember what may have to wait, or to be sent again."""
        assert self._kept is not None
        if payload:
            self._kept.append(payload)
            self._backlog_bytes += len(payload)
        self._flush()
        if self._backlog_bytes > self._limit_bytes and self._kept is not None:
            if self._full or self._stream is None:
                self._fail(Reason.OVERLOADED)
            else:
                self._kept = None

    def _flush(self) -> None:
        """Send on what waits, and the end when there is no more."""
        stream, kept = self._stream, self._kept
        if stream is None or kept is None:
            return
        while not self._full and self._written < len(kept):
            self._written += 1
            stream.write(kept[self._written - 1])
        if self._complete and not self._ended and not self._full and self._written == len(kept):
            self._finish(stream, b"")

    def _send(self, payload: bytes) -> None:
        """Send on what is not remembered any more."""
        assert self._stream is not None
        if self._complete:
            self._finish(self._stream, payload)
        elif payload:
            self._stream.write(payload)

    def _finish(self, stream: UpstreamStream, payload: bytes) -> None:
        self._ended = True
        if self.request.length:
            stream.end(payload, self._trailers)

    def _fail(self, reason: Reason) -> None:
        if not self._over:
            self._end()
            self._sender.failed(reason)

    def _end(self) -> None:
        self._over = True
        self._among.discard(self)
        self._port.deadlines.forget(self)
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.abandon()

    # What the stream tells

    def interim(self, response: ResponseHead) -> None:
        """See StreamUser. Nobody asked."""

    def answered(self, response: ResponseHead) -> None:
        """See StreamUser."""
        self._sender.answered(response)

    def answered_whole(self, response: ResponseHead, payload: bytes) -> None:
        """See StreamUser."""
        self._stream = None
        self._end()
        self._sender.answered(response)
        if payload:
            self._sender.payload(payload)
        self._sender.finished(())

    def payload(self, payload: bytes) -> None:
        """See StreamUser."""
        self._sender.payload(payload)

    def payload_end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        """See StreamUser."""
        self._stream = None
        self._end()
        if payload:
            self._sender.payload(payload)
        self._sender.finished(trailers)

    def switched(self, response: ResponseHead, transport: asyncio.Transport, rest: bytes) -> None:
        """See StreamUser. Nobody asked for that either."""
        self._stream = None
        transport.abort()
        self._fail(Reason.UPSTREAM_PROTOCOL_ERROR)

    def lost(self, reason: Reason, processed: Processed) -> None:
        """See StreamUser."""
        self._stream = None
        services = self._port.services
        upstream = services.registry.get(self._cluster)
        method, limit, gone = self.request.method, services.options.attempt_limit, self._kept is None
        decision = after_lost_stream(method, self._attempts, limit, processed, body_sent=gone)
        if decision == "give_up" or upstream is None:
            self._fail(reason)
        else:
            self._opening = self._port.services.loop.create_task(self._open(upstream, fresh=True))

    def upstream_full(self) -> None:
        """See StreamUser."""
        self._full = True

    def upstream_drained(self) -> None:
        """See StreamUser."""
        self._full = False
        self._flush()
