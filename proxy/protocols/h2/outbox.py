"""What a connection has to send: frames collect until they are taken, in one piece per turn of the loop.

The connection's window towards the peer is here, and the turn order of streams that wait for it. A transport that takes
nothing is a closed window, for heads too, so that what waits is bounded by the streams that may be open. Whether it
takes something shows only after a turn, in which a loop may read megabytes from every backend; so of a wider window
no more is opened in one turn than `TURN_LIMIT_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from proxy.protocols.h2.encoder import TABLE_SIZE_0
from proxy.protocols.h2.errors import Code, ConnectionFault
from proxy.protocols.h2.limits import DEFAULT_WINDOW, WINDOW_LIMIT

if TYPE_CHECKING:
    from proxy.protocols.h2.stream import Stream

TURN_LIMIT_BYTES = 256 * 1024
"""Of payload: as much as a read of the loop brings at once, and more than a transport takes before it is full."""


class Outbox:
    """frames: what to send; `dirty` is called before something is put into it while it is empty.

    window: bytes of payload that the connection may send in this turn. paused: the transport takes nothing.
    waiting: the streams that have something to send and are not held up by their own window.
    prefix: what the next header block must begin with.
    """

    __slots__ = ("_control_limit", "_controls", "_openable", "_reserve", "dirty", "frames", "paused", "prefix",
                 "waiting", "window")  # fmt: skip

    def __init__(self, dirty: Callable[[], None], control_limit: int) -> None:
        self.dirty = dirty
        self.frames: list[bytes] = []
        self.window = DEFAULT_WINDOW
        self._reserve = 0  # of the peer's window, what this turn does not use
        self._openable = TURN_LIMIT_BYTES - DEFAULT_WINDOW  # how much more of it this turn may
        self.paused = False
        self.waiting: dict[Stream, None] = {}
        self.prefix = TABLE_SIZE_0
        self._control_limit = control_limit
        self._controls = 0

    def add(self, frame: bytes) -> None:
        """Send a frame that no window holds up."""
        if not self.frames:
            self.dirty()
        self.frames.append(frame)

    def answer(self, frame: bytes) -> None:
        """Send what the peer makes us say. Raises ConnectionFault when it makes us talk and does not listen.

        So does one who asks for that much in one turn of the loop, in which much can be received.
        """
        self._controls += 1
        if self._controls > self._control_limit:
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, "more answers are asked for than are read")
        self.add(frame)

    def take(self) -> bytes:
        """Everything so far; what waited for the end of this turn is there for the next."""
        if not self.paused:
            self._controls = 0
        frames, self.frames = self.frames, []
        self._openable = TURN_LIMIT_BYTES - self.window
        if self._reserve:
            self._open()
        return b"".join(frames)

    def widen(self, increment: int) -> None:
        """The peer gives more window. Raises ConnectionFault."""
        self._reserve += increment
        if self.window + self._reserve > WINDOW_LIMIT:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "a window above 2^31-1")
        self._open()

    def _open(self) -> None:
        opened = min(self._reserve, self._openable)
        self._reserve -= opened
        self._openable -= opened
        self.window += opened
        if self.waiting:
            self.pump()

    def pause(self) -> None:
        """The transport takes no more."""
        self.paused = True

    def resume(self) -> None:
        """The transport takes more again."""
        self.paused = False
        self._controls = 0
        self.pump()

    def pump(self) -> None:
        """Let the streams that wait send, a frame each in turn."""
        held: list[Stream] = []
        waiting = self.waiting
        while waiting and not self.paused:
            stream = next(iter(waiting))
            del waiting[stream]
            if self.window <= 0 and stream.waits_for_window():
                held.append(stream)
            elif stream.emit():
                waiting[stream] = None
        for stream in held:
            if not stream.closed:  # by what the handler of another did when that was drained
                waiting[stream] = None
