"""One bind of the configuration, for as long as it is there: its socket, what serves on it, and tries to get it back.

The socket outlives changes of what is served: a port that turns from HTTP to HTTPS refuses nobody.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import assert_never

from proxy.l4.pipes import Pipes
from proxy.listeners.http import HttpServing
from proxy.listeners.plan import HttpPlan, Plan, TcpPlan, TlsPlan, UdpPlan
from proxy.listeners.sockets import open_socket
from proxy.listeners.tcp import TcpServing
from proxy.listeners.tls import TlsServing
from proxy.listeners.udp import UdpServing
from proxy.services import Services
from proxy.snapshot.report import BindReport, Report

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.5
RETRY_LATEST_S = 15.0

AnyServing = HttpServing | TlsServing | TcpServing | UdpServing


class LiveBind:
    """A bind that listens, or that is tried again until it does."""

    def __init__(
        self, services: Services, pipes: Pipes, report: Callable[[Report], None], plan: Plan, serial: int
    ) -> None:
        self._services = services
        self._pipes = pipes
        self._report = report
        self._plan = plan
        self._serial = serial
        self._socket: socket.socket | None = None
        self._serving: AnyServing | None = None
        self._gone: list[AnyServing] = []
        self._retry: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Try to listen, report how that went, and go on trying if it failed."""
        if not await self._try():
            self._retry = self._services.loop.create_task(self._try_again())

    def takes(self, plan: Plan) -> bool:
        """Whether `change` is enough for this plan."""
        return self._serving is not None and type(plan) is type(self._plan)

    def change(self, plan: Plan, serial: int) -> None:
        """Serve this from now on, on the same socket; report again. Only for a plan that it `takes`."""
        assert self._serving is not None
        if plan.bind is not self._plan.bind:
            _change(self._serving, plan)
        self._plan, self._serial = plan, serial
        self._tell()

    async def reopen(self, plan: Plan, serial: int) -> None:
        """Serve this in place of what was served, or failed to be: a new snapshot is a reason to try at once."""
        self._plan, self._serial = plan, serial
        if self._retry is not None:
            self._retry.cancel()
        self._retire()
        await self.open()

    def stop(self) -> None:
        """Listen no more; what was accepted goes on until `drain`."""
        if self._retry is not None:
            self._retry.cancel()
        self._retire()
        self._close()

    async def drain(self, timeout_s: float) -> None:
        """After `stop`: returns when nothing goes on any more; after the timeout it is cut."""
        await asyncio.gather(*(serving.drain(timeout_s) for serving in self._gone))
        self._gone.clear()

    async def _try(self) -> bool:
        try:
            if self._socket is None:
                self._socket = open_socket(self._plan.bind.key)
            await self._serve(self._socket)
        except OSError as error:
            self._close()
            self._tell(error)
            return False
        except BaseException:
            self._close()
            raise
        self._tell()
        return True

    def _retire(self) -> None:
        """What serves accepts no more."""
        if self._serving is not None:
            self._serving.stop()
            self._gone.append(self._serving)
            self._serving = None

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _try_again(self) -> None:
        pause_s = RETRY_FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(RETRY_LATEST_S, pause_s * 2)
            if await self._try():
                return

    async def _serve(self, listening: socket.socket) -> None:
        serving = self._made(listening.dup(), self._plan)
        try:
            await serving.start()
        except BaseException:
            serving.stop()
            raise
        self._serving = serving

    def _made(self, listening: socket.socket, plan: Plan) -> AnyServing:
        listening.setblocking(False)
        match plan:
            case HttpPlan():
                return HttpServing(self._services, listening, plan)
            case TlsPlan():
                return TlsServing(self._services, self._pipes, listening, plan)
            case TcpPlan():
                return TcpServing(self._services, self._pipes, listening, plan)
            case UdpPlan():
                return UdpServing(self._services, listening, plan)
            case _:
                assert_never(plan)

    def _tell(self, error: OSError | None = None) -> None:
        key = self._plan.bind.key
        if error is None:
            self._report(BindReport(self._serial, key, listening=True))
            return
        code = errno.errorcode.get(error.errno or 0, "")
        reason = os.strerror(error.errno) if error.errno else str(error)
        log.warning("cannot listen on %s port %d (%s): %s", key.address or "*", key.port, key.transport, reason)
        self._report(BindReport(self._serial, key, listening=False, error=reason, error_code=code))


def _change(serving: AnyServing, plan: Plan) -> None:
    match serving, plan:
        case (HttpServing(), HttpPlan()):
            serving.update(plan)
        case (TlsServing(), TlsPlan()):
            serving.update(plan)
        case (TcpServing(), TcpPlan()):
            serving.update(plan)
        case (UdpServing(), UdpPlan()):
            serving.update(plan)
        case _:
            raise TypeError(f"{serving} cannot serve {plan}")
