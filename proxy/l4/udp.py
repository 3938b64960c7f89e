"""UDP sessions of one bind: datagrams of clients come in, each client's go to one endpoint, answers go back.

A session belongs to a client's address. It ends when it has been idle, when its endpoint refuses, or to make room.
While the names of an upstream have not been answered once, the first few datagrams of a client are held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from proxy.l4.forwarding import Forwarding
from proxy.l4.held_session import HeldSession
from proxy.l4.outlet import Outlet
from proxy.l4.session_record import SessionRecord
from proxy.l4.udp_session import ClientAddress, UdpSession, connected
from proxy.options import StreamOptions
from proxy.reasons import Reason, Termination
from proxy.upstreams.connect import OUR_OWN_FAULT
from proxy.upstreams.registry import Upstream


class UdpSessions:
    """The sessions of one bind, oldest first."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: StreamOptions) -> None:
        self._loop = loop
        self._options = options
        self._by_client: dict[ClientAddress, UdpSession | HeldSession] = {}
        self.held_bytes = 0
        self._sweep: asyncio.TimerHandle | None = None
        self.find = self._by_client.get

    def __len__(self) -> int:
        return len(self._by_client)

    def open(
        self, client: ClientAddress, answer: Outlet, forwarding: Forwarding, record: SessionRecord
    ) -> UdpSession | HeldSession | None:
        """A new session for a client, connected at once, so that its first datagram is not lost; None when refused.

        answer: the way to the client.
        """
        upstream = forwarding.choose()
        if isinstance(upstream, str):
            record.end(upstream, Termination.GATEWAY)
            return None
        if upstream.awaits_names:
            self._make_room()
            held = HeldSession(self, self._loop, client, upstream, answer, record)
            self._keep(held)
            return held
        return self.begin(client, upstream, answer, record)

    def begin(
        self, client: ClientAddress, upstream: Upstream, answer: Outlet, record: SessionRecord
    ) -> UdpSession | None:
        """A session to an upstream whose addresses are known; None when there is none, or it cannot be reached."""
        peer = upstream.pick()
        if peer is None or isinstance(peer.address, str):
            record.end(Reason.NO_ENDPOINT, Termination.GATEWAY)
            return None
        self._make_room()
        record.endpoint = peer.label
        try:
            backend = connected(peer.address)
        except OSError as error:
            if error.errno in OUR_OWN_FAULT:
                record.end(Reason.OVERLOADED, Termination.GATEWAY)
            else:
                peer.failed(error.strerror or str(error))
                record.end(Reason.CONNECT_FAILED, Termination.GATEWAY)
            return None
        session = UdpSession(self, client, backend, upstream, peer, answer, record)
        self._loop.add_reader(backend.fileno(), session.answers)
        self._keep(session)
        return session

    def release(self, held: HeldSession) -> bool:
        """Take a held session out, for what comes after it; False when it has ended already."""
        return self._by_client.pop(held.client, None) is held

    def close(self) -> None:
        """End all sessions."""
        for session in tuple(self._by_client.values()):
            self.end(session, Reason.SHUTDOWN, Termination.GATEWAY)
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def keep_only(self, clusters: Collection[str]) -> None:
        """End the sessions that go to other clusters than these."""
        for session in tuple(self._by_client.values()):
            if session.upstream.cluster.name not in clusters:
                self.end(session, Reason.OK, Termination.GATEWAY)

    def end(self, session: UdpSession | HeldSession, reason: str, how: Termination) -> None:
        """Forget a session and what it holds; its client's next datagram begins another."""
        if self._by_client.pop(session.client, None) is None:
            return
        session.close(self._loop)
        session.record.end(reason, how, session.to_upstream, session.to_client)

    def _keep(self, session: UdpSession | HeldSession) -> None:
        self._by_client[session.client] = session
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._options.udp_idle_s, self._expire)

    def _make_room(self) -> None:
        """Second chance: the oldest session that was not active since it was last looked at gives way."""
        while len(self._by_client) >= self._options.udp_session_limit:
            session = next(iter(self._by_client.values()))
            if not session.active:
                self.end(session, Reason.OVERLOADED, Termination.GATEWAY)
                return
            session.active = False
            self._by_client[session.client] = self._by_client.pop(session.client)

    def _expire(self) -> None:
        for session in tuple(self._by_client.values()):
            if session.active and session.leads_somewhere():
                session.active = False
            else:  # idle; or its endpoint is gone, and it must not go there for ever
                self.end(session, Reason.OK, Termination.COMPLETE)
        self._sweep = self._loop.call_later(self._options.udp_idle_s, self._expire) if self._by_client else None
