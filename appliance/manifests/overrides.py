"""What others did to the objects of files: changes of the store come in; it is noted with the files.

An override is told and never fought: who forced it knew what the file says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from appliance.manifests.claims import Claim, File, held_by_files, owned_fields, owner_of
from appliance.manifests.reader import Problem, describe, place_of
from store.log.contract import Change

_PATHS_LIMIT = 10
_TAKE_BACK = "Change the file to apply it again, or remove the field from it."


def of_files(change: Change) -> bool:
    """Whether a change may be to an object of a file."""
    return any(b'"manifest:' in value for value in (change.previous, change.value) if value is not None)


def note_overrides(files: Mapping[str, File], changes: Iterable[Change]) -> set[str]:
    """Note with every file what of its objects is no longer as it says. The paths of those with news."""
    touched = set()
    for change in changes:
        states = [(change.key, value) for value in (change.previous, change.value) if value is not None]
        for path in held_by_files(states):
            file = files.get(path)
            claim = file.claims.get(change.key) if file else None
            if file and claim and change.revision > claim.revision and _compare(file, claim, change):
                touched.add(path)
    return touched


def _compare(file: File, claim: Claim, change: Change) -> bool:
    """Note what somebody took from the file. Whether that is news."""
    if claim.owned is None:
        return False
    before = claim.overridden
    line, name = claim.document.line, describe(claim.document.value)
    if change.value is None:
        # Whoever makes an object of this name from here on makes one of their own.
        file.held.discard(change.key)
        file.adopted.discard(change.key)
        claim.overridden = [
            Problem("was deleted by another writer", "Change the file to have it again.", line, 1, name)
        ]
        return claim.overridden != before
    obj = orjson.loads(change.value)
    claim.overridden = []
    if lost := claim.owned.difference(owned_fields(obj, file.path)):
        writer = owner_of(obj, lost) or "another writer"
        claim.overridden = [_overridden(file, claim, path, writer) for path in lost.paths()[:_PATHS_LIMIT]]
    return claim.overridden != before


def _overridden(file: File, claim: Claim, path: str, writer: str) -> Problem:
    line, column = place_of(claim.document, file.data, path)
    message = f"{path.lstrip('.')} was changed by {writer}, with force"
    return Problem(message, _TAKE_BACK, line, column, describe(claim.document.value), path.lstrip("."))
