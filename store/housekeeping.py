"""Housekeeping: what the store does by itself after others wrote. One task of the service.

Committed changes come in; keys that need a look are kept in a set, so that many changes of one object are one look. It
collects dependents whose owners are gone, carries out Orphan and Foreground, empties terminating namespaces and the
instances of deleted definitions, and removes the finalizers that stood for this work.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from store import definitions
from store.admission import Draft, Object, copied
from store.current import Current
from store.errors import StatusError
from store.kinds.kind import Kind
from store.kinds.registry import Registry
from store.log.contract import Change, Key
from store.objects import lifecycle, namespace_conditions
from store.verbs import DeleteOptions, Target, WriteOptions
from store.writes import NAMESPACES, Writes

logger = logging.getLogger(__name__)

TOGETHER = 64
RETRY_S = 1.0
OURS = WriteOptions(manager="gatehouse", force=True)


class Housekeeping:
    """observe: to be called with every batch of changes. run: the task. now: the time as objects carry it."""

    def __init__(self, current: Current, writes: Writes, registry: Registry, now: Callable[[], str]) -> None:
        self._current = current
        self._now = now
        self._objects = current.objects
        self._writes = writes
        self._registry = registry
        self._due: dict[Key, None] = {}
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Look at everything once: work may have been left when the process last ended."""
        for key, entry in self._objects.everything():
            if b'"deletionTimestamp":' in entry.value or b'"ownerReferences":[' in entry.value:
                self._add(key)

    def observe(self, changes: Sequence[Change]) -> None:
        """Note whose state may call for work now."""
        for change in changes:
            if change.value is None:
                self._note_removal(change)
            elif b'"deletionTimestamp":' in change.value or b'"ownerReferences":[' in change.value:
                self._add(change.key)
                self._note_foreground(change.value)

    def _note_foreground(self, value: bytes) -> None:
        """Dependents of an owner that goes in the foreground go first."""
        if b'"foregroundDeletion"' in value:
            for key in self._objects.dependents(orjson.loads(value)["metadata"]["uid"]):
                self._add(key)

    def _note_removal(self, change: Change) -> None:
        """Dependents, and whoever waited for this object to go: its owners, its namespace, its definition."""
        gone = orjson.loads(change.previous or b"{}")
        for key in self._objects.dependents(gone["metadata"]["uid"]):
            self._add(key)
        for owner in gone["metadata"].get("ownerReferences") or ():
            if (owner_key := self._owner_key(owner, change.key.namespace)) is not None:
                self._add_deleting(owner_key)
        if change.key.namespace:
            self._add_deleting(Key(NAMESPACES, "", change.key.namespace))
        self._add_deleting(Key(definitions.RESOURCE, "", change.key.resource))

    def _add(self, key: Key) -> None:
        self._due[key] = None
        self._wake.set()

    def _add_deleting(self, key: Key) -> None:
        entry = self._objects.get(key)
        if entry is not None and b'"deletionTimestamp":' in entry.value:
            self._add(key)

    async def run(self) -> None:
        """Work until cancelled, on several objects at once so that their commits share an fsync."""
        while True:
            await self._wake.wait()
            batch = list(islice(self._due, TOGETHER))
            for key in batch:
                del self._due[key]
            if not self._due:
                self._wake.clear()
            await asyncio.gather(*(self._attend(key) for key in batch))

    async def _attend(self, key: Key) -> None:
        try:
            await self._look(key)
        except StatusError as error:
            if error.code == 404:
                return
            logger.warning("housekeeping of %s %s/%s: %s", key.resource, key.namespace, key.name, error)
        except Exception:
            # One object that cannot be handled must not stop the work for all others.
            logger.exception("housekeeping of %s %s/%s", key.resource, key.namespace, key.name)
        else:
            return
        asyncio.get_running_loop().call_later(RETRY_S, self._add, key)

    async def _look(self, key: Key) -> None:
        """Do what the present state of one object calls for."""
        entry = self._objects.get(key)
        target = self._target(key)
        if entry is None or target is None:
            return
        obj = orjson.loads(entry.value)
        metadata = obj["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if "deletionTimestamp" in metadata:
            if key.resource == NAMESPACES:
                await self._empty_namespace(target, obj)
            if definitions.CLEANUP in finalizers:
                await self._remove_instances(target)
            if lifecycle.ORPHAN in finalizers:
                await self._orphan(target, metadata["uid"])
            elif lifecycle.FOREGROUND in finalizers:
                await self._foreground(target, metadata["uid"])
        if owners := metadata.get("ownerReferences"):
            await self._collect(target, owners, metadata["uid"])

    async def _collect(self, target: Target, owners: Sequence[Mapping[str, Any]], uid: str) -> None:
        """Garbage collection of one dependent."""
        verdict = lifecycle.judge_dependent(owners, lambda owner: self._holds(owner, target.namespace))
        if verdict.delete:
            has_dependents = bool(self._objects.dependents(uid))
            waited_for = any(self._is_waiting(owner, target.namespace) for owner in owners)
            policy: Any = "Foreground" if waited_for and has_dependents else None
            await self._delete(target, DeleteOptions(propagation=policy, uid=uid, force=True))
        elif verdict.drop:
            await self._drop_owners(target, frozenset(verdict.drop))

    def _holds(self, owner: Mapping[str, Any], namespace: str) -> bool:
        """Whether an owner keeps its dependents: it exists and does not wait for them to go. Unknown kinds do."""
        key = self._owner_key(owner, namespace)
        if key is None:
            return True
        entry = self._objects.get(key)
        if entry is None or orjson.loads(entry.value)["metadata"]["uid"] != owner["uid"]:
            return False
        return not self._is_waiting(owner, namespace)

    def _is_waiting(self, owner: Mapping[str, Any], namespace: str) -> bool:
        key = self._owner_key(owner, namespace)
        entry = None if key is None else self._objects.get(key)
        if entry is None or b'"foregroundDeletion"' not in entry.value:
            return False
        metadata = orjson.loads(entry.value)["metadata"]
        return "deletionTimestamp" in metadata and lifecycle.FOREGROUND in (metadata.get("finalizers") or ())

    async def _orphan(self, target: Target, uid: str) -> None:
        """Let the dependents live on without this owner."""
        await self._each(
            self._objects.dependents(uid), lambda dependent: self._drop_owners(dependent, frozenset({uid}))
        )
        await self._drop_finalizer(target, lifecycle.ORPHAN)

    async def _foreground(self, target: Target, uid: str) -> None:
        """Let the owner go once no dependent blocks it."""
        entries = (self._objects.get(key) for key in self._objects.dependents(uid))
        if not lifecycle.blocking((orjson.loads(entry.value) for entry in entries if entry), uid):
            await self._drop_finalizer(target, lifecycle.FOREGROUND)

    async def _empty_namespace(self, target: Target, obj: Object) -> None:
        """Delete what is in a namespace, then let it go. What finalizers hold brings us back when it goes."""
        doomed = [key for key in self._objects.within(target.name) if not self._is_marked(key)]
        await self._each(doomed, self._delete_in_background)
        left = list(self._objects.within(target.name))

        def release(old: Object) -> Draft:
            new = copied(old)
            new["spec"]["finalizers"] = [f for f in new["spec"]["finalizers"] if f != lifecycle.NAMESPACE_CONTENT]
            return Draft(new)

        def explain(old: Object) -> Draft:
            new = copied(old)
            status = new.setdefault("status", {})
            status["conditions"] = namespace_conditions.conditions(
                status.get("conditions") or (), resources, finalizers, self._now()
            )
            return Draft(new)

        if not left and lifecycle.blocks_namespace(obj):
            await self._writes.modify(target, release, OURS)
        elif left:
            resources = Counter(key.resource for key in left)
            finalizers = await self._finalizers(left)
            await self._writes.modify(target, explain, OURS)

    async def _finalizers(self, keys: Sequence[Key]) -> Counter[str]:
        """How many of these objects each finalizer holds."""
        counts: Counter[str] = Counter()
        for number, key in enumerate(keys):
            if number % TOGETHER == 0:
                await asyncio.sleep(0)
            entry = self._objects.get(key)
            if entry is not None and b'"finalizers":[' in entry.value:
                counts.update(orjson.loads(entry.value)["metadata"].get("finalizers") or ())
        return counts

    def _is_marked(self, key: Key) -> bool:
        """Whether an object was told to go already."""
        entry = self._objects.get(key)
        return (
            entry is not None
            and b'"deletionTimestamp":' in entry.value
            and "deletionTimestamp" in orjson.loads(entry.value)["metadata"]
        )

    async def _remove_instances(self, target: Target) -> None:
        """Delete the instances of a definition, then let it go."""
        keys = [Key(target.name, *place) for place, _ in self._objects.list(target.name)]
        await self._each(keys, self._delete_in_background)
        if not self._objects.count(target.name):
            await self._drop_finalizer(target, definitions.CLEANUP)

    async def _delete_in_background(self, target: Target) -> None:
        await self._delete(target, DeleteOptions(force=True))

    async def _delete(self, target: Target, options: DeleteOptions) -> None:
        try:
            await self._writes.delete(target, options)
        except StatusError as error:
            # Gone already, or another object under the same name: then there is nothing to do.
            if error.code not in (404, 409):
                raise

    async def _drop_owners(self, target: Target, uids: frozenset[str]) -> None:
        def edit(old: Object) -> Draft:
            new = copied(old)
            kept = [owner for owner in new["metadata"].get("ownerReferences") or () if owner["uid"] not in uids]
            new["metadata"].pop("ownerReferences", None)
            if kept:
                new["metadata"]["ownerReferences"] = kept
            return Draft(new)

        await self._writes.modify(target, edit, OURS)

    async def _drop_finalizer(self, target: Target, name: str) -> None:
        def edit(old: Object) -> Draft:
            new = copied(old)
            kept = [finalizer for finalizer in new["metadata"].get("finalizers") or () if finalizer != name]
            new["metadata"].pop("finalizers", None)
            if kept:
                new["metadata"]["finalizers"] = kept
            return Draft(new)

        await self._writes.modify(target, edit, OURS)

    async def _each(self, keys: Iterable[Key], work: Any) -> None:
        """Carry out work on many objects, some at a time; objects that vanish meanwhile need none."""
        targets = (target for key in keys if (target := self._target(key)) is not None)
        for together in _chunks(targets, TOGETHER):
            for outcome in await asyncio.gather(*(work(target) for target in together), return_exceptions=True):
                if isinstance(outcome, BaseException) and getattr(outcome, "code", 0) != 404:
                    raise outcome

    def _target(self, key: Key) -> Target | None:
        plural, _, group = key.resource.partition(".")
        kind = self._registry.of_objects(group, plural)
        return None if kind is None else Target(kind, kind.storage_version.name, key.namespace, key.name)

    def _owner_key(self, owner: Mapping[str, Any], namespace: str) -> Key | None:
        """Where an owner would lie; None when its kind is unknown or cannot own from where it is."""
        group, _, version = owner["apiVersion"].rpartition("/")
        kind: Kind | None = self._registry.by_name(group, owner["kind"]) if version else None
        if kind is None or (kind.namespaced and not namespace):
            return None
        return Key(kind.resource, namespace if kind.namespaced else "", owner["name"])


def _chunks(targets: Iterable[Target], size: int) -> Iterator[list[Target]]:
    iterator = iter(targets)
    while chunk := list(islice(iterator, size)):
        yield chunk
