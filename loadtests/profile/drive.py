"""Turns of the loop: all that is ready is delivered and measured; then both ends think, unmeasured."""

from __future__ import annotations

import asyncio
import cProfile
from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time_ns, sleep, thread_time_ns

from loadtests.profile.end import Backend, Client, MakeBackend, MakeClient, WrongAnswerError
from loadtests.profile.memory import MemoryLoop, MemoryTransport

SILENT_TURNS = 2000
YIELD_S = 0.0001
"""What a loop that polls sockets gives other threads by itself: without it the access log starves and loses lines."""
LOG_S = 0.3
"""After a spell, for the access log to write what waits: its thread's time belongs to the spell."""


@dataclass(frozen=True, slots=True)
class Spell:
    """CPU time of one spell, microseconds per answer: on the loop's thread, and on all others (the access log's)."""

    loop_us: float
    others_us: float


class Driver:
    """Plays clients and backends of one proxy."""

    def __init__(self, loop: MemoryLoop, client: MakeClient, backend: MakeBackend, connections: int) -> None:
        self._loop = loop
        self._backend = backend
        self._clients: list[tuple[MemoryTransport, Client]] = []
        self._backends: list[tuple[MemoryTransport, Backend]] = []
        self._ready: list[tuple[MemoryTransport, bytes]] = []
        for _ in range(connections):
            end, transport = client(), loop.client()
            self._clients.append((transport, end))
            self._ready.append((transport, end.start()))

    @property
    def done(self) -> int:
        """Right answers so far."""
        return sum(client.done for _, client in self._clients)

    async def run(self, answers: int, profiler: cProfile.Profile | None = None) -> Spell:
        """Until `answers` more are there. Raises WrongAnswerError, also when nothing comes any more."""
        before, start_all, start_own = self.done, process_time_ns(), thread_time_ns()
        measured_ns = silent = 0
        while self.done - before < answers:
            ready, self._ready = self._ready, []
            if profiler is not None:
                profiler.enable()
            start = thread_time_ns()
            for transport, data in ready:
                transport.protocol.data_received(data)
            await asyncio.sleep(0)  # whatever the proxy put off until the end of its turn
            measured_ns += thread_time_ns() - start
            if profiler is not None:
                profiler.disable()
            silent = 0 if ready else silent + 1
            if silent > SILENT_TURNS:
                raise WrongAnswerError("the proxy says nothing any more")
            self._collect()
            sleep(YIELD_S)
        own_ns = thread_time_ns() - start_own
        sleep(LOG_S)
        units = self.done - before
        return Spell(measured_ns / units / 1000, max(0, process_time_ns() - start_all - own_ns) / units / 1000)

    def _collect(self) -> None:
        while len(self._backends) < len(self._loop.connected):
            self._backends.append((self._loop.connected[len(self._backends)], self._backend()))
        _answer(self._clients, self._ready)
        _answer(self._backends, self._ready)


def _answer(
    ends: Sequence[tuple[MemoryTransport, Client]] | Sequence[tuple[MemoryTransport, Backend]],
    ready: list[tuple[MemoryTransport, bytes]],
) -> None:
    for transport, end in ends:
        if data := transport.take():
            reply = end.read(data)
            if reply:
                ready.append((transport, reply))
        if transport.closed:
            raise WrongAnswerError("the proxy closed a connection")
