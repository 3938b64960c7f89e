"""Two connected stream sockets come in, bytes are carried both ways until both sides have ended.

The kernel moves the bytes (splice through a pipe); where no pipe is to be had they are copied. Each direction ends by
itself: the end of one is passed on as a half-close. A reset on one side resets the other. A side that does not take its
bytes stops the reading of the other, so a relay holds at most a pipe's worth for each direction.
It refuses to know names, routes, endpoints and logs.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable

from proxy.l4.pipes import CAN_SPLICE, Pipe, Pipes
from proxy.reasons import Termination

COPY_BYTES = 1 << 16
FLAGS = (os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK) if CAN_SPLICE else 0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds


def reset(connection: socket.socket) -> None:
    """Close with a reset, so that the peer learns that this was no orderly end."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    except OSError:
        pass  # not connected any more, which is as good
    connection.close()


def reset_transport(transport: asyncio.Transport) -> None:
    """As `reset`, for a connection that the event loop has."""
    try:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    except OSError:
        pass  # not connected any more, which is as good
    transport.abort()


class Relay:
    """The bytes of one connection. `to_client` and `to_upstream` count what was taken in for each side so far."""

    __slots__ = ("_client", "_down", "_ended", "_idle_s", "_seen", "_timer", "_up", "_upstream", "loop", "pipes")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipes: Pipes,
        client: socket.socket,
        upstream: socket.socket,
        *,
        idle_s: float,
        moved: list[int],
        ended: Callable[[Relay, Termination], None],
    ) -> None:
        """Both sockets are non-blocking and become the relay's. Nothing moves before `start`.

        idle_s: closed when nothing moves for once to twice this long. moved: bytes from the client and bytes to it are
        added here as they come. `ended` is called once, after both are closed.
        """
        self.loop = loop
        self.pipes = pipes
        self._client = client
        self._upstream = upstream
        self._up = _Flow(self, client, upstream, Termination.CLIENT, Termination.UPSTREAM, moved, 0)
        self._down = _Flow(self, upstream, client, Termination.UPSTREAM, Termination.CLIENT, moved, 1)
        self._ended = ended
        self._idle_s = idle_s
        self._seen = -1
        self._timer: asyncio.TimerHandle | None = loop.call_later(idle_s, self._look)

    def start(self, first: bytes = b"") -> None:
        """Begin to carry. first: bytes of the client that were read before."""
        self._down.read()
        self._up.begin(first)

    @property
    def to_upstream(self) -> int:
        """Bytes from the client."""
        return self._up.total

    @property
    def to_client(self) -> int:
        """Bytes from the upstream."""
        return self._down.total

    def finish(self, how: Termination, *, orderly: bool = False) -> None:
        """End both connections now, by reset unless orderly."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self._up.release()
        self._down.release()
        for connection in (self._client, self._upstream):
            if orderly:
                connection.close()
            else:
                reset(connection)
        self._ended(self, how)

    def flow_finished(self) -> None:
        """A direction has carried its last byte and its end."""
        if self._up.finished and self._down.finished:
            self.finish(Termination.COMPLETE, orderly=True)

    def _look(self) -> None:
        moved = self._up.total + self._down.total
        if moved == self._seen:
            self.finish(Termination.TIMEOUT)
            return
        self._seen = moved
        self._timer = self.loop.call_later(self._idle_s, self._look)


class _Flow:
    """One direction. At any time it either reads the source, or waits for the target to take what it holds."""

    __slots__ = (
        "_copied",
        "_direction",
        "_held",
        "_moved",
        "_pipe",
        "_reading",
        "_relay",
        "_source",
        "_source_fault",
        "_source_fd",
        "_source_over",
        "_target",
        "_target_fault",
        "_target_fd",
        "_waiting",
        "finished",
        "total",
    )

    def __init__(
        self,
        relay: Relay,
        source: socket.socket,
        target: socket.socket,
        source_fault: Termination,
        target_fault: Termination,
        moved: list[int],
        direction: int,
    ) -> None:
        self._relay = relay
        self._source = source
        self._target = target
        self._source_fd = source.fileno()
        self._target_fd = target.fileno()
        self._source_fault = source_fault
        self._target_fault = target_fault
        self._pipe: Pipe | None = None
        self._held = 0  # bytes in the pipe
        self._copied = memoryview(b"")  # bytes that are not in a pipe; they go first
        self._reading = self._waiting = False
        self._source_over = False
        self._moved = moved
        self._direction = direction
        self.finished = False
        self.total = 0

    def begin(self, first: bytes) -> None:
        """Send what was read before, then read."""
        self.total = len(first)
        self._moved[self._direction] += len(first)
        self._copied = memoryview(first)
        self._push()

    def read(self) -> None:
        """Wake when the source has something."""
        if not self._reading:
            self._reading = True
            self._relay.loop.add_reader(self._source_fd, self._readable)

    def release(self) -> None:
        """Forget the sockets and give the pipe back."""
        self._rest()
        self._wait(False)
        if self._pipe is not None:
            self._relay.pipes.give_back(self._pipe, empty=not self._held)
            self._pipe = None

    def _readable(self) -> None:
        if not self._reading:
            return  # ended by the other callback of the same turn
        pipe = self._pipe
        if pipe is None:
            pipe = self._pipe = self._relay.pipes.lend()
        try:
            if pipe is None:
                data = self._source.recv(COPY_BYTES)
                taken = len(data)
                self._copied = memoryview(data)
            else:
                taken = os.splice(self._source_fd, pipe.write_end, pipe.limit_bytes, flags=FLAGS)
                self._held = taken
        except (BlockingIOError, InterruptedError):
            self._give_back()
            return
        except OSError:
            self._relay.finish(self._source_fault)
            return
        if taken:
            self.total += taken
            self._moved[self._direction] += taken
        else:
            self._source_over = True
        self._push()

    def _writable(self) -> None:
        if self._waiting:
            self._push()

    def _push(self) -> None:
        """Hand to the target what it takes; then read on, wait for it, or pass on the end."""
        try:
            if self._copied:
                self._copied = self._copied[self._target.send(self._copied) :]
            if self._held and not self._copied and self._pipe is not None:
                self._held -= os.splice(self._pipe.read_end, self._target_fd, self._held, flags=FLAGS)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._relay.finish(self._target_fault)
            return
        if self._held or self._copied:
            self._rest()
            self._wait(True)
            return
        self._wait(False)
        self._give_back()
        if self._source_over:
            self._pass_end()
        else:
            self.read()

    def _pass_end(self) -> None:
        self._rest()
        self.finished = True
        try:
            self._target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the target is gone already; its own direction tells
        self._relay.flow_finished()

    def _give_back(self) -> None:
        if self._pipe is not None:
            self._relay.pipes.give_back(self._pipe, empty=True)
            self._pipe = None

    def _rest(self) -> None:
        if self._reading:
            self._reading = False
            self._relay.loop.remove_reader(self._source_fd)

    def _wait(self, wanted: bool) -> None:
        if wanted != self._waiting:
            self._waiting = wanted
            if wanted:
                self._relay.loop.add_writer(self._target_fd, self._writable)
            else:
                self._relay.loop.remove_writer(self._target_fd)
