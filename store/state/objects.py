"""Current objects: changes come in by `apply`, lookups and ordered listings go out. Knows JSON only to find owners."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from store.log.contract import Change, Key

Place = tuple[str, str]


@dataclass(slots=True)
class Entry:
    """An object at rest: the revision that wrote it and its JSON."""

    revision: int
    value: bytes
    _labels: Mapping[str, str] | None = field(default=None, compare=False, repr=False)

    def labels(self) -> Mapping[str, str]:
        """metadata.labels; parsed when first asked for and kept as long as the entry, because selectors ask for all."""
        if self._labels is None:
            marked = b'"labels":{' in self.value
            self._labels = (orjson.loads(self.value)["metadata"].get("labels") or _NONE) if marked else _NONE
        return self._labels


_NONE: Mapping[str, str] = {}


class Shelf:
    """The objects of one resource, in the order of (namespace, name)."""

    def __init__(self) -> None:
        self.entries: dict[Place, Entry] = {}
        self.places: list[Place] = []

    def put(self, place: Place, entry: Entry) -> None:
        """Add or replace."""
        if place not in self.entries:
            insort(self.places, place)
        self.entries[place] = entry

    def drop(self, place: Place) -> None:
        """Remove, if it is there."""
        if self.entries.pop(place, None) is not None:
            del self.places[bisect_left(self.places, place)]

    def range(self, namespace: str) -> tuple[int, int]:
        """The slice of `places` that lies in a namespace ("": all of it)."""
        if not namespace:
            return 0, len(self.places)
        return bisect_left(self.places, (namespace, "")), bisect_left(self.places, (namespace + "\0", ""))

    def list(self, namespace: str = "", after: Place | None = None) -> Iterator[tuple[Place, Entry]]:
        """Objects in order, those beyond `after` only. Not to be kept across an await."""
        start, end = self.range(namespace)
        if after is not None:
            start = max(start, bisect_left(self.places, (after[0], after[1] + "\0")))
        for place in self.places[start:end]:
            yield place, self.entries[place]


class Objects:
    """All objects as of `revision`."""

    def __init__(self) -> None:
        self.revision = 0
        self._shelves: dict[str, Shelf] = {}
        self._dependents: dict[str, set[Key]] = {}

    def load(self, revision: int, objects: Sequence[tuple[Key, int, bytes]]) -> None:
        """Start from what the log read."""
        for key, at, value in sorted(objects):
            self._shelf(key.resource).put((key.namespace, key.name), Entry(at, value))
            for uid in owner_uids(value):
                self._dependents.setdefault(uid, set()).add(key)
        self.revision = revision

    def apply(self, change: Change) -> None:
        """Take one change; changes come in order."""
        key = change.key
        for uid in owner_uids(change.previous):
            dependents = self._dependents[uid]
            dependents.discard(key)
            if not dependents:
                del self._dependents[uid]
        shelf = self._shelf(key.resource)
        if change.value is None:
            shelf.drop((key.namespace, key.name))
        else:
            shelf.put((key.namespace, key.name), Entry(change.revision, change.value))
            for uid in owner_uids(change.value):
                self._dependents.setdefault(uid, set()).add(key)
        self.revision = change.revision

    def get(self, key: Key) -> Entry | None:
        """The object at a key."""
        shelf = self._shelves.get(key.resource)
        return None if shelf is None else shelf.entries.get((key.namespace, key.name))

    def list(self, resource: str, namespace: str = "", after: Place | None = None) -> Iterator[tuple[Place, Entry]]:
        """The objects of a resource; see Shelf.list."""
        return self._shelf(resource).list(namespace, after)

    def count(self, resource: str, namespace: str = "") -> int:
        """How many objects a resource has (in a namespace)."""
        start, end = self._shelf(resource).range(namespace)
        return end - start

    def within(self, namespace: str) -> Iterator[Key]:
        """Every key in a namespace, of all resources."""
        for resource, shelf in self._shelves.items():
            start, end = shelf.range(namespace)
            for place in shelf.places[start:end]:
                yield Key(resource, *place)

    def dependents(self, uid: str) -> Sequence[Key]:
        """The keys of the objects that name an owner of this uid."""
        return tuple(self._dependents.get(uid, ()))

    def everything(self) -> Iterator[tuple[Key, Entry]]:
        """All objects of all resources."""
        for resource, shelf in self._shelves.items():
            for place, entry in shelf.entries.items():
                yield Key(resource, *place), entry

    def as_of(self, resource: str, undo: Sequence[Change]) -> Shelf:
        """A copy of a resource's shelf with changes taken back; `undo` is newest first."""
        shelf = self._shelf(resource)
        past: dict[Place, Entry | None] = {}
        for change in undo:
            if change.key.resource == resource:
                place = (change.key.namespace, change.key.name)
                past[place] = None if change.previous is None else Entry(change.previous_revision, change.previous)
        copy = Shelf()
        copy.entries = _patched(shelf.entries, past)
        copy.places = sorted(copy.entries) if past else shelf.places
        return copy

    def _shelf(self, resource: str) -> Shelf:
        shelf = self._shelves.get(resource)
        if shelf is None:
            shelf = self._shelves[resource] = Shelf()
        return shelf


def owner_uids(value: bytes | None) -> list[str]:
    """The uids in metadata.ownerReferences; objects without any cost one search."""
    if value is None or b'"ownerReferences":[' not in value:
        return []
    owners = orjson.loads(value)["metadata"].get("ownerReferences") or ()
    return [owner["uid"] for owner in owners]


def _patched(entries: Mapping[Place, Entry], past: Mapping[Place, Entry | None]) -> dict[Place, Entry]:
    return {place: entry for place, entry in {**entries, **past}.items() if entry is not None}
