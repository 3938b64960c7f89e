"""An HTTP/2 connection to a backend, shared by the streams of many requests; its transport feeds the engine.

It knows nothing of what is below it: the transport is TCP, a Unix socket, or TLS on one of them. All output of one turn
of the event loop goes out at once. A `SharedPool` lends it.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from proxy.http.deadlines import Deadlines
from proxy.http.h2_upstream_stream import H2UpstreamStream
from proxy.options import ProxyOptions
from proxy.protocols.h2.client import ClientConnection
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.limits import Limits

if TYPE_CHECKING:
    from proxy.upstreams.shared_pool import Crew

_ALIVE = b"gatehous"


def _limits(options: ProxyOptions) -> Limits:
    """What a backend may ask of us."""
    return Limits(
        head_limit_bytes=options.limits.head_limit_bytes,
        stream_limit=options.upstream_streams_limit,
        upset_limit=options.upstream_streams_limit * 10,
    )


class H2Upstream(asyncio.Protocol):
    """One connection, and the owner of its engine. Times are `time.monotonic()` seconds, 0.0 for never.

    greeted: done when the backend has said its SETTINGS, and with them how many streams may be open; it fails when the
    connection ends before. lost: the transport is gone.
    """

    def __init__(self, crew: Crew[H2Upstream], deadlines: Deadlines, options: ProxyOptions, scheme: bytes) -> None:
        """crew: who lends its streams. scheme: what requests say they came by, b"https" inside TLS."""
        self.transport: asyncio.Transport
        self.engine = ClientConnection(self, _limits(options), monotonic)
        self.scheme = scheme
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.wake_slot = 0
        self._crew = crew
        self._deadlines = deadlines
        self._timeouts = options.timeouts
        self._loop = asyncio.get_running_loop()
        self._settings_due_s = 0.0
        self._pong_due_s = 0.0
        self._idle_since = 0.0

    @property
    def can_open(self) -> bool:
        """Whether `stream` may be called now."""
        engine = self.engine
        return len(engine.streams) < engine.stream_limit and engine.lasting and not engine.failed and not self.lost

    def stream(self) -> H2UpstreamStream:
        """A stream for one request, to be begun in the same turn of the loop. Only while `can_open`."""
        return H2UpstreamStream(self)

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self.transport = cast(asyncio.Transport, transport)
        self._idle_since = now = monotonic()
        self._settings_due_s = now + self._timeouts.head_s
        self._flush()
        self._watch(self._settings_due_s)

    def data_received(self, data: bytes) -> None:
        """Frames, in any pieces."""
        self.engine.receive(data)

    def eof_received(self) -> bool:
        """The backend sends no more: no answer is to be expected."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, and with it its streams."""
        self.lost = True
        self._deadlines.forget(self)
        self._crew.leave(self)
        self._end_greeting(error)
        self.engine.transport_lost()

    def pause_writing(self) -> None:
        """The backend takes no more for now."""
        self.engine.pause_writing()

    def resume_writing(self) -> None:
        """The backend takes more again."""
        self.engine.resume_writing()

    # What the engine tells: see ClientOwner

    def dirty(self) -> None:
        """See Owner."""
        self._loop.call_soon(self._flush)

    def room(self) -> None:
        """See ClientOwner. SETTINGS have come, if they had not."""
        if not self.greeted.done():
            self.greeted.set_result(None)

    def going_away(self, code: Code | int) -> None:
        """See ClientOwner. The streams that go on are the last ones."""
        self._crew.leave(self)
        self._end_greeting()

    def failed(self, code: Code, message: str) -> None:
        """See Owner."""
        self._crew.leave(self)
        self._end_greeting()
        self._flush()
        self.transport.close()

    def empty(self) -> None:
        """See Owner."""
        self._idle_since = monotonic()
        if not self.engine.lasting:
            self._loop.call_soon(self._close_empty)
        else:
            self._watch(self._idle_since + self._timeouts.upstream_keep_alive_s)

    def settled(self) -> None:
        """See Owner."""
        self._settings_due_s = 0.0

    def pong(self, payload: bytes) -> None:
        """See Owner."""
        self._pong_due_s = 0.0

    # Output, and the end

    def doubt(self, begun_at: float) -> None:
        """A request that was begun then was given up. If nothing at all came since, see whether anybody is there: a
        connection that died without a word would take every request to come."""
        if self.engine.received_at < begun_at and not self._pong_due_s and not self.lost and not self.engine.failed:
            self.engine.ping(_ALIVE)
            self._pong_due_s = monotonic() + self._timeouts.upstream_ping_s
            self._watch(self._pong_due_s)

    def close(self) -> None:
        """Say goodbye and close; streams that are open are lost."""
        self.engine.close(Code.NO_ERROR)

    def _close_empty(self) -> None:
        if not self.engine.streams and not self.lost:
            self.close()

    def _end_greeting(self, cause: Exception | None = None) -> None:
        if not self.greeted.done():
            failure = ConnectionResetError("the backend does not speak HTTP/2, or ended at once")
            failure.__cause__ = cause
            self.greeted.set_exception(failure)
            self.greeted.exception()  # nobody may be waiting any more

    def _flush(self) -> None:
        output = self.engine.take()
        if output and not self.transport.is_closing():
            self.transport.write(output)

    # Time

    def _watch(self, due_s: float) -> None:
        self._deadlines.watch(self, due_s)

    def wake(self, now_s: float) -> float:
        """See whether something is overdue; when to look again."""
        if self.lost:
            return 0.0
        if self.transport.is_closing():
            self.transport.abort()
            return 0.0
        if self._settings_due_s and now_s >= self._settings_due_s:
            self.engine.close(Code.SETTINGS_TIMEOUT, "SETTINGS were not acknowledged")
        elif self._pong_due_s and now_s >= self._pong_due_s:
            self.engine.close(Code.NO_ERROR, "a PING was not answered")
        elif not self.engine.streams and now_s >= self._idle_since + self._timeouts.upstream_keep_alive_s:
            self.close()
        if self.engine.failed:
            return now_s + self._timeouts.linger_s
        return self._due_s(now_s)

    def _due_s(self, now_s: float) -> float:
        since = now_s if self.engine.streams else self._idle_since
        due = since + self._timeouts.upstream_keep_alive_s
        for other in (self._settings_due_s, self._pong_due_s):
            due = min(due, other) if other else due
        return due
