"""Lives of a manifest folder that may end at any commit, as if the process had been killed just then."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from appliance.manifests.sight import Memory
from appliance.manifests.watcher import Watcher
from store.kinds import registry
from store.log.contract import Change, Key, Log, Write
from store.log.database import open_log
from store.service import Service

DEADLINE_S = 30.0
SIZE_LIMIT_BYTES = 1024 * 1024
_FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class EndingLog:
    """A log that answers so many appends and no more; `ended` is set when the last of them is committed."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.ended = asyncio.Event()
        self._begun = self._committed = 0
        self._last: int | None = None

    def end_after(self, commits: int | None) -> None:
        """Count from here. None: never."""
        self._begun = self._committed = 0
        self._last = commits

    async def append(self, write: Write) -> int:
        """As of the log; nobody hears of the last commit, and what comes after it never happens."""
        self._begun += 1
        if self._last is not None and self._begun > self._last:
            await asyncio.Event().wait()
        revision = await self._log.append(write)
        self._committed += 1
        if self._committed == self._last:
            self.ended.set()
            await asyncio.Event().wait()
        return revision

    async def read(self, revision: int | None = None) -> tuple[int, Sequence[tuple[Key, int, bytes]]]:
        """As of the log."""
        return await self._log.read(revision)

    def watch(self, after: int) -> AsyncIterator[Sequence[Change]]:
        """As of the log."""
        return self._log.watch(after)

    async def compact(self, before: int) -> None:
        """As of the log."""
        await self._log.compact(before)

    async def close(self) -> None:
        """As of the log."""
        await self._log.close()


@dataclass(frozen=True, slots=True)
class World:
    """A manifest folder, and the data folder of the appliance that watches it."""

    folder: Path
    data: Path

    def copied(self, data: Path) -> World:
        """The same folder before a copy of the data."""
        shutil.copytree(self.data, data)
        return World(self.folder, data)

    def hold(self, files: Mapping[str, str]) -> None:
        """Make the folder hold just these files, by name."""
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            if path.name not in files:
                path.unlink()
        for name, text in files.items():
            if not (self.folder / name).exists() or (self.folder / name).read_text() != text:
                (self.folder / name).write_text(text)

    async def live(self, commits: int | None = None) -> bool:
        """Start, apply what the folder holds, stop. commits: end after so many. Whether the life was whole."""
        service, log = await self._open()
        log.end_after(commits)
        watcher = Watcher(
            service,
            [self.folder],
            size_limit_bytes=SIZE_LIMIT_BYTES,
            memory=Memory(self.data / "folders.json"),
            now=service.now,
        )
        running = asyncio.create_task(watcher.run())
        applied, ended = asyncio.create_task(watcher.applied.wait()), asyncio.create_task(log.ended.wait())
        tasks = (running, applied, ended)
        try:
            done, _ = await asyncio.wait(tasks, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
            assert done, "the files at the start are not applied"
            if running in done:
                running.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await service.close()
        return not log.ended.is_set()

    async def visit(self, work: Callable[[Service], Awaitable[None]]) -> None:
        """Do something with the store alone."""
        service, _ = await self._open()
        try:
            await work(service)
        finally:
            await service.close()

    async def settled(self) -> dict[str, Any]:
        """What is in the store when nothing is being deleted any more, by "Kind name", without what every store has.

        Of objects the files that own fields of them, data and annotations; of ManifestFiles the names that they list.
        """
        found: dict[str, Any] = {}

        async def look(service: Service) -> None:
            nonlocal found
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    found, going = _contents(service)
                    if not going:
                        return
                    await asyncio.sleep(0.002)

        await self.visit(look)
        return found

    async def _open(self) -> tuple[Service, EndingLog]:
        self.data.mkdir(exist_ok=True)
        log = EndingLog(open_log(self.data / "gatehouse.db"))
        return await Service.open(log, registry.builtin()), log


def _contents(service: Service) -> tuple[dict[str, Any], bool]:
    found: dict[str, Any] = {}
    going = False
    for key, value in service.snapshot()[1]:
        obj = orjson.loads(value)
        metadata = obj["metadata"]
        going |= "deletionTimestamp" in metadata
        name = f"{obj['kind']} {metadata['name']}"
        files = sorted(
            entry["manager"].rpartition("/")[2]
            for entry in metadata.get("managedFields", ())
            if entry["manager"].startswith("manifest:")
        )
        if key.resource == "namespaces" and metadata["name"] not in _FIRST_NAMESPACES:
            found[name] = {"files": files}
        elif key.resource == "configmaps":
            found[name] = {"files": files} | {part: obj[part] for part in ("data",) if part in obj}
            if annotations := metadata.get("annotations"):
                found[name]["annotations"] = annotations
        elif obj["kind"] == "ManifestFile":
            name = f"ManifestFile {obj['spec']['path'].rpartition('/')[2]}"
            found[name] = [described["name"] for described in obj.get("status", {}).get("objects", ())]
    return found, going
