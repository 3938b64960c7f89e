"""The proxy as a whole: snapshots come in from any thread, traffic is carried, reports go out.

It owns every socket and all live state of the data plane, on one event loop. The latest snapshot wins: one that was
overtaken before its turn is never served. A snapshot is compiled in the thread that brings it, and swapped on the loop.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from proxy.allocator import keep_freed_memory
from proxy.l4.pipes import Pipes
from proxy.listeners.binds import changes
from proxy.listeners.live_bind import LiveBind
from proxy.listeners.plan import Planner, Plans
from proxy.options import ProxyOptions
from proxy.services import Services
from proxy.snapshot.clusters import Cluster
from proxy.snapshot.listeners import BindKey
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, BindReport, Report
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.metrics import Metrics
from proxy.upstreams.registry import Registry
from proxy.upstreams.resolve import Lookup

log = logging.getLogger(__name__)

CLUSTERS_PER_TURN = 200


@dataclass(frozen=True, slots=True)
class _Ready:
    """A snapshot, compiled."""

    snapshot: Snapshot
    plans: Plans


@dataclass(frozen=True, slots=True)
class _Steps:
    """From what serves to a snapshot: new and changed clusters, and binds by what happens to them."""

    stale: Mapping[str, Cluster]
    close: Sequence[BindKey]
    change: Sequence[BindKey]
    reopen: Sequence[BindKey]
    open: Sequence[BindKey]

    @property
    def quick(self) -> bool:
        """Whether all of it fits into one turn of the loop."""
        return not (self.close or self.reopen or self.open) and len(self.stale) <= CLUSTERS_PER_TURN


class Proxy:
    """The data plane of one process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: ProxyOptions,
        report: Callable[[Report], None],
        lookup: Lookup | None = None,
    ) -> None:
        """Nothing listens yet. `report` is called on `loop`; `lookup` replaces the system's name resolution.

        Raises OSError when the access log cannot be opened.
        """
        if options.keep_freed_memory:
            keep_freed_memory()
        self._loop = loop
        self._options = options
        self._report = report
        self._registry = Registry(loop, options, report, lookup)
        self._access_log = AccessLog(options.access_log, options.access_log_limit)
        self.metrics = Metrics()
        self._services = Services(loop, options, self._registry, self._access_log, self.metrics)
        self._pipes = Pipes(options.streams.pipe_limit)
        self._planner = Planner(self._registry.get, self.metrics)
        self._compiling = threading.Lock()
        self._binds: dict[BindKey, LiveBind] = {}
        self._next: _Ready | None = None
        self._applying: asyncio.Task[None] | None = None
        self._draining: set[asyncio.Task[None]] = set()
        self._stopped = False

    def apply(self, snapshot: Snapshot) -> None:
        """Make this the configuration. From any thread; returns once compiled; `Applied` tells when it serves.

        Serials must grow. Raises SnapshotError for a snapshot that breaks its contract; the one in force stays.
        """
        with self._compiling:
            ready = _Ready(snapshot, self._planner.plan(snapshot.binds))
            self._loop.call_soon_threadsafe(self._offer, ready)

    def reopen_logs(self) -> None:
        """Write to newly opened log files from now on; the old ones may have been moved away."""
        self._access_log.reopen()

    async def drain(self, timeout_s: float) -> None:
        """Accept nothing more; returns when everything accepted has ended, or was cut after the timeout. For good."""
        self._stopped = True
        if self._applying is not None:
            await asyncio.wait([self._applying])
        binds, self._binds = list(self._binds.values()), {}
        for bind in binds:
            bind.stop()
        for earlier in self._draining:
            earlier.cancel()
        await asyncio.gather(*(bind.drain(timeout_s) for bind in binds))
        self._services.pool.close()
        self._services.h2_pool.close()
        self._pipes.close()
        self._registry.close()
        await self._loop.run_in_executor(None, self._access_log.close)

    def _offer(self, ready: _Ready) -> None:
        if self._stopped:
            return
        if self._applying is None:
            steps = self._steps(ready)
            if steps.quick:
                self._swap_at_once(ready, steps)
                return
            self._applying = self._loop.create_task(self._apply_latest())
        self._next = ready

    async def _apply_latest(self) -> None:
        try:
            while (ready := self._next) is not None and not self._stopped:
                self._next = None
                await self._swap(ready, self._steps(ready))
        finally:
            self._applying = None

    def _steps(self, ready: _Ready) -> _Steps:
        """What there is to do to get from what serves to this snapshot."""
        stale = self._registry.stale(ready.snapshot.clusters)
        change, plans = changes(self._binds.keys(), ready.snapshot.binds), ready.plans.by_key
        keep = [bind.key for bind in change.update if bind.key in plans]
        reopen = [key for key in keep if not self._binds[key].takes(plans[key])]
        fresh = [bind.key for bind in change.open if bind.key in plans]
        return _Steps(stale, change.close, [key for key in keep if key not in reopen], reopen, fresh)

    def _swap_at_once(self, ready: _Ready, steps: _Steps) -> None:
        """Rules and clusters of sockets that are there: done before the next request is read."""
        serial = ready.snapshot.serial
        self._registry.extend(serial, steps.stale)
        for key in steps.change:
            with self._reported(serial, key):
                self._binds[key].change(ready.plans.by_key[key], serial)
        self._finish(ready)

    async def _swap(self, ready: _Ready, steps: _Steps) -> None:
        """Everything, a turn of the loop for each part that takes its time."""
        serial, plans = ready.snapshot.serial, ready.plans.by_key
        await self._extend(serial, steps.stale)
        for key in steps.close:
            self._remove(self._binds.pop(key))
        for key in steps.change:
            with self._reported(serial, key):
                self._binds[key].change(plans[key], serial)
        for key in steps.reopen:
            with self._reported(serial, key):
                await self._binds[key].reopen(plans[key], serial)
        if steps.close:
            await asyncio.sleep(0)  # the loop closes sockets in its next turn, and a new bind may need their place
        for key in steps.open:
            with self._reported(serial, key):
                self._binds[key] = LiveBind(self._services, self._pipes, self._report, plans[key], serial)
                await self._binds[key].open()
        self._finish(ready)

    def _finish(self, ready: _Ready) -> None:
        serial = ready.snapshot.serial
        for key, error in ready.plans.faults.items():
            self._report(BindReport(serial, key, listening=False, error=error))
        self._registry.retire(ready.snapshot.clusters)
        self._report(Applied(serial))

    async def _extend(self, serial: int, stale: Mapping[str, Cluster]) -> None:
        """Thousands of new clusters take their time; traffic goes on between slices of them."""
        items = iter(stale.items())
        self._registry.extend(serial, dict(itertools.islice(items, CLUSTERS_PER_TURN)))
        while some := dict(itertools.islice(items, CLUSTERS_PER_TURN)):
            await asyncio.sleep(0)
            self._registry.extend(serial, some)

    @contextmanager
    def _reported(self, serial: int, key: BindKey) -> Iterator[None]:
        """A fault of ours in one bind must not keep the others from their change; it keeps what it served."""
        try:
            yield
        except Exception as error:
            log.exception("the bind %s could not be changed", key)
            self._report(BindReport(serial, key, listening=False, error=f"fault of the proxy: {error!r}"))

    def _remove(self, bind: LiveBind) -> None:
        bind.stop()
        task = self._loop.create_task(bind.drain(self._options.removed_bind_drain_s))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
