"""Protection of what manifest files own: another writer's change of such a field is refused, with the file's name.

Objects before and after come in with their managedFields; a refusal goes out. Pure.
"""

from __future__ import annotations

from typing import Any

from store.errors import Cause, StatusError
from store.kinds.kind import Kind
from store.patch import ownership

PREFIX = "manifest:"
REMEDY = "change {files} instead, or write with force to take the fields over"


def file_of(manager: str) -> str:
    """The file behind a field manager, "" when it is no file's."""
    return manager.removeprefix(PREFIX) if manager.startswith(PREFIX) else ""


def check_update(kind: Kind, old: dict[str, Any], new: dict[str, Any], manager: str) -> None:
    """Raises StatusError 409 when fields of a file that is not the writer went to somebody else, or went away."""
    if not _has_files(old, manager):
        return
    after = {(owner.manager, owner.subresource): owner.fields for owner in ownership.owners(new)}
    causes = []
    files = set()
    for owner in ownership.owners(old):
        file = file_of(owner.manager)
        if not file or owner.manager == manager:
            continue
        kept = after.get((owner.manager, owner.subresource))
        lost = owner.fields if kept is None else owner.fields.difference(kept)
        for path in lost.paths():
            files.add(file)
            causes.append(Cause("FieldManagerConflict", f'conflict with "{owner.manager}"', path))
    if causes:
        raise _refusal(kind, new["metadata"]["name"], files, causes)


def check_delete(kind: Kind, obj: dict[str, Any], manager: str) -> None:
    """Raises StatusError 409 when a file that is not the writer owns anything of the object."""
    if not _has_files(obj, manager):
        return
    owners = [owner for owner in ownership.owners(obj) if file_of(owner.manager) and owner.manager != manager]
    causes = [Cause("FieldManagerConflict", f'conflict with "{owner.manager}"') for owner in owners]
    raise _refusal(kind, obj["metadata"]["name"], {file_of(owner.manager) for owner in owners}, causes)


def _has_files(obj: dict[str, Any], manager: str) -> bool:
    """Whether a file other than the writer owns anything; cheap, for every write passes here."""
    entries = obj["metadata"].get("managedFields") or ()
    return any(entry.get("manager", "").startswith(PREFIX) and entry["manager"] != manager for entry in entries)


def _refusal(kind: Kind, name: str, files: set[str], causes: list[Cause]) -> StatusError:
    names = ", ".join(sorted(files))
    what = f": {', '.join(cause.field for cause in causes)}" if causes[0].field else ""
    message = (
        f'Operation cannot be fulfilled on {kind.resource} "{name}": it belongs to the manifest file {names}{what}; '
        + REMEDY.format(files="the file" if len(files) == 1 else "the files")
    )
    return StatusError(409, "Conflict", message, kind.group, kind.plural, name, causes=causes)
