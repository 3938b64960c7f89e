"""Plain HTTP on a socket: connections come in, HttpPort's protocols carry them."""

from __future__ import annotations

import socket

from proxy.http.port import HttpPort
from proxy.listeners.plan import HttpPlan
from proxy.listeners.serving import StreamServer
from proxy.services import Services


class HttpServing:
    """One HTTP port; its listeners change under live connections."""

    def __init__(self, services: Services, listening: socket.socket, plan: HttpPlan) -> None:
        self._port = HttpPort(services)
        self._server = StreamServer(services.loop, listening, lambda: self._port.protocol(None))
        self._port.update(plan.site)

    def update(self, plan: HttpPlan) -> None:
        """From the next request on, these are the listeners."""
        self._port.update(plan.site)

    async def start(self) -> None:
        """See Serving."""
        await self._server.start()

    def stop(self) -> None:
        """See Serving."""
        self._server.stop()

    async def drain(self, timeout_s: float) -> None:
        """See Serving."""
        await self._port.drain(timeout_s)
