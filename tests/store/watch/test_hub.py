"""The hub and the ring: replay, bounds, ends."""

from __future__ import annotations

import asyncio

import pytest

from store.log.contract import Change, Key
from store.watch.hub import Hub
from store.watch.ring import Ring


def change(revision: int, namespace: str = "a", resource: str = "r") -> Change:
    return Change(revision, Key(resource, namespace, "x"), b"{}", None, 0)


def test_a_subscription_gets_its_resource_and_namespace_after_the_replay() -> None:
    async def run() -> None:
        hub = Hub()
        everywhere = hub.subscribe("r", "", [change(1), change(2, "b"), change(3, "a", "s")])
        here = hub.subscribe("r", "a", [change(1), change(2, "b")])
        hub.publish([change(4), change(5, "b"), change(6, "a", "s")])
        assert [c.revision for c in await everywhere.take(1)] == [1, 2, 4, 5]
        assert [c.revision for c in await here.take(1)] == [1, 4]

    asyncio.run(run())


def test_a_slow_watcher_expires_and_the_publisher_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.watch.hub.QUEUE_LIMIT", 3)

    async def run() -> None:
        hub = Hub()
        slow, fast = hub.subscribe("r", ""), hub.subscribe("r", "")
        seen = []
        for revision in range(1, 10):
            hub.publish([change(revision)])
            seen += [c.revision for c in await fast.take(1)]
        assert seen == list(range(1, 10))
        assert (slow.expired, fast.expired) == (True, False)
        assert await slow.take(1) == []

    asyncio.run(run())


def test_waiting_ends_with_a_change_with_time_and_with_the_end() -> None:
    async def run() -> None:
        hub = Hub()
        subscription = hub.subscribe("r", "")
        waiting = asyncio.create_task(subscription.take(10))
        await asyncio.sleep(0)
        hub.publish([change(1)])
        assert [c.revision for c in await waiting] == [1]
        assert await subscription.take(0.001) == []
        waiting = asyncio.create_task(subscription.take(10))
        await asyncio.sleep(0)
        hub.end_resource("r")
        assert await waiting == []
        assert subscription.ended
        hub.publish([change(2)])
        assert await subscription.take(10) == []

    asyncio.run(run())


def test_the_ring_keeps_the_newest_within_its_bounds() -> None:
    ring = Ring(changes_limit=3)
    ring.put([change(revision) for revision in range(1, 6)])
    assert ring.floor == 2
    assert [c.revision for c in ring.after(2)] == [3, 4, 5]
    assert [c.revision for c in ring.newest_first(3)] == [5, 4]
    assert ring.after(5) == []


def test_the_ring_is_bounded_in_bytes_too() -> None:
    ring = Ring(bytes_limit=700)
    ring.put([change(revision) for revision in range(1, 6)])
    assert [c.revision for c in ring.after(0)] == [3, 4, 5]
