"""The hub: batches of committed changes come in, and go to every subscription that may care, without waiting for any.

A subscription is a bounded queue; one that is full is marked expired and told so when it next reads (410 at the API).
Selecting and encoding happen where events are read, so a writer pays for a watcher only one append to a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from store.log.contract import Change

QUEUE_LIMIT = 10_000


class Subscription:
    """The changes of one resource (in one namespace), until closed. Belongs to the event loop."""

    def __init__(self, resource: str, namespace: str, replay: Sequence[Change], closed: Callable[[Subscription], None]):
        self.resource = resource
        self.namespace = namespace
        self.expired = False
        self.ended = False
        self._closed = closed
        self._changes = [change for change in replay if self.concerns(change)]
        self._waiter: asyncio.Future[None] | None = None

    def concerns(self, change: Change) -> bool:
        """Whether the change is of this resource and namespace."""
        key = change.key
        return key.resource == self.resource and (not self.namespace or key.namespace == self.namespace)

    def put(self, change: Change) -> None:
        """Queue a change; never waits."""
        if self.expired:
            return
        if len(self._changes) >= QUEUE_LIMIT:
            self._changes.clear()
            self.expired = True
        else:
            self._changes.append(change)
        self._wake()

    async def take(self, timeout_s: float) -> list[Change]:
        """Everything that waits; an empty list after the time, or once expired or ended."""
        if not self._changes and not self.expired and not self.ended:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout_s, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        changes, self._changes = self._changes, []
        return changes

    def end(self) -> None:
        """No more changes: whoever waits in `take` wakes."""
        if not self.ended:
            self.ended = True
            self._closed(self)
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Hub:
    """All subscriptions, by resource."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}

    def subscribe(self, resource: str, namespace: str, replay: Sequence[Change] = ()) -> Subscription:
        """A subscription that starts with `replay` and goes on with whatever is published from now on."""
        subscription = Subscription(resource, namespace, replay, self._remove)
        self._subscriptions.setdefault(resource, set()).add(subscription)
        return subscription

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand out committed changes."""
        for change in changes:
            for subscription in self._subscriptions.get(change.key.resource, ()):
                if subscription.concerns(change):
                    subscription.put(change)

    def end(self) -> None:
        """End every subscription."""
        for subscriptions in list(self._subscriptions.values()):
            for subscription in list(subscriptions):
                subscription.end()

    def end_resource(self, resource: str) -> None:
        """End the subscriptions of a resource that is served no more."""
        for subscription in list(self._subscriptions.get(resource, ())):
            subscription.end()

    def _remove(self, subscription: Subscription) -> None:
        subscriptions = self._subscriptions[subscription.resource]
        subscriptions.discard(subscription)
        if not subscriptions:
            del self._subscriptions[subscription.resource]
