"""Writes statuses into the store: only what changed, one write per object, a bounded number at a time.

Statuses that are wanted and objects as last seen come in; writes go out, and again after a while if they are refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import count
from typing import Any, Final

import orjson

from appliance.clock import rfc3339_now
from appliance.controller.cache import resource_name
from appliance.controller.statuses import ENTRIES, merged_status
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.resources import Key
from store.errors import StatusError
from store.service import Service
from store.verbs import Answer, Target, WriteOptions

_LOG = logging.getLogger(__name__)
MANAGER: Final = "gatehouse-controller"
_WRITERS: Final = 32
"""Writes under way at once: the log commits them together."""

_RETRY_S: Final = 0.05
_RETRY_LATEST_S: Final = 10.0


class StatusWriter:
    """`want` says what all statuses should be, `look_again` that somebody touched objects; `run` makes them so."""

    def __init__(self, service: Service, latest: Mapping[Key, bytes], now: Callable[[], str] = rfc3339_now) -> None:
        self._service = service
        self._latest = latest
        self._now = now
        self._wanted: Mapping[Key, Status] | None = None  # until the first translation nothing may be judged
        self._attempts: dict[Key, int] = {}
        self._written: dict[Key, Answer] = {}  # our last write of each, until it was seen to come back
        self._queue: asyncio.PriorityQueue[tuple[bool, int, Key]] = asyncio.PriorityQueue()
        self._turns = count()
        self._queued: set[Key] = set()
        self._working: set[Key] = set()

    @property
    def idle(self) -> bool:
        """Nothing waits to be written."""
        return not self._queued and not self._working

    def want(self, statuses: Mapping[Key, Status], changed: Collection[Key] | None = None) -> None:
        """All statuses there should be. changed: whose may be others than those wanted before; None: anybody's."""
        first, before = self._wanted is None, self._wanted or {}
        self._wanted = statuses
        for key in statuses.keys() | before.keys() if changed is None else changed:
            old, new = before.get(key), statuses.get(key)
            if new is None:
                self.look_again((key,))
            elif old is not new and (old is None or (old.generation, old.body) != (new.generation, new.body)):
                self._enqueue(key)
        if first:
            self.look_again(self._latest)

    def look_again(self, keys: Iterable[Key]) -> None:
        """The objects changed, or lost their place among the wanted: see whether their statuses are still right."""
        if self._wanted is None:
            return
        for key in keys:
            if key in self._wanted or key.kind in ENTRIES:
                self._enqueue(key)
            else:
                self._forget(key)

    async def run(self) -> None:
        """Write for ever."""
        async with asyncio.TaskGroup() as writers:
            for _ in range(_WRITERS):
                writers.create_task(self._work())

    def _enqueue(self, key: Key) -> None:
        if key not in self._queued:
            self._queued.add(key)
            self._put(key)

    def _put(self, key: Key) -> None:
        # What speaks for many goes first: a Gateway counts its routes, and waits for none of them.
        self._queue.put_nowait((key.kind in ENTRIES, next(self._turns), key))

    async def _work(self) -> None:
        while True:
            *_, key = await self._queue.get()
            if key in self._working:  # another writer has it; come back when that one is done
                await asyncio.sleep(_RETRY_S)
                self._put(key)
                continue
            self._queued.discard(key)
            self._working.add(key)
            try:
                await self._write(key)
            finally:
                self._working.discard(key)

    async def _write(self, key: Key) -> None:
        try:
            await self._settle(key)
        except StatusError as error:
            await self._refused(key, error)
        else:
            self._attempts.pop(key, None)

    async def _settle(self, key: Key) -> None:
        """Make one status right."""
        body = self._newest(key)
        if body is None or self._wanted is None:
            return
        wanted = self._wanted.get(key)
        if wanted is not None and wanted.generation != body["metadata"].get("generation", 0):
            return  # the status is of another generation: a translation of this one is on its way
        old = body.get("status") or {}
        status = merged_status(key.kind, old, wanted.body if wanted else None, self._now())
        if status == old:
            return
        target = self._target(key, body["apiVersion"])
        if target is None:
            return
        options = WriteOptions(manager=MANAGER)
        self._written[key] = await self._service.replace(target, {**body, "status": status}, options)

    def _newest(self, key: Key) -> dict[str, Any] | None:
        """The object as last seen, or as our last write left it while that is still on its way back here."""
        value, written = self._latest.get(key), self._written.get(key)
        if value is None:
            self._forget(key)
            return None
        body: dict[str, Any] = orjson.loads(value)
        if written is None:
            return body
        if int(body["metadata"]["resourceVersion"]) < written.revision:
            ours: dict[str, Any] = orjson.loads(written.value)
            return ours
        del self._written[key]
        return body

    def _forget(self, key: Key) -> None:
        """The object is gone, or its status is no business of ours any more."""
        self._written.pop(key, None)
        self._attempts.pop(key, None)

    async def _refused(self, key: Key, error: StatusError) -> None:
        if error.code == 404:
            self._forget(key)
            return
        tried = self._attempts[key] = min(self._attempts.get(key, 0) + 1, 10)
        if error.code != 409:  # a disk that is full, a definition that has other fields: say so, and go on trying
            _LOG.warning("cannot write the status of %s: %s", key, error)
        await asyncio.sleep(max(error.retry_after_s, min(_RETRY_S * 2**tried, _RETRY_LATEST_S)))
        self._enqueue(key)

    def _target(self, key: Key, api_version: str) -> Target | None:
        plural, _, group = resource_name(key.kind).partition(".")
        kind = self._service.registry.find(group, plural)
        if kind is None:
            return None
        return Target(kind, api_version.rpartition("/")[2], key.namespace, key.name, "status")
