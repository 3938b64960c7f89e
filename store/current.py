"""The store's present: the log, the objects that it adds up to, the recent past and the hub, moved forward as one.

Committed changes come in from the log's watch and from nowhere else; a write returns once they have come back round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from store import refusals
from store.log.contract import Change, CompactedError, Key, Log, LogFailedError, LogFullError, Write
from store.state.objects import Objects
from store.watch.hub import Hub
from store.watch.ring import Ring

logger = logging.getLogger(__name__)

PRELOADED = 5_000

Observer = Callable[[Sequence[Change]], None]


class Current:
    """`objects`, `ring` and `hub` as of `objects.revision`. Belongs to the event loop."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.objects = Objects()
        self.ring = Ring()
        self.hub = Hub()
        self._observers: list[Observer] = []
        self._reached = asyncio.Condition()
        self._locks: dict[Key, _Lock] = {}
        self._feed: asyncio.Task[None] | None = None
        self._refusal = ""
        self._failed = False

    @property
    def failing(self) -> str:
        """Why nothing can be written, "" when the last write could. A full disk is told to writers and in the log."""
        if self._feed is not None and self._feed.done():
            return "the store does not follow its log any more"
        return self._refusal if self._failed else ""

    async def start(self) -> None:
        """Load what is there and the recent past, then follow the log."""
        revision, objects = await self.log.read()
        self.objects.load(revision, objects)
        await self._load_ring(revision)
        self._feed = asyncio.create_task(self._follow(), name="store-feed")

    async def stop(self) -> None:
        """Follow no more, and end every subscription."""
        if self._feed is not None:
            self._feed.cancel()
            await asyncio.wait([self._feed])
        self.hub.end()

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every batch, after the objects have it and before any write or watch hears of it."""
        self._observers.append(observer)

    async def append(self, write: Write) -> int:
        """Commit, and wait until the objects show it. Raises ConflictError, or StatusError when the disk refuses."""
        try:
            revision = await self.log.append(write)
        except LogFullError as error:
            self._note(str(error), failed=False)
            raise refusals.full() from None
        except LogFailedError as error:
            self._note(str(error), failed=True)
            raise refusals.failed(str(error)) from error
        if self._refusal:
            logger.warning("store: writes succeed again")
            self._refusal, self._failed = "", False
        await self.reached(revision)
        return revision

    def _note(self, refusal: str, *, failed: bool) -> None:
        if refusal != self._refusal:
            logger.error("store: %s; writes are refused, what is there stays and traffic goes on", refusal)
        self._refusal, self._failed = refusal, failed

    async def reached(self, revision: int) -> None:
        """Wait until the objects are as of a revision or later. With the log in this process they already are."""
        while self.objects.revision < revision:
            if self._feed is None or self._feed.done():
                raise refusals.failed("the store does not follow its log any more")
            async with self._reached:
                if self.objects.revision < revision:
                    await self._reached.wait()

    @asynccontextmanager
    async def writing(self, key: Key) -> AsyncIterator[None]:
        """One reader-then-writer of a key at a time, so that concurrent ones queue instead of retrying."""
        lock = self._locks.setdefault(key, _Lock())
        lock.users += 1
        try:
            async with lock.lock:
                yield
        finally:
            lock.users -= 1
            if not lock.users:
                del self._locks[key]

    async def _load_ring(self, revision: int) -> None:
        after = max(0, revision - PRELOADED)
        self.ring.floor = after
        while after < revision:
            changes = self.log.watch(after)
            try:
                while after < revision:
                    batch = await anext(changes)
                    self.ring.put(batch)
                    after = batch[-1].revision
            except CompactedError as error:
                after = self.ring.floor = error.oldest
            finally:
                if isinstance(changes, AsyncGenerator):
                    await changes.aclose()

    async def _follow(self) -> None:
        try:
            async for changes in self.log.watch(self.objects.revision):
                for change in changes:
                    self.objects.apply(change)
                self.ring.put(changes)
                self.hub.publish(changes)
                for observer in self._observers:
                    observer(changes)
                async with self._reached:
                    self._reached.notify_all()
        except Exception:
            logger.exception("the store does not follow its log any more")
            raise
        finally:
            self.hub.end()
            async with self._reached:
                self._reached.notify_all()


class _Lock:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
