"""A watch of one client: changes of a subscription come in, events as that client asked for them go out.

Selector transitions, bookmarks, initial events and expiry follow kubernetes.io, "API Concepts", "Efficient detection
of changes". Iterating raises StatusError 410 once the client was too slow or asked too far back.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from store.errors import StatusError
from store.log.contract import Change
from store.objects import encoding
from store.refusals import expired
from store.verbs import Event
from store.versions import Rendering
from store.watch.hub import Subscription

BOOKMARK_INTERVAL_S = 60.0
LAST_BOOKMARK_S = 2.0
SHORTEST_S, LONGEST_S = 1_800.0, 3_600.0
INITIAL_END = {"k8s.io/initial-events-end": "true"}

Predicate = Callable[[Mapping[str, Any]], bool]
Seconds = Callable[[], float]


class Watch:
    """An asynchronous iterator of events; close it when done.

    start: events before the first change, already rendered. late: the refusal to raise after them, if any.
    """

    def __init__(
        self,
        subscription: Subscription,
        rendering: Rendering,
        predicate: Predicate | None,
        *,
        revision: int,
        now_revision: Callable[[], int],
        start: Iterable[Event] = (),
        late: StatusError | None = None,
        bookmarks: bool = False,
        timeout_s: float | None = None,
        seconds: Seconds = time.monotonic,
    ) -> None:
        self.revision = revision
        self._subscription = subscription
        self._rendering = rendering
        self._predicate = predicate
        self._now_revision = now_revision
        self._events = deque(start)
        self._late = late
        self._bookmarks = bookmarks
        self._closed = False
        self._seconds = seconds
        started = seconds()
        self._ends = started + (random.uniform(SHORTEST_S, LONGEST_S) if timeout_s is None else timeout_s)
        self._next_bookmark = min(started + BOOKMARK_INTERVAL_S, max(started, self._ends - LAST_BOOKMARK_S))

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            await self._fill()
        return self._events.popleft()

    def close(self) -> None:
        """Stop; whoever waits for an event sees the end."""
        self._closed = True
        self._subscription.end()

    async def _fill(self) -> None:
        if self._late is not None:
            self.close()
            raise self._late
        now = self._seconds()
        if now >= self._ends or self._closed:
            self.close()
            raise StopAsyncIteration
        until = min(self._ends, self._next_bookmark) if self._bookmarks else self._ends
        seen = self._now_revision()
        changes = await self._subscription.take(max(0.0, until - now))
        for change in changes:
            self.revision = change.revision
            if (event := self._event(change)) is not None:
                self._events.append(event)
        if self._subscription.expired and not changes:
            self.close()
            raise expired(f"too old resource version: {self.revision} ({self._now_revision()})")
        if self._subscription.ended and not changes:
            raise StopAsyncIteration
        if self._bookmarks and not changes and (now := self._seconds()) >= self._next_bookmark:
            self.revision = max(self.revision, seen)
            self._events.append(self.bookmark(self._rendering, self.revision))
            self._next_bookmark = now + BOOKMARK_INTERVAL_S
            if now < self._ends - LAST_BOOKMARK_S < self._next_bookmark:
                self._next_bookmark = self._ends - LAST_BOOKMARK_S

    def _event(self, change: Change) -> Event | None:
        """What a change is to this client: its object may have begun or ceased to match."""
        is_there = self._matches(change.value)
        was_there = self._matches(change.previous)
        if is_there and change.value is not None:
            kind = "MODIFIED" if was_there else "ADDED"
            return Event(kind, change.revision, self._rendering(change.value))  # type: ignore[arg-type]
        if was_there and change.previous is not None:
            last = encoding.with_revision(change.previous, change.revision)
            return Event("DELETED", change.revision, self._rendering(last))
        return None

    def _matches(self, value: bytes | None) -> bool:
        return value is not None and (self._predicate is None or self._predicate(orjson.loads(value)))

    @staticmethod
    def bookmark(rendering: Rendering, revision: int, annotations: Mapping[str, str] | None = None) -> Event:
        """An event that only says how far the watch has come."""
        metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        value = {"kind": rendering.kind.name, "apiVersion": rendering.api_version, "metadata": metadata}
        return Event("BOOKMARK", revision, orjson.dumps(value))
