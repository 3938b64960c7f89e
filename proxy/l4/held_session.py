"""A UDP session that cannot begin yet: the first few datagrams of a client wait for its upstream's addresses.

What is held is bounded for each client and for a whole bind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.l4.outlet import Outlet
from proxy.l4.session_record import SessionRecord
from proxy.l4.udp_session import ClientAddress
from proxy.upstreams.registry import Upstream

if TYPE_CHECKING:
    from proxy.l4.udp import UdpSessions

HELD_DATAGRAMS_LIMIT = 8
"""Of one client; further ones are dropped."""
HELD_LIMIT_BYTES = 1 << 20
"""Of one bind, each datagram with its bookkeeping."""
HELD_COST_BYTES = 256


class HeldSession:
    """A client whose upstream's names have not been answered yet: its first datagrams wait here."""

    __slots__ = ("_answer", "_datagrams", "_sessions", "_task", "active", "client", "record", "upstream")

    to_upstream = to_client = 0

    def __init__(
        self,
        sessions: UdpSessions,
        loop: asyncio.AbstractEventLoop,
        client: ClientAddress,
        upstream: Upstream,
        answer: Outlet,
        record: SessionRecord,
    ) -> None:
        self._sessions = sessions
        self._answer = answer
        self._datagrams: list[bytes] = []
        self.client = client
        self.upstream = upstream
        self.record = record
        self.active = True
        self._task = loop.create_task(self._wait())

    def forward(self, datagrams: Sequence[bytes]) -> Sequence[bytes]:
        """Hold datagrams while there is room. None is left over."""
        for datagram in datagrams:
            cost = len(datagram) + HELD_COST_BYTES
            if len(self._datagrams) < HELD_DATAGRAMS_LIMIT and self._sessions.held_bytes + cost <= HELD_LIMIT_BYTES:
                self._sessions.held_bytes += cost
                self._datagrams.append(datagram)
        return ()

    def leads_somewhere(self) -> bool:
        """It may yet."""
        return True

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait no more."""
        self._task.cancel()
        self._drop()

    async def _wait(self) -> None:
        await self.upstream.resolved()
        if not self._sessions.release(self):
            return
        datagrams = self._drop()
        session = self._sessions.begin(self.client, self.upstream, self._answer, self.record)
        if session is not None:
            session.forward(datagrams)

    def _drop(self) -> list[bytes]:
        datagrams, self._datagrams = self._datagrams, []
        self._sessions.held_bytes -= sum(len(datagram) + HELD_COST_BYTES for datagram in datagrams)
        return datagrams
