"""The verbs of the store, as in-process callers and the HTTP layer use them. No HTTP in here.

Targets, bodies and options come in; answers, pages, watches and StatusErrors go out. A write returns when it is on disk
and every read sees it. Everything here belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from store import admission, definitions, strategies
from store.current import Current
from store.definitions import Definitions
from store.housekeeping import Housekeeping
from store.kinds.kind import Kind
from store.kinds.registry import Registry
from store.log.contract import Change, CompactedError, Key, Log, Write
from store.objects import encoding, lifecycle
from store.reads import Reads
from store.refusals import expired
from store.verbs import (
    Answer,
    Collection,
    DeleteOptions,
    ListOptions,
    Page,
    Patch,
    Selection,
    Target,
    WatchOptions,
    WriteOptions,
)
from store.watching import Watch
from store.writes import NAMESPACES, Writes

TOGETHER = 64

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class Service:
    """The store. Make it with `await Service.open(log, registry)`, end it with `await close()` (it closes the log)."""

    def __init__(self, log: Log, registry: Registry, clock: Clock) -> None:
        self.registry = registry
        self._clock = clock
        self._log = log
        self._current = Current(log)
        self._reads = Reads(self._current)
        self._writes = Writes(self._current, self._reads, self.now, self._settle)
        self._definitions = Definitions(registry, self._current.hub.end_resource)
        self._housekeeping = Housekeeping(self._current, self._writes, registry, self.now)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, log: Log, registry: Registry, *, clock: Clock = wall_clock) -> Service:
        """Load what the log holds, make what a new store lacks, start the background work."""
        service = cls(log, registry, clock)
        await service._current.start()
        for (_, name), entry in service._current.objects.list(definitions.RESOURCE):
            service._definitions.load(name, entry.value)
        service._current.observe(service._definitions.observe)
        service._current.observe(service._housekeeping.observe)
        await service._furnish()
        service._housekeeping.start()
        service._task = asyncio.create_task(service._housekeeping.run(), name="store-housekeeping")
        return service

    async def close(self) -> None:
        """End watches and background work, then close the log."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await self._current.stop()
        await self._log.close()

    @property
    def failing(self) -> str:
        """Why nothing can be written now, in a sentence; "" when all is well."""
        return self._current.failing

    @property
    def revision(self) -> int:
        """The newest revision that reads show."""
        return self._current.objects.revision

    def now(self) -> str:
        """The time as objects carry it: RFC 3339, whole seconds, UTC."""
        return self._clock().astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"

    def get(self, target: Target) -> bytes:
        """The object as JSON in the asked version. Raises StatusError 404."""
        return self._reads.get(target)

    def list(self, collection: Collection, options: ListOptions = ListOptions()) -> Page:
        """A page of objects, ordered by namespace and name. Raises StatusError 400, 410, 422 or 504."""
        return self._reads.list(collection, options)

    def watch(self, collection: Collection, options: WatchOptions = WatchOptions()) -> Watch:
        """Events from a revision on. Raises StatusError 400, 422 or 504 here, 410 while iterating."""
        return self._reads.watch(collection, options)

    async def create(self, collection: Collection, obj: Any, options: WriteOptions = WriteOptions()) -> Answer:
        """Store a new object; `obj` is not changed. Raises StatusError 400, 403, 404, 409, 422 or 507."""
        return await self._writes.create(collection, obj, options)

    async def replace(self, target: Target, obj: Any, options: WriteOptions = WriteOptions()) -> Answer:
        """Replace an existing object, or its status. Raises StatusError 400, 404, 409, 422 or 507."""
        return await self._writes.replace(target, obj, options)

    async def patch(self, target: Target, patch: Patch, options: WriteOptions = WriteOptions()) -> Answer:
        """Patch an object; an apply creates a missing one. Raises StatusError 400, 404, 409, 415, 422 or 507."""
        return await self._writes.patch(target, patch, options)

    async def delete(self, target: Target, options: DeleteOptions = DeleteOptions()) -> Answer:
        """Delete an object, or mark it while finalizers hold it (then Answer.deleted is False)."""
        return await self._writes.delete(target, options)

    async def delete_collection(
        self, collection: Collection, selection: Selection = Selection(), options: DeleteOptions = DeleteOptions()
    ) -> Page:
        """Delete what a selection matches; the page holds what was there. Objects that vanish meanwhile are fine."""
        page = self.list(collection, ListOptions(selection))
        metadata = [orjson.loads(item)["metadata"] for item in page.items]
        targets = [collection.object(meta["name"], meta.get("namespace", "")) for meta in metadata]
        for start in range(0, len(targets), TOGETHER):
            outcomes = await asyncio.gather(
                *(self.delete(target, options) for target in targets[start : start + TOGETHER]), return_exceptions=True
            )
            for outcome in outcomes:
                if isinstance(outcome, BaseException) and getattr(outcome, "code", 0) != 404:
                    raise outcome
        return page

    async def changes(self, after: int) -> AsyncIterator[Sequence[Change]]:
        """Every change after a revision, in batches, for ever. Raises StatusError 410 when it is forgotten."""
        try:
            async for batch in self._log.watch(after):
                await self._current.reached(batch[-1].revision)
                yield batch
        except CompactedError as error:
            raise expired(f"too old resource version: {after} ({error.oldest})") from None

    def snapshot(self) -> tuple[int, Sequence[tuple[Key, bytes]]]:
        """Everything as of now, in storage versions, and the revision to follow changes from."""
        return self.revision, [(key, entry.value) for key, entry in self._current.objects.everything()]

    def _settle(self, kind: Kind, obj: dict[str, Any], old: dict[str, Any] | None) -> None:
        """What a kind adds to an object just before it is stored."""
        if kind.resource == definitions.RESOURCE:
            self._definitions.settle(obj, old, self.now())

    async def _furnish(self) -> None:
        """The namespaces and the built-in definitions that every store has."""
        now = self.now()
        objects = self._current.objects
        namespace = self.registry.find("", NAMESPACES)
        writes = []
        if namespace is not None:
            collection = Collection(namespace, namespace.storage_version.name)
            for name in lifecycle.FIRST_NAMESPACES:
                key = Key(NAMESPACES, "", name)
                if objects.get(key) is None:
                    body = {"metadata": {"name": name}}
                    obj = admission.creation(collection, body, "Ignore", now).obj
                    strategies.complete_create(namespace, obj)
                    writes.append(Write(key, 0, encoding.encode(obj)))
        writes.extend(self._built_in_definitions(now))
        await asyncio.gather(*(self._current.append(write) for write in writes))

    def _built_in_definitions(self, now: str) -> Sequence[Write]:
        """Built-in definitions that are missing, or that nobody wrote to and this program knows better."""
        kind = self.registry.find("apiextensions.k8s.io", "customresourcedefinitions")
        if kind is None:
            return []
        collection = Collection(kind, kind.storage_version.name)
        writes = []
        for name, definition in self._definitions.built_in(now).items():
            key = Key(definitions.RESOURCE, "", name)
            entry = self._current.objects.get(key)
            obj = admission.creation(collection, definition, "Ignore", now).obj
            obj["status"] = definition["status"]
            if entry is None:
                writes.append(Write(key, 0, encoding.encode(obj)))
                continue
            old = orjson.loads(entry.value)
            if "managedFields" not in old["metadata"] and old["spec"] != obj["spec"]:
                kept = {name: old["metadata"][name] for name in ("uid", "creationTimestamp")}
                obj["metadata"] |= kept | {"generation": old["metadata"].get("generation", 0) + 1}
                writes.append(Write(key, entry.revision, encoding.encode(obj)))
        return writes
