"""One client's UDP session: its datagrams go to one endpoint through a socket of its own, and answers come back.

The socket is the session's alone, so answers find their way and the kernel tells of refusals. It is drained until it is
empty, with a bound on the work of one turn of the loop. Full buffers drop, as UDP does.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.l4.connecting import family_of
from proxy.l4.outlet import Outlet
from proxy.l4.session_record import SessionRecord
from proxy.reasons import Reason, Termination
from proxy.upstreams.peer import Peer
from proxy.upstreams.registry import Upstream

if TYPE_CHECKING:
    from proxy.l4.udp import UdpSessions

DATAGRAM_BYTES = 65535
DATAGRAMS_PER_WAKE = 64
BUFFER_BYTES = 1 << 20

ClientAddress = tuple[object, ...]


class UdpSession:
    """One client's datagrams. active: whether any passed since somebody looked."""

    __slots__ = (
        "_answer",
        "_answer_one",
        "_moved",
        "_outlet",
        "_proven",
        "_receive",
        "_send_one",
        "_sessions",
        "active",
        "backend",
        "client",
        "peer",
        "record",
        "to_client",
        "to_upstream",
        "upstream",
    )

    def __init__(
        self,
        sessions: UdpSessions,
        client: ClientAddress,
        backend: socket.socket,
        upstream: Upstream,
        peer: Peer,
        answer: Outlet,
        record: SessionRecord,
    ) -> None:
        self._sessions = sessions
        self.client = client
        self.backend = backend
        # Until the endpoint has answered, singly: of a run to one that is not there all would be lost at once.
        self._outlet = Outlet(backend, runs=False)
        self._send_one = self._outlet.send_one
        self._answer_one = answer.send_one
        self._proven = False
        self._receive = backend.recv
        self._answer = answer
        self.upstream = upstream
        self.peer = peer
        self.record = record
        self._moved = record.counts.moved
        self.active = True
        self.to_upstream = 0
        self.to_client = 0

    def forward(self, datagrams: Sequence[bytes]) -> Sequence[bytes]:
        """Send datagrams of the client to the endpoint. What is left over when the endpoint refuses, for another."""
        self.active = True
        if len(datagrams) == 1:
            moved, sent, error = len(datagrams[0]), 0, None
            try:
                self._send_one(datagrams[0])
            except OSError as refusal:
                moved, error = 0, refusal
        else:
            sent, error = self._outlet.send(datagrams)
            moved = sum(map(len, datagrams[:sent]))
        self.to_upstream += moved
        self._moved[0] += moved
        if error is None or isinstance(error, BlockingIOError):  # the backend's buffer is full: the rest is dropped
            return ()
        self._refused(error)
        return datagrams[sent + 1 :]

    def answers(self) -> None:
        """Send the client what the endpoint has sent."""
        receive = self._receive
        self.active = True
        datagrams: list[bytes] = []
        failed = None
        try:
            for _ in range(DATAGRAMS_PER_WAKE):
                datagrams.append(receive(DATAGRAM_BYTES))  # noqa: PERF401  # what came before an error counts
        except BlockingIOError:
            if datagrams:
                self.peer.succeeded()
                if not self._proven:
                    self._proven = self._outlet.runs = True
        except OSError as error:
            failed = error
        if len(datagrams) == 1:
            moved = len(datagrams[0])
            try:
                self._answer_one(datagrams[0])
            except OSError:
                pass  # as in _deliver
        else:
            moved = sum(map(len, datagrams))
            self._deliver(datagrams)
        self.to_client += moved
        self._moved[1] += moved
        if failed is not None:
            self._refused(failed)

    def leads_somewhere(self) -> bool:
        """Its endpoint is still one of the upstream's."""
        return self.peer in self.upstream.peers

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the backend's socket go."""
        loop.remove_reader(self.backend.fileno())
        self.backend.close()

    def _deliver(self, datagrams: Sequence[bytes]) -> None:
        """To the client. What it misses when it cannot be reached is for its protocol to notice."""
        while datagrams:
            sent, error = self._answer.send(datagrams)
            if isinstance(error, BlockingIOError):
                return
            datagrams = datagrams[sent + 1 :]

    def _refused(self, error: OSError) -> None:
        self.peer.failed(error.strerror or str(error))
        self._sessions.end(self, Reason.CONNECT_FAILED, Termination.UPSTREAM)


def connected(address: tuple[str, int]) -> socket.socket:
    """A socket towards an endpoint. Raises OSError."""
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made
