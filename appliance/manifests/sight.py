"""All folders at one glance, and which of what is missing may be taken for removed.

A folder that is not there, cannot be read, or lies empty on another file system than before (its disk was unmounted)
has not removed anything. To know that after a restart, the mount point of every folder is remembered in a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.manifests.folders import Stamp, look
from appliance.manifests.reader import Problem


class Memory:
    """The mount point of each folder when files were last seen in it. Damaged memory is no memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            stored = json.loads(path.read_bytes())
        except (OSError, ValueError):  # the first start, or a crash in the middle: then nothing is remembered
            stored = {}
        self.mounts: dict[str, str] = {
            str(folder): mount
            for folder, mount in (stored.items() if isinstance(stored, dict) else ())
            if isinstance(mount, str)
        }

    def remember(self, folder: Path, mount: str) -> None:
        """Note where a folder lies."""
        if self.mounts.get(str(folder)) != mount:
            self.mounts[str(folder)] = mount
            scratch = self._path.with_name(self._path.name + ".new")
            with scratch.open("w", encoding="utf-8") as file:
                file.write(json.dumps(self.mounts, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())  # or a power cut leaves an empty file: no memory, and an unmounted disk deletes
            scratch.replace(self._path)


@dataclass(slots=True)
class Sight:
    """What all folders hold. folder_of: by file; gone: why a folder cannot be believed; closed: subfolders of which
    nothing is known; roots: identities of the folders that are there.

    Paths of files are texts: they are field managers and names in the store.
    """

    folders: Sequence[Path]
    files: dict[str, Stamp] = field(default_factory=dict)
    folder_of: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, Problem] = field(default_factory=dict)
    gone: dict[Path, str] = field(default_factory=dict)
    closed: set[Path] = field(default_factory=set)
    roots: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def hidden(self, paths: Iterable[str]) -> dict[str, Problem]:
        """Of these files, which are not seen, those that cannot be taken for removed, with the reason."""
        found = {}
        for path in paths:
            folder = next((folder for folder in self.folders if Path(path).is_relative_to(folder)), None)
            if folder is None:
                remedy = "Watch its folder again with --manifests, or delete its objects with force."
                found[path] = Problem("lies in no watched folder any more; its objects stay", remedy)
            elif folder in self.gone:
                remedy = "Bring the folder back; to remove its objects, remove the files in it."
                found[path] = Problem(f"its folder {folder} {self.gone[folder]}; its objects stay", remedy)
            elif (closed := next((sub for sub in self.closed if sub in Path(path).parents), None)) is not None:
                remedy = "Let it be read again; to remove its objects, remove the files in it."
                found[path] = Problem(f"its folder {closed} is not looked into; its objects stay", remedy)
        return found


def look_at(folders: Sequence[Path], size_limit_bytes: int, memory: Memory) -> Sight:
    """Look into every folder. Blocks."""
    sight = Sight(folders)
    for path in folders:
        folder = look(path, size_limit_bytes)
        if folder.gone:
            sight.gone[path] = f"cannot be looked into ({folder.gone})"
            continue
        sight.roots[path] = folder.identity
        before = memory.mounts.get(str(path), folder.mount)
        if not folder.files and before != folder.mount:
            sight.gone[path] = f"is empty, and no longer on the file system mounted at {before}"
            continue
        if folder.files:
            memory.remember(path, folder.mount)
        sight.files |= {str(file): stamp for file, stamp in folder.files.items()}
        sight.folder_of |= {str(file): path for file in folder.files}
        sight.closed |= folder.closed
        sight.refused |= {str(file): problem for file, problem in folder.refused.items()}
    return sight
