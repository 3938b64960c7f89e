"""The watched folders: changes on disk and in the store come in, work for the applier goes out.

One task looks, decides and applies, so that nothing happens twice at once. Events of the file system only wake it: what
is there is always found out by looking, so that a lost event costs seconds and never a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from watchfiles import awatch

from appliance.manifests.abreast import abreast
from appliance.manifests.applier import Applier, Content
from appliance.manifests.folders import ChangedWhileReadError, read_file
from appliance.manifests.parse_process import parse
from appliance.manifests.reader import Problem, unreadable
from appliance.manifests.settling import SETTLE_S, Settling
from appliance.manifests.sight import Memory, Sight, look_at
from appliance.manifests.status import StatusWriter
from store.log.contract import Change
from store.service import Service

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S = 5.0
_EVENTS_AGAIN_S = 30.0
_EVENT_STEP_MS = 20
_DEBOUNCE_MS = 400
_EMPTY = unreadable(
    Problem("is empty, as a file is that is about to be written", "Remove the file, or leave a comment in it.")
)


class Watcher:
    """Keeps the files of some folders applied. `applied` is set when what was there at the start has been tried."""

    def __init__(
        self,
        service: Service,
        folders: Sequence[Path],
        *,
        size_limit_bytes: int,
        memory: Memory,
        now: Callable[[], str],
    ) -> None:
        self.applied = asyncio.Event()
        self.gone: dict[Path, str] = {}
        self._status = StatusWriter(service, now)
        self.applier = Applier(service, self._status.note)
        self._service = service
        self._folders = tuple(folders)
        self._size_limit_bytes = size_limit_bytes
        self._memory = memory
        self._settling = Settling()
        self._changes: list[Change] = []
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._roots: dict[Path, tuple[int, int]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        self.applier.start(self._status.start())
        self._settling.known |= dict.fromkeys(self.applier.files)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(self._service.changes(self.applier.revision)))
            tasks.create_task(self._notify())
            while True:
                self._wake.clear()
                wait_s = await self._turn()
                self.applied.set()
                with contextlib.suppress(TimeoutError):  # nothing happened: the regular look
                    async with asyncio.timeout(min(wait_s or LOOK_EVERY_S, LOOK_EVERY_S)):
                        await self._wake.wait()

    def gauges(self) -> list[tuple[str, str, float]]:
        """Figures for /metrics: name, meaning, value."""
        files = list(self.applier.files.values())
        failed = sum(1 for file in files if file.all_problems())
        claims = [claim for file in files for claim in list(file.claims.values())]
        return [
            ("gatehouse_manifest_files", "Manifest files known", float(len(files))),
            ("gatehouse_manifest_files_failed", "Manifest files with a problem", float(failed)),
            ("gatehouse_manifest_objects", "Objects named by manifest files", float(len(claims))),
            ("gatehouse_manifest_folders_gone", "Watched folders that are not there", float(len(self.gone))),
        ]

    async def _turn(self) -> float | None:
        """Look once, and do what is due. When to look again."""
        touched = await self._seen_changes()
        sight = await asyncio.to_thread(look_at, self._folders, self._size_limit_bytes, self._memory)
        self._say_gone(sight)
        kept = sight.refused | sight.hidden([path for path in self._settling.known if path not in sight.files])
        for path, problem in kept.items():
            self._settling.known[path] = None
            self.applier.refuse(path, problem)
        now_s = asyncio.get_running_loop().time()
        due = self._settling.observe(sight.files, kept, now_s, at_once=not self.applied.is_set())
        contents = await self._read(due.read, sight)
        touched |= kept.keys() | await self.applier.update(contents, due.removed)
        touched |= await self.applier.retry(transient=True)
        await self._publish(touched, due.removed)
        return due.wait_s

    async def _seen_changes(self) -> set[str]:
        """What others did to objects of files, and a second try for what that may have made possible."""
        changes, self._changes = self._changes, []
        touched, hopeful = self.applier.observe(changes)
        return touched | await self.applier.retry() if hopeful else touched

    async def _read(self, paths: Sequence[str], sight: Sight) -> dict[str, Content]:
        contents: dict[str, Content] = {}
        for path in paths:
            try:
                data, stamp = await asyncio.to_thread(read_file, path, sight.folder_of[path], self._size_limit_bytes)
            except (ChangedWhileReadError, FileNotFoundError):
                self._settling.postpone(path)
                asyncio.get_running_loop().call_later(SETTLE_S, self._wake.set)
                continue
            except OSError as error:
                problem = Problem(f"cannot be read: {error.strerror}", "Correct its permissions.")
                contents[path] = Content(b"", unreadable(problem))
                self._settling.done(path, sight.files[path])
                continue
            contents[path] = Content(data, await parse(data) if data else _EMPTY)
            self._settling.done(path, stamp)
        return contents

    async def _publish(self, touched: set[str], removed: Sequence[str]) -> None:
        """Write the status of files that changed; forget files that are gone with all their objects."""
        gone: list[str] = []
        for path in removed:
            file = self.applier.files.get(path)
            if file is None or not file.held:
                self.applier.files.pop(path, None)
                self._settling.done(path, None)
                gone.append(path)
                touched.discard(path)
        await abreast(self._status.remove, gone)
        files = [file for path in sorted(touched) if (file := self.applier.files.get(path)) is not None]
        await abreast(self._status.write, files)

    def _say_gone(self, sight: Sight) -> None:
        for folder, why in sight.gone.items():
            if self.gone.get(folder) != why:
                _LOG.warning("manifests: folder %s: %s; nothing is deleted, and it is looked for again", folder, why)
        for folder in self.gone.keys() - sight.gone.keys():
            _LOG.info("manifests: folder %s is back", folder)
        if sight.roots != self._roots:
            self._roots = sight.roots
            self._moved.set()
        self.gone = dict(sight.gone)

    async def _follow(self, changes: AsyncIterator[Sequence[Change]]) -> None:
        """Collect what happens in the store."""
        async for batch in changes:
            relevant = [change for change in batch if self.applier.concerns(change)]
            if relevant:
                self._changes += relevant
                self._wake.set()

    async def _notify(self) -> None:
        """Wake up when the file system says that something happened; start anew when a folder is another one."""
        said = ""
        while True:
            self._moved.clear()
            folders = list(self._roots)
            if not folders:
                await self._moved.wait()
                continue
            try:
                async for _ in awatch(
                    *folders, watch_filter=None, stop_event=self._moved, step=_EVENT_STEP_MS, debounce=_DEBOUNCE_MS
                ):
                    self._wake.set()
            except Exception as error:  # a folder went away, the system has no more watches, a name is no text, ...
                why = "; ".join(str(cause) for cause in getattr(error, "exceptions", (error,)))
                if why != said:
                    _LOG.warning(
                        "manifests: no events from the file system (%s); looking every %g s", why, LOOK_EVERY_S
                    )
                said = why
                with contextlib.suppress(TimeoutError):  # then perhaps there are events again
                    async with asyncio.timeout(_EVENTS_AGAIN_S):
                        await self._moved.wait()
