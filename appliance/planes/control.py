"""The control plane: store, API, controller and manifest folders, on one event loop.

Settings, a data folder and the proxy's `apply` come in; a serving API and snapshots go out. What other threads read of
it are futures and plain attributes that are replaced, never changed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from appliance.admin import endpoints, metrics
from appliance.admin.checks import Check
from appliance.admin.endpoint_health import EndpointHealth
from appliance.clock import rfc3339_now
from appliance.controller.endpoints import EndpointsController
from appliance.controller.loop import Controller
from appliance.controller.settings import ControllerSettings
from appliance.credentials import open_token, server_names, token_hash, write_kubeconfig
from appliance.data_dir import DataDir
from appliance.gatewayapi.resources import GATEWAY_GROUP
from appliance.manifests.sight import Memory
from appliance.manifests.watcher import Watcher
from appliance.planes.api_context import api_context
from appliance.planes.foundation import listen, open_authority, open_store
from appliance.settings import Settings
from appliance.settings_values import HostPort
from certs.authority import Authority
from proxy.snapshot.model import EMPTY, Snapshot
from proxy.snapshot.report import EndpointReport, Report
from store.auth.authentication import Authenticator, User
from store.http.app import create_app
from store.http.server import ApiServer
from store.service import Service
from store.verbs import Collection, ListOptions

_LOG = logging.getLogger(__name__)
_ADMIN = User("admin", ("system:masters",))
_RENEWAL_LOOK_S = 3600.0
_READY_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class DataPlane:
    """What the control plane needs of the proxy."""

    apply: Callable[[Snapshot], None]
    collector: Collector


class ControlPlane:
    """`run` is the thread's; the rest may be called from any thread.

    serving: the API's address, once it answers. ready: set when the first snapshot serves and the files are applied.
    """

    def __init__(self, settings: Settings, data: DataDir) -> None:
        self._settings = settings
        self._data = data
        self._controller: Controller | None = None
        self._watcher: Watcher | None = None
        self._snapshot = EMPTY
        self._health = EndpointHealth()
        self._data_plane: concurrent.futures.Future[DataPlane] = concurrent.futures.Future()
        self._quiet: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._stop: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.serving: concurrent.futures.Future[HostPort] = concurrent.futures.Future()
        self.quiesced: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.ready: concurrent.futures.Future[None] = concurrent.futures.Future()

    def attach(self, data_plane: DataPlane) -> None:
        """The proxy is there: begin to configure it."""
        self._data_plane.set_result(data_plane)

    def report(self, report: Report) -> None:
        """Something the proxy did."""
        if isinstance(report, EndpointReport):
            self._health.note(report)
            return
        if self._controller is not None:
            self._controller.report(report)

    def quiesce(self) -> None:
        """Change nothing any more: no new snapshots, statuses or files. The API goes on. `quiesced` follows."""
        _settle(self._quiet)

    def stop(self) -> None:
        """End; `run` returns."""
        _settle(self._quiet)
        _settle(self._stop)

    async def run(self) -> None:
        """The life of the control plane. Raises StartError for what an operator can mend."""
        async with contextlib.AsyncExitStack() as stack:
            service = await open_store(self._data, serve_workloads=self._settings.serve_workloads)
            stack.push_async_callback(service.close)
            authority = open_authority(self._data)
            servers = await self._serve(service, authority, stack)
            data_plane = await self._first(self._data_plane)
            if data_plane is not None:
                await self._work(service, authority, servers[0], data_plane)
            self.quiesced.set_result(None)
            await asyncio.wrap_future(self._stop)

    async def _serve(
        self, service: Service, authority: Authority, stack: contextlib.AsyncExitStack
    ) -> tuple[ApiServer, ...]:
        """Begin to answer at --api-bind and --metrics-bind."""
        bind = self._settings.api_bind
        token = open_token(self._data)
        registry = metrics.registry([metrics.Gauges(self._gauges(service)), _Late(self._data_plane)])
        admin = endpoints.routes([Check("ping", lambda: "")], self._ready_checks(service), registry)
        names = server_names(bind)
        authenticator = Authenticator({token_hash(token): _ADMIN})
        down = endpoints.endpoints_route(
            lambda: self._health.down(self._snapshot.clusters), read=lambda: self._snapshot
        )
        api_routes = [*admin, endpoints.snapshot_route(lambda: self._snapshot), down]
        app = create_app(service, authenticator=authenticator, extra_routes=api_routes, hosts=names)
        context = await asyncio.to_thread(api_context, authority, names)
        servers = [ApiServer(app, context, bind.host, bind.port)]
        await listen(servers[0], bind, "--api-bind")
        stack.push_async_callback(servers[0].stop)
        if (plain := self._settings.metrics_bind) is not None:
            servers.append(ApiServer(endpoints.plain_app(admin), None, plain.host, plain.port))
            await listen(servers[1], plain, "--metrics-bind")
            stack.push_async_callback(servers[1].stop)
        address = HostPort(bind.host, servers[0].port)
        write_kubeconfig(self._data, authority.ca_pem, address, token)
        self.serving.set_result(address)
        return tuple(servers)

    async def _work(self, service: Service, authority: Authority, api: ApiServer, data_plane: DataPlane) -> None:
        """Reconcile and watch until told to be quiet. A task that ends by itself ends the appliance."""

        def apply(snapshot: Snapshot) -> None:
            data_plane.apply(snapshot)
            self._snapshot = snapshot

        controller = Controller(service, apply, self._controller_settings())
        self._controller = controller
        jobs: list[Coroutine[object, object, None]] = [self._reconcile(service), self._renew(authority, api)]
        if self._settings.serve_workloads:
            jobs.append(EndpointsController(service).run())
        if self._settings.manifests:
            self._watcher = Watcher(
                service,
                self._settings.manifests,
                size_limit_bytes=self._settings.manifest_limit_bytes,
                memory=Memory(self._data.folders),
                now=rfc3339_now,
            )
            jobs.append(self._watcher.run())
        tasks = {asyncio.create_task(job) for job in jobs}
        quiet = asyncio.wrap_future(self._quiet)
        pending: set[asyncio.Future[None]] = {*tasks, quiet}
        try:
            while not quiet.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _reconcile(self, service: Service) -> None:
        """The controller. What the store knew before is served at once, while files are read; a store without Gateways
        waits for them, so that its first snapshot is whole. Ready when the files are applied and serve."""
        controller = self._controller
        assert controller is not None
        if self._watcher is not None and not _has_gateways(service):
            await self._watcher.applied.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(controller.run())
            if self._watcher is not None:
                await self._watcher.applied.wait()
            revision = service.revision
            while not controller.serves(revision):
                await asyncio.sleep(_READY_LOOK_S)
            _settle(self.ready)

    async def _renew(self, authority: Authority, api: ApiServer) -> None:
        """Show a new certificate when the old one grows old."""
        names = server_names(self._settings.api_bind)
        shown = authority.serving_bundle(names).fingerprint
        while True:
            await asyncio.sleep(_RENEWAL_LOOK_S)
            bundle = await asyncio.to_thread(authority.serving_bundle, names)
            if bundle.fingerprint != shown:
                await api.renew(await asyncio.to_thread(api_context, authority, names))
                shown = bundle.fingerprint
                _LOG.info("the API shows a new certificate, %s", bundle)

    async def _first(self, awaited: concurrent.futures.Future[DataPlane]) -> DataPlane | None:
        """The data plane, or None when the stop came first."""
        attached, quiet = asyncio.wrap_future(awaited), asyncio.wrap_future(self._quiet)
        pending: set[asyncio.Future[Any]] = {attached, quiet}
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        return attached.result() if attached.done() else None

    def _controller_settings(self) -> ControllerSettings:
        api = self.serving.result()
        own = [api, *([self._settings.metrics_bind] if self._settings.metrics_bind else [])]
        return ControllerSettings(
            pool=self._settings.address_pool,
            denied_networks=self._settings.deny_backends,
            own_addresses=tuple(own),
        )

    def _ready_checks(self, service: Service) -> list[Check]:
        """What /readyz asks."""

        def store() -> str:
            return service.failing

        def stopping() -> str:
            return "the appliance is stopping" if self._quiet.done() else ""

        def snapshot() -> str:
            return "" if self.ready.done() else "what the store held at the start does not serve yet"

        def manifests() -> str:
            applied = not self._settings.manifests or (self._watcher is not None and self._watcher.applied.is_set())
            return "" if applied else "the files present at start are not all applied yet"

        return [
            Check("store", store),
            Check("manifests", manifests),
            Check("snapshot", snapshot),
            Check("shutdown", stopping),
        ]

    def _gauges(self, service: Service) -> Callable[[], list[tuple[str, str, float]]]:
        def read() -> list[tuple[str, str, float]]:
            gauges = [
                ("gatehouse_store_revision", "Revision of the last change in the store", float(service.revision)),
                (
                    "gatehouse_endpoints_down",
                    "Endpoints that refuse connections",
                    float(len(self._health.down(self._snapshot.clusters))),
                ),
                ("gatehouse_ready", "1 when /readyz answers ok", float(self.ready.done() and not self._quiet.done())),
            ]
            return gauges + (self._watcher.gauges() if self._watcher is not None else [])

        return read


class _Late(Collector):
    """The proxy's figures, from when there is a proxy."""

    def __init__(self, data_plane: concurrent.futures.Future[DataPlane]) -> None:
        self._data_plane = data_plane

    def collect(self) -> Iterator[Metric]:
        """The families."""
        if self._data_plane.done() and not self._data_plane.cancelled():
            yield from self._data_plane.result().collector.collect()


def _has_gateways(service: Service) -> bool:
    kind = service.registry.by_name(GATEWAY_GROUP, "Gateway")
    return kind is not None and bool(service.list(Collection(kind, "v1"), ListOptions(limit=1)).items)


def _settle(future: concurrent.futures.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
