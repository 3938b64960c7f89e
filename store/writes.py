"""Writing verbs on one object: create, replace, patch, delete. Objects and options come in; answers go out after fsync.

Each is the same short story: decide purely (admission, deletion, patches, ownership), append with the revision that the
decision was based on, and start again if somebody was faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from store import admission, definitions, deletion, patching, protection, refusals, strategies
from store.admission import Draft, Object
from store.current import Current
from store.errors import Cause, StatusError
from store.kinds.kind import Kind
from store.log.contract import ConflictError, Key, Write
from store.objects import encoding, lifecycle
from store.patch import ownership
from store.reads import Reads
from store.state.objects import Entry
from store.verbs import Answer, Collection, DeleteOptions, Patch, Target, WriteOptions
from store.versions import version_of

ATTEMPTS = 8
NAMESPACES = "namespaces"

Edit = Callable[[Object], Draft]


class Writes:
    """The writing verbs. now: the time as RFC 3339 text with whole seconds. settle: what a kind adds to a draft."""

    def __init__(
        self,
        current: Current,
        reads: Reads,
        now: Callable[[], str],
        settle: Callable[[Kind, Object, Object | None], None],
    ) -> None:
        self._current = current
        self._reads = reads
        self._now = now
        self._settle = settle

    async def create(self, collection: Collection, body: Any, options: WriteOptions) -> Answer:
        """Store a new object; a generated name is drawn again while it is taken."""
        for _ in range(ATTEMPTS):
            draft = admission.creation(collection, body, options.validation, self._now(), self._check_place)
            try:
                return await self._insert(collection, draft, options)
            except ConflictError as error:
                kind, name = collection.kind, draft.obj["metadata"]["name"]
                given = (body.get("metadata") or {}).get("name")
                if given:
                    existing = self._current.objects.get(error.key)
                    deleting = existing is not None and b'"deletionTimestamp":' in existing.value
                    raise refusals.already_exists(kind, name, deleting) from None
        raise refusals.no_unique_name(kind, name)

    async def _insert(self, collection: Collection, draft: Draft, options: WriteOptions) -> Answer:
        kind, obj = collection.kind, draft.obj
        metadata = obj["metadata"]
        if metadata.pop("resourceVersion", ""):
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        self._record(None, obj, Target(kind, collection.version, "", ""), options)
        strategies.complete_create(kind, obj)
        self._settle(kind, obj, None)
        key = Key(kind.resource, metadata.get("namespace", ""), metadata["name"])
        if options.dry_run and self._current.objects.get(key) is not None:
            raise ConflictError(key, 0)
        return await self._append(kind, collection.version, key, 0, draft, options.dry_run, created=True)

    async def replace(self, target: Target, body: Any, options: WriteOptions) -> Answer:
        """Store the body over an existing object."""

        def edit(old: Object) -> Draft:
            draft = admission.update(target, body, old, options.validation)
            self._record(old, draft.obj, target, options)
            return draft

        return await self.modify(target, edit, options)

    async def patch(self, target: Target, patch: Patch, options: WriteOptions) -> Answer:
        """Patch an existing object; an apply creates a missing one."""
        if patch.type == "apply" and self._current.objects.get(self._key(target)) is None:
            created = await self._create_by_apply(target, patch, options)
            if created is not None:
                return created

        def edit(old: Object) -> Draft:
            body = patching.patched(target, old, patch, options, self._now())
            draft = admission.update(
                target, body, old, options.validation, patch_text=lambda: patching.shown(patch, body)
            )
            if patch.type != "apply":
                self._record(old, draft.obj, target, options)
            elif ownership_only(draft.obj, old) and same_owners(draft.obj, old):
                draft.obj["metadata"]["managedFields"] = old["metadata"]["managedFields"]
            return draft

        return await self.modify(target, edit, options)

    async def _create_by_apply(self, target: Target, patch: Patch, options: WriteOptions) -> Answer | None:
        """The created object; None when somebody else created it meanwhile."""
        if target.subresource:
            raise refusals.not_found(target.kind, target.name)
        collection = Collection(target.kind, target.version, target.namespace)
        now = self._now()
        body = patching.named(target, patch.body)
        if uid := body["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise refusals.conflict(target.kind, target.name, why)
        applied = patching.patched(target, None, replace(patch, body=body), options, now)
        managed = applied["metadata"].get("managedFields", [])
        draft = admission.creation(collection, applied, options.validation, now, self._check_place)
        metadata = draft.obj["metadata"]
        metadata.pop("resourceVersion", None)
        strategies.complete_create(target.kind, draft.obj)
        self._settle(target.kind, draft.obj, None)
        metadata["managedFields"] = managed
        key = Key(target.kind.resource, metadata.get("namespace", ""), target.name)
        try:
            return await self._append(target.kind, target.version, key, 0, draft, options.dry_run, created=True)
        except ConflictError:
            return None

    async def modify(self, target: Target, edit: Edit, options: WriteOptions) -> Answer:
        """Read, edit, write; again when another writer came between."""
        key = self._key(target)
        async with self._current.writing(key):
            for _ in range(ATTEMPTS):
                entry = self._current.objects.get(key)
                if entry is None:
                    raise refusals.not_found(target.kind, target.name)
                try:
                    return await self._edited(target, key, entry, edit, options)
                except ConflictError:
                    continue
        raise refusals.conflict(target.kind, target.name)

    async def _edited(self, target: Target, key: Key, entry: Entry, edit: Edit, options: WriteOptions) -> Answer:
        kind = target.kind
        old = orjson.loads(entry.value)
        old["apiVersion"] = kind.api_version(target.version)
        draft = edit(old)
        self._settle(kind, draft.obj, old)
        if not options.force:
            protection.check_update(kind, old, draft.obj, options.manager)
        if draft.obj == old:
            value = self._reads.rendering(kind, target.version)(entry.value)
            return Answer(value, entry.revision, warnings=tuple(draft.warnings))
        if lifecycle.is_finished(draft.obj, kind.resource == NAMESPACES):
            return await self._remove(target, key, entry, draft.obj, options.dry_run, tuple(draft.warnings))
        return await self._append(kind, target.version, key, entry.revision, draft, options.dry_run)

    async def delete(self, target: Target, options: DeleteOptions) -> Answer:
        """Remove an object, or mark it while finalizers hold it."""
        key = self._key(target)
        async with self._current.writing(key):
            for _ in range(ATTEMPTS):
                entry = self._current.objects.get(key)
                if entry is None:
                    raise refusals.not_found(target.kind, target.name)
                try:
                    return await self._doomed(target, key, entry, options)
                except ConflictError:
                    continue
        raise refusals.conflict(target.kind, target.name)

    async def _doomed(self, target: Target, key: Key, entry: Entry, options: DeleteOptions) -> Answer:
        obj = orjson.loads(entry.value)
        deletion.check(target.kind, obj, options)
        if not options.force:
            protection.check_delete(target.kind, obj, options.manager)
        before = orjson.loads(entry.value)
        marked = deletion.doom(target.kind, obj, options, self._now()).marked
        if marked is None:
            return await self._remove(target, key, entry, before, options.dry_run)
        if marked == before:
            return Answer(self._reads.rendering(target.kind, target.version)(entry.value), entry.revision)
        return await self._append(target.kind, target.version, key, entry.revision, Draft(marked), options.dry_run)

    async def _remove(
        self, target: Target, key: Key, entry: Entry, obj: Object, dry_run: bool, warnings: tuple[str, ...] = ()
    ) -> Answer:
        """Take the object out; the answer shows its last state."""
        revision = entry.revision
        if not dry_run:
            revision = await self._current.append(Write(key, entry.revision, None))
        obj["apiVersion"] = target.kind.api_version(target.version)
        value = encoding.joined(encoding.encode(obj), entry.revision)
        return Answer(value, revision, deleted=True, warnings=warnings)

    async def _append(
        self, kind: Kind, version: str, key: Key, expected: int, draft: Draft, dry_run: bool, *, created: bool = False
    ) -> Answer:
        """Write an object in the storage version and answer in the asked one."""
        if dry_run and created:
            return Answer(orjson.dumps(draft.obj), 0, created=True, warnings=tuple(draft.warnings))
        draft.obj["apiVersion"] = kind.api_version(kind.storage_version.name)
        pieces = encoding.encode(draft.obj)
        revision = expected
        if not dry_run:
            revision = await self._current.append(Write(key, expected, pieces))
        value = self._reads.rendering(kind, version)(encoding.joined(pieces, revision))
        return Answer(value, revision, created=created, warnings=tuple(draft.warnings))

    def _record(self, old: Object | None, new: Object, target: Target, options: WriteOptions) -> None:
        """Who owns which fields after a write that is not an apply; a write that changes nothing owns nothing new."""
        if old is not None and ownership_only(new, old) and "managedFields" not in new["metadata"]:
            new["metadata"]["managedFields"] = old["metadata"].get("managedFields", [])
        if old is not None and new == old:
            return
        schema = version_of(target.kind, target.version).schema
        ownership.record_update(
            old,
            new,
            schema,
            manager=options.manager,
            api_version=target.kind.api_version(target.version),
            subresource=target.subresource,
            now=self._now(),
        )

    def _check_place(self, kind: Kind, metadata: Object) -> None:
        """Nothing new of a kind, or in a namespace, that is missing or on its way out."""
        definition = self._current.objects.get(Key(definitions.RESOURCE, "", kind.resource))
        if definition is not None and _is_terminating(definition):
            why = "create not allowed while custom resource definition is terminating"
            raise StatusError(405, "MethodNotAllowed", why, kind.group, kind.plural, metadata.get("name", ""))
        if not kind.namespaced:
            return
        namespace = metadata["namespace"]
        entry = self._current.objects.get(Key(NAMESPACES, "", namespace))
        if entry is None:
            raise refusals.namespace_not_found(namespace)
        if _is_terminating(entry):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
            raise refusals.forbidden(kind, metadata.get("name", ""), why, (cause,))

    @staticmethod
    def _key(target: Target) -> Key:
        return Key(target.kind.resource, target.namespace if target.kind.namespaced else "", target.name)


def _is_terminating(entry: Entry) -> bool:
    end = entry.value.find(b'},"spec":')  # metadata comes first, and what follows can be long
    return (
        entry.value.find(b'"deletionTimestamp":', 0, end) >= 0
        and "deletionTimestamp" in orjson.loads(entry.value)["metadata"]
    )


def ownership_only(new: Object, old: Object) -> bool:
    """Whether two objects differ in nothing but managedFields."""
    if any(new.get(name) != old.get(name) for name in (new.keys() | old.keys()) - {"metadata"}):
        return False
    apart = {"managedFields"}
    mine, yours = new["metadata"], old["metadata"]
    return all(mine.get(name) == yours.get(name) for name in (mine.keys() | yours.keys()) - apart)


def same_owners(new: Object, old: Object) -> bool:
    """Whether two objects have the same managedFields but for their times."""
    mine, yours = (
        [{**entry, "time": ""} for entry in obj["metadata"].get("managedFields") or ()] for obj in (new, old)
    )
    return bool(mine) and mine == yours
