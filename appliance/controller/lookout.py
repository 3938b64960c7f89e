"""Keeps `Surroundings` up to date: addresses of the machine, host names of Gateways, the passing of time."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from appliance.controller.machine import address_events, machine_addresses
from appliance.controller.settings import ControllerSettings
from appliance.gatewayapi.surroundings import Surroundings

_LOG = logging.getLogger(__name__)
_LOOK_S: Final = 30.0
"""How often to look again even when nothing was announced; host names are resolved again as often."""


class Lookout:
    """`now()` is what surrounds us; `changed` is called when that may have changed."""

    def __init__(
        self,
        settings: ControllerSettings,
        changed: Callable[[], None],
        addresses: Callable[[], tuple[str, ...]] = machine_addresses,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._changed = changed
        self._read_addresses = addresses
        self._seconds = seconds
        self._addresses: tuple[str, ...] = ()
        self._wanted: frozenset[str] = frozenset()
        self._names: dict[str, tuple[str, ...]] = {}
        self._next_change_s: int | None = None
        self._look = asyncio.Event()

    def now(self, allocations: Mapping[tuple[str, str], str]) -> Surroundings:
        """allocations: what Gateways have from the pool."""
        everywhere = [port for host, port in self._settings.own_addresses if host in ("", "0.0.0.0", "::")]
        denied = {*self._settings.own_addresses, *((a, port) for port in everywhere for a in self._addresses)}
        return Surroundings(
            addresses=self._addresses,
            pool=self._settings.pool,
            allocations=allocations,
            names=self._names,
            reserved_ports=dict.fromkeys(everywhere, "the appliance's own API"),
            denied_networks=self._settings.denied_networks,
            denied_endpoints=frozenset((host, port) for host, port in denied),
            now=int(self._seconds()),
        )

    def expect(self, names: frozenset[str], next_change_s: int | None) -> None:
        """What the last translation would like to know, and when time alone makes it stale."""
        self._next_change_s = next_change_s
        if names != self._wanted:
            self._wanted = names
            self._look.set()

    async def first_look(self) -> None:
        """Know the addresses before the first translation."""
        await self._refresh()

    async def run(self) -> None:
        """Look whenever the kernel says that addresses changed, and every now and then."""
        loop = asyncio.get_running_loop()
        with address_events() as events:
            loop.add_reader(events, self._announced, events)
            try:
                while True:
                    try:
                        await asyncio.wait_for(self._look.wait(), self._pause_s())
                    except TimeoutError:
                        pass  # time to look anyway
                    self._look.clear()
                    if await self._refresh() or self._is_stale():
                        self._next_change_s = None
                        self._changed()
            finally:
                loop.remove_reader(events)

    def _announced(self, events: socket.socket) -> None:
        try:
            events.recv(1 << 16)
        except OSError:  # ENOBUFS: announcements were lost, which is a reason to look just the same
            pass
        self._look.set()

    def _pause_s(self) -> float:
        if self._next_change_s is None:
            return _LOOK_S
        return min(_LOOK_S, max(0.1, self._next_change_s - self._seconds()))

    def _is_stale(self) -> bool:
        return self._next_change_s is not None and self._seconds() >= self._next_change_s

    async def _refresh(self) -> bool:
        try:
            addresses = self._read_addresses()
        except OSError as error:
            _LOG.warning("cannot read the addresses of this machine: %s", error)
            addresses = self._addresses
        resolved = await asyncio.gather(*(self._resolve(name) for name in sorted(self._wanted)))
        names = dict(zip(sorted(self._wanted), resolved, strict=True))
        differs = (addresses, names) != (self._addresses, self._names)
        self._addresses, self._names = addresses, names
        return differs

    async def _resolve(self, name: str) -> tuple[str, ...]:
        """Sorted addresses; empty when the name does not resolve."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # a label of over 63 letters is a UnicodeError; the Gateway's condition says so
            return ()
        return tuple(sorted({str(address[0]) for *_, address in found}))
