"""The loop: what is in the store becomes what the proxy serves, and what the proxy says becomes status.

Latest state wins: changes that come together are translated once, and a change after a quiet time at once. A big
translation runs beside the event loop, on objects that nobody changes meanwhile, so that it does not hold up the API; a
small one runs on it, for each handing over between threads under load costs more than the translation.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar

import orjson

from appliance.controller.cache import Cache
from appliance.controller.class_finalizers import ClassFinalizers
from appliance.controller.gateway_services import GatewayServices
from appliance.controller.lookout import Lookout
from appliance.controller.settings import ControllerSettings
from appliance.controller.status_writer import MANAGER, StatusWriter
from appliance.gatewayapi.classes import CLASS_NAME, CONTROLLER_NAME
from appliance.gatewayapi.drafts import BackendDraft, Drafts
from appliance.gatewayapi.programmed import Finisher, Reports
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key
from appliance.gatewayapi.translate import Memo, routes_concerned, translate
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, Report
from store.errors import StatusError
from store.service import Service
from store.verbs import Collection, WriteOptions

P = ParamSpec("P")
T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_INLINE_ROUTES: Final = 32
"""Translated on the event loop: about 0.1 ms a route."""

_REST: Final = 4.0
_LONGEST_REST_S: Final = 0.25
"""A translation is followed by a rest this many times as long, so that a stream of changes is translated in groups and
leaves most of the interpreter to traffic."""

_PATIENCE_S: Final = 2.0
"""How long statuses wait for the proxy to take over a snapshot before they say that it has not."""


class Controller:
    """Reconciles for ever. ready: the first snapshot is really serving."""

    def __init__(self, service: Service, apply: Callable[[Snapshot], None], settings: ControllerSettings) -> None:
        """apply: hands a snapshot to the proxy; called on any thread, one call at a time. It may take its time when
        much has changed since the last snapshot."""
        self._service = service
        self._apply = apply
        self.ready = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cache = Cache()
        self._memo = Memo()
        self._stale = asyncio.Event()
        self._news = asyncio.Event()
        self._still = asyncio.Lock()
        self._lookout = Lookout(settings, self._stale.set)
        self._writer = StatusWriter(service, self._cache.latest)
        self._services = GatewayServices(service, self._cache.latest)
        self._finalizers = ClassFinalizers(service, self._cache.objects, self._cache.latest)
        self._allocations: Mapping[tuple[str, str], str] = {}
        self._drafts: Drafts | None = None
        self._changed: set[Key] = set()
        self._reports = Reports()
        self._finisher = Finisher()
        self._heard: deque[Report] = deque()
        self._seen_revision = 0
        self._due_revision = 0
        self._translated_revision = 0

    def report(self, report: Report) -> None:
        """Something that the proxy did; from any thread."""
        self._heard.append(report)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._ensure_class()
        revision, items = self._service.snapshot()
        await self._cache.load(items)
        self._seen_revision = revision
        self._allocations = self._allocated()
        await self._lookout.first_look()
        self._stale.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(revision))
            tasks.create_task(self._reconcile())
            tasks.create_task(self._publish())
            tasks.create_task(self._writer.run())
            tasks.create_task(self._services.run())
            tasks.create_task(self._finalizers.run())
            tasks.create_task(self._lookout.run())

    def serves(self, revision: int) -> bool:
        """Whether the proxy has taken over all that the store held at a revision. Asked while the appliance starts."""
        nothing_due = self._seen_revision >= revision and self._translated_revision >= self._due_revision
        if self._drafts is None or not (nothing_due or self._translated_revision >= revision):
            return False
        return self._reports.applied >= self._drafts.serial

    async def _ensure_class(self) -> None:
        kind = self._service.registry.by_name(GATEWAY_GROUP, "GatewayClass")
        if kind is None:
            return
        gateway_class: dict[str, Any] = {
            "apiVersion": f"{GATEWAY_GROUP}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": CLASS_NAME},
            "spec": {
                "controllerName": CONTROLLER_NAME,
                "description": "Gateways of this machine, carried by Gatehouse",
            },
        }
        try:
            await self._service.create(Collection(kind, "v1"), gateway_class, WriteOptions(manager=MANAGER))
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise

    def _allocated(self) -> dict[tuple[str, str], str]:
        """What Gateways were given before we were restarted, as their statuses say."""
        found: dict[tuple[str, str], str] = {}
        for key in self._cache.objects.of("Gateway"):
            status = orjson.loads(self._cache.latest[key]).get("status") or {}
            for address in (status.get("addresses") or ())[:1]:
                found[key.namespace, key.name] = address.get("value", "")
        return found

    async def _follow(self, revision: int) -> None:
        """Keep the cache in step with the store."""
        async for changes in self._service.changes(revision):
            async with self._still:
                changed, touched = self._cache.apply(changes)
                self._seen_revision = changes[-1].revision
                if changed:
                    self._due_revision = self._seen_revision
            self._writer.look_again(touched)
            self._services.look_again(touched)
            self._finalizers.look_again(touched)
            if changed:
                self._stale.set()

    async def _reconcile(self) -> None:
        """Translate when something changed, and hand over what came of it."""
        clock = asyncio.get_running_loop().time
        rested_s = clock()
        while True:
            await self._stale.wait()
            if (rest_s := rested_s - clock()) > 0:
                await asyncio.sleep(rest_s)
            self._stale.clear()
            begun_s = clock()
            await self._bring_up_to_date()
            rested_s = clock() + min(_LONGEST_REST_S, _REST * (clock() - begun_s))

    async def _bring_up_to_date(self) -> None:
        before = self._memo.snapshot
        routes = routes_concerned(self._cache.objects, self._memo)
        run = _here if routes is not None and routes <= _INLINE_ROUTES else asyncio.to_thread
        async with self._still:
            revision = self._seen_revision
            surroundings = self._lookout.now(self._allocations)
            try:
                translation = await run(translate, self._cache.objects, surroundings, self._memo)
            except Exception:  # a fault of ours: whatever was stored, traffic and API go on, so that it can be undone
                _LOG.exception("revision %d cannot be translated: what was served before is still served", revision)
                self._memo = self._memo.emptied()
                return
        self._drafts, self._translated_revision = translation.drafts, revision
        self._changed |= translation.drafts.changed
        self._allocations = translation.allocations
        self._lookout.expect(translation.names, translation.next_change_s)
        if translation.snapshot is not before:
            try:
                await run(self._apply, translation.snapshot)
            except Exception:  # the snapshot before goes on serving, and no status will call this one programmed
                _LOG.exception("the proxy refused snapshot %d", translation.snapshot.serial)
        self._news.set()

    async def _publish(self) -> None:
        """Make statuses of drafts and reports, as soon as the proxy has taken over what the drafts speak of."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._listen()
            if self._drafts is not None and self._reports.applied < self._drafts.serial:
                await self._wait_for_proxy()
            if self._drafts is not None:
                changed, self._changed = self._changed | self._drafts.waiting.keys(), set()
                statuses = self._finisher.finish(self._drafts, self._reports)
                self._writer.want(statuses, changed)
                self._services.want(self._drafts, statuses, changed)

    async def _wait_for_proxy(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while self._drafts is not None and self._reports.applied < self._drafts.serial:
                    await self._news.wait()
                    self._news.clear()
                    self._listen()
        except TimeoutError:
            pass  # then the statuses say Pending

    def _listen(self) -> None:
        """Take in what the proxy has reported since."""
        reports = []
        while self._heard:
            reports.append(self._heard.popleft())
        self._reports = self._reports.with_reports(reports)
        if self._drafts is not None:
            drafts = self._drafts.waiting.values()
            names = frozenset(name for draft in drafts if isinstance(draft, BackendDraft) for name in draft.names)
            self._reports = self._reports.only(self._drafts.binds, names)
        if any(isinstance(report, Applied) for report in reports):
            self.ready.set()


async def _here(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What asyncio.to_thread does, without the thread."""
    return work(*args, **kwargs)
