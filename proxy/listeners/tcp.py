"""Accepting TCP connections that are relayed. Accepting is bounded, and stops for a moment when descriptors run out."""

from __future__ import annotations

import asyncio
import logging
import socket

from proxy.l4.pipes import Pipes
from proxy.l4.session_record import SessionRecord
from proxy.l4.tcp import TcpConnections
from proxy.listeners.plan import TcpPlan
from proxy.listeners.sockets import client_text
from proxy.services import Services

log = logging.getLogger(__name__)

ACCEPTS_PER_WAKE = 64
EXHAUSTED_PAUSE_S = 0.5


class TcpServing:
    """One TCP port. Clients over the limit wait in the kernel's queue."""

    def __init__(self, services: Services, pipes: Pipes, listening: socket.socket, plan: TcpPlan) -> None:
        self._loop = services.loop
        self._access_log = services.access_log
        self._metrics = services.metrics
        self._limit = services.options.streams.tcp_connection_limit
        self._listening = listening
        self._plan = plan
        self._connections = TcpConnections(self._loop, services.options.streams, pipes, self._released)
        self._accepting = False
        self._stopped = False
        self._pause: asyncio.TimerHandle | None = None

    def update(self, plan: TcpPlan) -> None:
        """New connections go by this plan; established ones go on."""
        self._plan = plan

    async def start(self) -> None:
        """See Serving."""
        self._accept(True)

    def stop(self) -> None:
        """See Serving."""
        self._stopped = True
        if self._pause is not None:
            self._pause.cancel()
        self._accept(False)
        self._listening.close()

    async def drain(self, timeout_s: float) -> None:
        """See Serving."""
        await self._connections.drain(timeout_s)

    def _readable(self) -> None:
        for _ in range(ACCEPTS_PER_WAKE):
            if len(self._connections) >= self._limit:
                self._accept(False)  # until one ends
                return
            try:
                client, address = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # that client is gone already
            except OSError as error:
                log.warning("cannot accept on port %d: %s", self._plan.bind.key.port, error)
                self._accept(False)
                self._pause = self._loop.call_later(EXHAUSTED_PAUSE_S, self._resume)
                return
            self._take(client, address)

    def _take(self, client: socket.socket, address: object) -> None:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plan = self._plan
        forward = plan.forwarding.forward if plan.forwarding else None
        record = SessionRecord(
            self._access_log, self._metrics, "TCP", client_text(address), plan.listener.name, forward
        )
        self._connections.carry(client, plan.forwarding, record, certificate=plan.listener.backend_certificate)

    def _resume(self) -> None:
        self._pause = None
        self._accept(True)

    def _released(self) -> None:
        if not self._accepting and self._pause is None and len(self._connections) < self._limit:
            self._accept(True)

    def _accept(self, wanted: bool) -> None:
        wanted = wanted and not self._stopped
        if wanted != self._accepting:
            self._accepting = wanted
            if wanted:
                self._loop.add_reader(self._listening.fileno(), self._readable)
            else:
                self._loop.remove_reader(self._listening.fileno())
