"""The body of a request on its way to a backend; what comes before there is a stream for it waits here."""

from __future__ import annotations

from proxy.http.upstream_stream import UpstreamStream


class RequestBody:
    """complete: its end has come, with `trailers`. spent: some of it went to a backend, so the request cannot be sent
    again. held: what waits for a stream.

    replay_limit_bytes: so much of what was sent is kept, so that it can be sent again; beyond, it is spent.
    """

    __slots__ = ("_sent", "_sent_bytes", "complete", "held", "replay_limit_bytes", "spent", "trailers")

    def __init__(self) -> None:
        self.complete = False
        self.spent = False
        self.held: list[bytes] = []
        self.trailers: tuple[bytes, ...] = ()
        self.replay_limit_bytes = 0
        self._sent: list[bytes] | None = None
        self._sent_bytes = 0

    def hold(self, payload: bytes, *, end: bool, trailers: tuple[bytes, ...] = ()) -> None:
        """Keep payload for a stream to come. Whoever delivers it is to pause: this has no bound of its own."""
        self.complete = end
        self.trailers = trailers
        if payload:
            self.held.append(payload)

    def pass_on(self, stream: UpstreamStream, payload: bytes, end: bool, trailers: tuple[bytes, ...]) -> None:
        """Send payload, and the end."""
        if payload or end:
            self._spend(payload)
        if end:
            self.complete = True
            self.trailers = trailers
            stream.end(payload, trailers)
        elif payload:
            stream.write(payload)

    def release(self, stream: UpstreamStream) -> bool:
        """Send what was held; whether there was anything."""
        held, self.held = self.held, []
        if not held and not self.complete:
            return False
        for payload in held:
            self._spend(payload)
        if not held:
            self._spend(b"")
        last = held.pop() if self.complete and held else b""
        for payload in held:
            stream.write(payload)
        if self.complete:
            stream.end(last, self.trailers)
        return True

    def rewind(self) -> None:
        """What was sent is to be sent again, before what is held. Only for a body that is not spent."""
        if self._sent:
            self.held[:0] = self._sent
        self._sent, self._sent_bytes = None, 0

    def give_up_replay(self) -> None:
        """It will not be sent again: nothing of it is kept."""
        self.spent, self._sent = True, None

    def _spend(self, payload: bytes) -> None:
        if not self.replay_limit_bytes:
            self.spent = True
        if self.spent:
            return
        self._sent_bytes += len(payload)
        if self._sent_bytes > self.replay_limit_bytes:
            self.spent, self._sent = True, None
        elif payload:
            if self._sent is None:
                self._sent = []
            self._sent.append(payload)
