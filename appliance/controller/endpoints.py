"""Service selectors become EndpointSlices: the store's changes come in, slices are written.

What slices a Service should have is `slices`; here are the cache of Services, Pods and our slices, and the writes. Runs
only where Pods are served.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

import orjson

from appliance.controller.slices import MANAGED_BY, OURS, SERVICE_NAME, Json, assign, selects, slices
from store.errors import StatusError
from store.log.contract import Key
from store.service import Service
from store.verbs import Collection, DeleteOptions, WriteOptions

_LOG = logging.getLogger(__name__)
_SERVICES: Final = "services"
_PODS: Final = "pods"
_SLICES: Final = "endpointslices.discovery.k8s.io"
_WRITE: Final = WriteOptions(manager=OURS)
_RETRY_S: Final = 0.5
_RETRY_LATEST_S: Final = 60.0

K = TypeVar("K")


class Name(NamedTuple):
    """An object within its kind."""

    namespace: str
    name: str


class Workloads:
    """Services, Pods and the slices that are ours, as last seen."""

    def __init__(self) -> None:
        self._services: defaultdict[str, dict[str, Json]] = defaultdict(dict)  # by namespace, then by name
        self._pods: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        self._slices: defaultdict[Name, dict[str, Json]] = defaultdict(dict)  # by Service, then by name
        self._service_of: dict[Name, Name] = {}

    def service(self, name: Name) -> Json | None:
        """A Service, if there is such."""
        return self._services.get(name.namespace, {}).get(name.name)

    def pods(self, service: Json) -> list[Json]:
        """The Pods that a Service selects."""
        candidates = self._pods.get(service["metadata"]["namespace"], {}).values()
        return [pod for pod in candidates if selects(service, pod)]

    def slices(self, service: Name) -> list[Json]:
        """Our slices of a Service."""
        return list(self._slices.get(service, {}).values())

    def take(self, key: Key, value: bytes | None) -> Iterable[Name]:
        """A change; the Services whose slices may be wrong since."""
        name = Name(key.namespace, key.name)
        body = None if value is None else orjson.loads(value)
        if key.resource == _SERVICES:
            return self._take_service(name, body)
        if key.resource == _PODS:
            return self._take_pod(name, body)
        return self._take_slice(name, body) if key.resource == _SLICES else ()

    def _take_service(self, name: Name, body: Json | None) -> Iterable[Name]:
        _put(self._services, name.namespace, name.name, body)
        return (name,)

    def _take_pod(self, name: Name, body: Json | None) -> Iterable[Name]:
        before = self._pods.get(name.namespace, {}).get(name.name)
        _put(self._pods, name.namespace, name.name, body)
        seen = [pod for pod in (before, body) if pod is not None]
        services = self._services.get(name.namespace, {})
        return [
            Name(name.namespace, service)
            for service, spec in services.items()
            if any(selects(spec, pod) for pod in seen)
        ]

    def _take_slice(self, name: Name, body: Json | None) -> Iterable[Name]:
        touched = []
        if (before := self._service_of.pop(name, None)) is not None:
            _put(self._slices, before, name.name, None)
            touched.append(before)
        labels = (body or {"metadata": {}})["metadata"].get("labels") or {}
        if body is not None and labels.get(MANAGED_BY) == OURS and labels.get(SERVICE_NAME):
            service = Name(name.namespace, labels[SERVICE_NAME])
            _put(self._slices, service, name.name, body)
            self._service_of[name] = service
            touched.append(service)
        return touched


def _put(places: defaultdict[K, dict[str, Json]], place: K, name: str, body: Json | None) -> None:
    """Keep an object, or (None) forget it and what holds nothing any more."""
    if body is not None:
        places[place][name] = body
    elif place in places:
        places[place].pop(name, None)
        if not places[place]:
            del places[place]


class EndpointsController:
    """Keeps the slices of every Service with a selector as they should be, for ever."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = Workloads()
        self._due: dict[Name, None] = {}
        self._attempts: dict[Name, int] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        revision, everything = self._service.snapshot()
        for key, value in everything:
            self._add(self._seen.take(key, value))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(revision))
            tasks.create_task(self._work())

    async def _follow(self, revision: int) -> None:
        async for changes in self._service.changes(revision):
            for change in changes:
                self._add(self._seen.take(change.key, change.value))

    def _add(self, names: Iterable[Name]) -> None:
        for name in names:
            self._due[name] = None
            self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = list(self._due), {}
            await asyncio.gather(*(self._attend(name) for name in due))

    async def _attend(self, name: Name) -> None:
        try:
            await self._settle(name)
        except StatusError as error:
            self._refused(name, error)
        else:
            self._attempts.pop(name, None)

    def _refused(self, name: Name, error: StatusError) -> None:
        tried = self._attempts.pop(name, 0)
        if error.code == 404 or self._seen.service(name) is None:  # gone, or about to: nothing is left to do
            return
        if error.code != 409:
            _LOG.warning("cannot write the EndpointSlices of Service %s/%s: %s", *name, error)
        self._attempts[name] = tried + 1
        delay_s = min(_RETRY_S * 2 ** min(tried, 10), _RETRY_LATEST_S)
        asyncio.get_running_loop().call_later(delay_s, self._add, (name,))

    async def _settle(self, name: Name) -> None:
        """Make the slices of one Service right. Those of a Service that is gone are collected with it."""
        body = self._seen.service(name)
        kind = self._service.registry.find("discovery.k8s.io", "endpointslices")
        if body is None or kind is None or "deletionTimestamp" in body["metadata"]:
            return
        replace, create, delete = assign(self._seen.slices(name), slices(body, self._seen.pods(body)))
        place = Collection(kind, kind.storage_version.name, name.namespace)
        for old, new in replace:
            metadata = {**old["metadata"], **{key: new["metadata"][key] for key in ("labels", "ownerReferences")}}
            answer = await self._service.replace(place.object(metadata["name"]), {**new, "metadata": metadata}, _WRITE)
            self._know(name, metadata["name"], answer.value)
        for new in create:
            answer = await self._service.create(place, new, _WRITE)
            self._know(name, orjson.loads(answer.value)["metadata"]["name"], answer.value)
        for old in delete:
            options = DeleteOptions(uid=old["metadata"]["uid"], manager=OURS)
            await self._service.delete(place.object(old["metadata"]["name"]), options)
            self._know(name, old["metadata"]["name"], None)

    def _know(self, service: Name, piece: str, value: bytes | None) -> None:
        """Our own write, before it comes back as a change: another look meanwhile must not make a slice twice."""
        self._seen.take(Key(_SLICES, service.namespace, piece), value)
