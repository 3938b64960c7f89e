"""Which file claims which objects: the state of the folder as the store knows it.

Objects with their managedFields come in; files with their objects go out. Who owns a field is the store's to say; this
only remembers what it said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from appliance.manifests.placing import file_of, manager_of
from appliance.manifests.reader import Document, Problem
from store.log.contract import Key
from store.patch.field_sets import FieldSet


@dataclass(slots=True)
class Claim:
    """One object of one file. owned: the file's fields after its last apply, None when it never succeeded.

    revision: of that apply. refused: the code of the refusal, 0 when there was none.
    """

    document: Document
    owned: FieldSet | None = None
    problems: list[Problem] = field(default_factory=list)
    overridden: list[Problem] = field(default_factory=list)
    revision: int = 0
    refused: int = 0


@dataclass(slots=True)
class File:
    """One manifest file. data, digest: of the last readable and of the last content. problems: of the file itself.

    claims: what it names, by key. held: what is its own in the store, though the file may name it no more.
    adopted: those of held that were there before the file; they outlive it.
    complete: what the file does not name it does not want; False while that cannot be known.
    as_applied: when last heard of, the store had all that the content of this digest says.
    """

    path: str
    data: bytes = b""
    digest: str = ""
    claims: dict[Key, Claim] = field(default_factory=dict)
    held: set[Key] = field(default_factory=set)
    adopted: set[Key] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False
    as_applied: bool = False

    def all_problems(self) -> list[Problem]:
        """Of the file, then of its objects, in the order of the file."""
        found = list(self.problems)
        for claim in self.claims.values():
            found += claim.problems or claim.overridden
        return sorted(found, key=lambda problem: (problem.line, problem.column))


def held_by_files(objects: Iterable[tuple[Key, bytes]]) -> Mapping[str, set[Key]]:
    """Which objects each file owns fields of, as their managedFields say."""
    held: dict[str, set[Key]] = defaultdict(set)
    for key, value in objects:
        if b'"manifest:' not in value:
            continue
        for entry in orjson.loads(value)["metadata"].get("managedFields") or ():
            if file := file_of(entry.get("manager", "")):
                held[file].add(key)
    return held


def owned_fields(obj: Mapping[str, Any], path: str) -> FieldSet:
    """The fields that a file owns of an object."""
    manager = manager_of(path)
    for entry in obj["metadata"].get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            return FieldSet.from_json(entry["fieldsV1"])
    return FieldSet()


def others(obj: Mapping[str, Any], path: str) -> set[str]:
    """Everybody else who applied to the object: its other files, and managers that use server-side apply."""
    manager = manager_of(path)
    return {
        entry["manager"]
        for entry in obj["metadata"].get("managedFields") or ()
        if entry.get("operation") == "Apply" and entry.get("manager") != manager and not entry.get("subresource")
    }


def owner_of(obj: Mapping[str, Any], fields: FieldSet) -> str:
    """Who owns any of these fields now, "" when nobody does."""
    for entry in obj["metadata"].get("managedFields") or ():
        if FieldSet.from_json(entry.get("fieldsV1") or {}).intersection(fields):
            return str(entry.get("manager", ""))
    return ""
