"""Payload of an exchange that is under way between two streams of HTTP/2: it goes from engine to engine.

Heads, trailers and ends still pass through the exchange, and so do the pauses of a side that takes no more. What the
exchange does not see is counted and dated here.
"""

from __future__ import annotations

from proxy.protocols.h2.stream import Stream


class Joint:
    """Two streams, joined once the answer's head has been passed on; closed streams part by themselves.

    client: None when nothing of the request takes the short way.
    """

    __slots__ = ("backend", "client")

    def __init__(self, client: Stream, backend: Stream, *, both: bool) -> None:
        """both: payload of the request too, not only that of the answer."""
        self.backend = backend
        self.client = client if both else None
        backend.pass_to(client)
        if both:
            client.pass_to(backend)

    @property
    def request_bytes(self) -> int:
        """Payload of the request that came so far."""
        return self.client.passed_bytes if self.client is not None else 0

    @property
    def response_bytes(self) -> int:
        """Payload of the answer that came so far."""
        return self.backend.passed_bytes

    @property
    def moved_at(self) -> float:
        """When any of it came last (`time.monotonic()`)."""
        moved_at = self.backend.passed_at
        return max(moved_at, self.client.passed_at) if self.client is not None else moved_at
