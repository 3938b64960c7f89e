"""Connections of one bind that are relayed, as they are or into TLS: accepted sockets come in, each is connected.

An established relay outlives the route that made it, as a connection does anywhere: a change of the configuration
decides over new connections only. It ends with its bind, or when nothing moves any more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial

from certs.bundle import Bundle
from proxy.l4.bridge import Bridge
from proxy.l4.connecting import Connected, connect
from proxy.l4.forwarding import Forwarding
from proxy.l4.pipes import Pipes
from proxy.l4.relay import Relay, reset
from proxy.l4.session_record import REASONS, SessionRecord
from proxy.options import StreamOptions
from proxy.reasons import Reason, Termination
from proxy.upstreams.registry import Upstream


class TcpConnections:
    """The live connections of one bind."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: StreamOptions,
        pipes: Pipes,
        released: Callable[[], None] = lambda: None,
    ) -> None:
        """`released` is called whenever one has ended."""
        self._loop = loop
        self._options = options
        self._pipes = pipes
        self._released = released
        self._connecting: set[asyncio.Task[None]] = set()
        self._relays: set[Relay] = set()
        self._bridges: set[Bridge] = set()
        self._empty: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._connecting) + len(self._relays) + len(self._bridges)

    def carry(
        self,
        client: socket.socket,
        forwarding: Forwarding | None,
        record: SessionRecord,
        first: bytes = b"",
        *,
        certificate: Bundle | None = None,
    ) -> None:
        """Take over a client's non-blocking socket.

        first: what was already read from it, of TLS that is passed through; nothing is put around that. certificate:
        shown to backends that are reached through TLS.
        """
        upstream = forwarding.choose() if forwarding is not None else Reason.ROUTE_NOT_FOUND
        if isinstance(upstream, str):
            reset(client)
            record.end(upstream, Termination.GATEWAY, len(first))
            return
        if first or upstream.cluster.tls is None:
            task = self._loop.create_task(self._connect(client, upstream, record, first))
        else:
            task = self._loop.create_task(self._bridge(client, upstream, record, certificate))
        self._connecting.add(task)
        task.add_done_callback(self._connect_done)

    async def drain(self, timeout_s: float) -> None:
        """Returns when all have ended; what goes on after the timeout is reset."""
        if len(self):
            self._empty = asyncio.Event()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._empty.wait()
            except TimeoutError:
                pass
        for task in tuple(self._connecting):
            task.cancel()
        for relay in tuple(self._relays):
            relay.finish(Termination.GATEWAY)
        for bridge in tuple(self._bridges):
            bridge.cut()

    async def _connect(self, client: socket.socket, upstream: Upstream, record: SessionRecord, first: bytes) -> None:
        try:
            found = await connect(self._loop, upstream, self._options.tcp_attempt_limit)
        except asyncio.CancelledError:
            reset(client)
            record.end(Reason.SHUTDOWN, Termination.GATEWAY, len(first))
            raise
        if not isinstance(found, Connected):
            reset(client)
            record.end(found, Termination.GATEWAY, len(first))
            return
        record.endpoint = found.peer.label
        relay = Relay(
            self._loop,
            self._pipes,
            client,
            found.socket,
            idle_s=self._options.tcp_idle_s,
            moved=record.counts.moved,
            ended=partial(self._ended, record),
        )
        self._relays.add(relay)
        relay.start(first)

    async def _bridge(
        self, client: socket.socket, upstream: Upstream, record: SessionRecord, certificate: Bundle | None
    ) -> None:
        """The kernel cannot encrypt: the event loop carries the bytes."""
        bridge = Bridge(self._loop, self._options, lambda: upstream, lambda _: record, certificate, self._bridge_ended)
        self._bridges.add(bridge)
        await self._loop.connect_accepted_socket(lambda: bridge, client)

    def _bridge_ended(self, bridge: Bridge) -> None:
        self._bridges.discard(bridge)
        self._gone()

    def _connect_done(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        self._gone()
        if not task.cancelled():
            task.result()  # a fault of ours must not pass unseen

    def _ended(self, record: SessionRecord, relay: Relay, how: Termination) -> None:
        self._relays.discard(relay)
        record.end(REASONS[how], how, relay.to_upstream, relay.to_client)
        self._gone()

    def _gone(self) -> None:
        self._released()
        if self._empty is not None and not len(self):
            self._empty.set()
