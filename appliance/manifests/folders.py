"""What lies in the manifest folders: paths come in, files with their stamps go out. Reads the file system, blocks.

A file is a manifest when its name ends in .yaml, .yml or .json and no part of its path below the folder begins with a
dot; editors' temporary files never look like that. Symbolic links count while they stay inside the folder, as in a
mounted ConfigMap (file -> ..data/file, ..data -> ..2024_01_01).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from appliance.manifests.reader import Problem

SUFFIXES = (".yaml", ".yml", ".json")
FILES_LIMIT = 50_000
DEPTH_LIMIT = 32


class Stamp(NamedTuple):
    """Tells one content of a file from the next without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder as found. gone: why it cannot be looked into, "" when it can; mount: the mount point it lies on;
    identity: its device and inode.

    refused: files and subfolders that are there but are not read, with the reason; closed: those of the subfolders of
    which nothing is known, so that what was in them is not to be taken for removed.
    """

    path: Path
    files: dict[Path, Stamp] = field(default_factory=dict)
    refused: dict[Path, Problem] = field(default_factory=dict)
    closed: frozenset[Path] = frozenset()
    gone: str = ""
    mount: str = ""
    identity: tuple[int, int] = (0, 0)


class ChangedWhileReadError(Exception):
    """A file is being written."""


def look(folder: Path, size_limit_bytes: int) -> Folder:
    """Everything in a folder and its subfolders."""
    files: dict[Path, Stamp] = {}
    refused: dict[Path, Problem] = {}
    root = os.path.realpath(folder)
    closed: dict[Path, Problem] = {}
    try:
        status = Path(root).stat()
        for path in _walk(folder, root, 0, closed):
            if (name := _shown(path)) != str(path):
                refused[Path(name)] = Problem("has a name that is not UTF-8 text", "Rename it, or one of its folders.")
                continue
            judged = _judge(path, root, size_limit_bytes)
            if isinstance(judged, Problem):
                refused[path] = judged
            elif judged is not None:
                files[path] = judged
            if len(files) > FILES_LIMIT:
                return Folder(folder, gone=f"it holds more than {FILES_LIMIT} files", mount=mount_point(root))
    except OSError as error:
        return Folder(folder, gone=error.strerror or str(error))
    identity = (status.st_dev, status.st_ino)
    return Folder(folder, files, refused | closed, frozenset(closed), mount=mount_point(root), identity=identity)


def read_file(path: str, folder: Path, size_limit_bytes: int) -> tuple[bytes, Stamp]:
    """The content of a file with the stamp it had.

    Raises OSError, or ChangedWhileReadError when it was written to, or turned into a link that leaves the folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not _inside(str(Path(f"/proc/self/fd/{descriptor}").readlink()), os.path.realpath(folder)):
            raise ChangedWhileReadError(path)
        before = _stamp(os.fstat(stream.fileno()))
        data = stream.read(size_limit_bytes + 1)
        after = _stamp(os.fstat(stream.fileno()))
    if before != after or len(data) != before.size:
        raise ChangedWhileReadError(path)
    return data, before


def mount_point(path: str) -> str:
    """The mount point that a path lies on."""
    while not os.path.ismount(path):
        path = os.path.dirname(path)  # noqa: PTH120  # plain texts: this runs for every look
    return path


def is_manifest_name(name: str) -> bool:
    """Whether a file of this name is read at all."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _walk(folder: Path, root: str, depth: int, closed: dict[Path, Problem]) -> Iterator[Path]:
    """Every manifest below a folder, sorted; subfolders that are not looked into go into `closed`.

    A subfolder that vanishes meanwhile has no files. Of the folder itself every error goes up: one that cannot be read
    must not be taken for an empty one.
    """
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if not entry.is_dir():
            if is_manifest_name(entry.name):
                yield path
        elif (problem := _no_entry(path, root, depth)) is not None:
            closed[Path(_shown(path))] = problem
        else:
            try:
                yield from _walk(path, root, depth + 1, closed)
            except FileNotFoundError:
                continue
            except OSError as error:
                remedy = "Let the appliance's user read it, or move it out of the folder."
                closed[Path(_shown(path))] = Problem(f"is a folder that cannot be read: {error.strerror}", remedy)


def _no_entry(path: Path, root: str, depth: int) -> Problem | None:
    """Why a subfolder is not looked into."""
    if depth >= DEPTH_LIMIT:
        return Problem(f"is a folder more than {DEPTH_LIMIT} deep, which is not looked into", "Move it up.")
    if not path.is_symlink():
        return None
    if not _inside(target := os.path.realpath(path), root):
        return Problem(f"is a link out of the folder, to {target}", "Put a copy into the folder.")
    return None


def _judge(path: Path, root: str, size_limit_bytes: int) -> Stamp | Problem | None:
    """The file's stamp; or why it is not read; None when it is gone, or a link to nothing yet."""
    try:
        target = os.path.realpath(path, strict=True)
        status = Path(target).stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Problem(f"cannot be read: {error.strerror}", "Correct its permissions or remove it.")
    if not _inside(target, root):
        return Problem(f"is a link out of the folder, to {target}", "Put a copy of the file into the folder.")
    if not stat.S_ISREG(status.st_mode):
        return Problem("is no regular file", "Remove it from the folder.")
    if status.st_mode & stat.S_IWOTH:
        return Problem("can be written by every user of this machine", f"chmod o-w {path}")
    if status.st_size > size_limit_bytes:
        return Problem(
            f"has {status.st_size} bytes, more than the {size_limit_bytes} that are read",
            "Split it, or raise --manifest-limit.",
        )
    return _stamp(status)


def _shown(path: Path) -> str:
    """The path as text; bytes that are none are escaped (PEP 383)."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _inside(target: str, root: str) -> bool:
    return target == root or target.startswith(root.rstrip("/") + "/")


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
