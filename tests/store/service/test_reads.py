"""Get, list and watch: pages, revisions, selectors, transitions, bookmarks, expiry."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from store.errors import StatusError
from store.verbs import ListOptions, Selection, WatchOptions
from tests.store.service.running import Bench, events, loads, refused, shown, with_service

FORBIDDEN = 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden:'


async def config_maps(bench: Bench, count: int, namespace: str = "default") -> None:
    await asyncio.gather(*(bench.create("ConfigMap", f"c{i:02}", namespace) for i in range(count)))


def names(items: tuple[bytes, ...]) -> list[str]:
    return [orjson.loads(item)["metadata"]["name"] for item in items]


def test_pages_show_one_moment(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await config_maps(bench, 10)
        everything = bench.all("ConfigMap", "default")
        first = bench.service.list(everything, ListOptions(limit=4))
        assert (names(first.items), first.remaining) == ([f"c{i:02}" for i in range(4)], 6)
        await bench.create("ConfigMap", "c03a", "default")
        await bench.create("ConfigMap", "c99", "default")
        await bench.service.delete(bench.one("ConfigMap", "c05", "default"))
        await bench.patch(bench.one("ConfigMap", "c06", "default"), {"data": {"a": "b"}})
        second = bench.service.list(everything, ListOptions(limit=4, continue_=first.continue_))
        assert names(second.items) == ["c04", "c05", "c06", "c07"]
        assert "data" not in orjson.loads(second.items[2])
        last = bench.service.list(everything, ListOptions(limit=4, continue_=second.continue_))
        assert (names(last.items), last.continue_, last.remaining) == (["c08", "c09"], "", None)
        assert first.revision == second.revision == last.revision < bench.service.revision

    with_service(tmp_path, work)


def test_revisions_of_lists(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await config_maps(bench, 2)
        past = bench.service.revision
        await config_maps(bench, 1, "kube-system")
        everything = bench.all("ConfigMap")

        def count(**options: str) -> int:
            return len(bench.service.list(everything, ListOptions(**options)).items)  # type: ignore[arg-type]

        assert count() == count(resource_version="0") == count(resource_version=str(past)) == 3
        assert count(resource_version=str(past), resource_version_match="Exact") == 2
        assert count(resource_version=str(past), resource_version_match="NotOlderThan") == 3
        page = bench.service.list(everything, ListOptions(limit=9, resource_version=str(past)))
        assert (len(page.items), page.revision) == (2, past)

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("options", "code", "reason", "message"),
    [
        (
            ListOptions(resource_version="99999"),
            504,
            "Timeout",
            "Timeout: Too large resource version: 99999, current: ",
        ),
        (ListOptions(continue_="?"), 400, "BadRequest", "continue key is not valid"),
        (
            ListOptions(resource_version_match="Exact"),
            422,
            "Invalid",
            f"{FORBIDDEN} resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            ListOptions(resource_version="0", resource_version_match="Exact"),
            422,
            "Invalid",
            f'{FORBIDDEN} resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (ListOptions(resource_version="x"), 422, "Invalid", 'ListOptions.meta.k8s.io "" is invalid: resourceVersion: '),
        (ListOptions(Selection(fields="data.a=b")), 400, "BadRequest", '"data.a" is not a known field selector'),
        (
            ListOptions(Selection(labels="a in")),
            400,
            "BadRequest",
            "unable to parse requirement: found '' expected: '('",
        ),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, options: ListOptions, code: int, reason: str, message: str) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError) as caught:
            bench.service.list(bench.all("ConfigMap"), options)
        assert (caught.value.code, caught.value.reason) == (code, reason)
        assert caught.value.message.startswith(message)

    with_service(tmp_path, work)


def test_an_old_continue_token_expires_with_a_fresh_one(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await config_maps(bench, 4)
        everything = bench.all("ConfigMap", "default")
        token = bench.service.list(everything, ListOptions(limit=1)).continue_
        await bench.service.delete(bench.one("ConfigMap", "c02", "default"))
        bench.service._current.ring.floor = bench.service.revision
        with pytest.raises(StatusError) as caught:
            bench.service.list(everything, ListOptions(limit=1, continue_=token))
        assert (caught.value.code, caught.value.reason) == (410, "Expired")
        fresh = caught.value.status()["metadata"]["continue"]
        page = bench.service.list(everything, ListOptions(limit=9, continue_=fresh))
        assert names(page.items) == ["c01", "c03"]
        with pytest.raises(StatusError, match="The resourceVersion for the provided list is too old"):
            bench.service.list(everything, ListOptions(resource_version="3", resource_version_match="Exact"))

    with_service(tmp_path, work)


def test_selected_lists(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for i in range(6):
            await bench.create("ConfigMap", f"c{i}", "default", metadata={"labels": {"odd": str(i % 2)}})
        everything = bench.all("ConfigMap")
        page = bench.service.list(everything, ListOptions(Selection(labels="odd=1"), limit=2))
        assert (names(page.items), page.remaining) == (["c1", "c3"], None)
        page = bench.service.list(everything, ListOptions(Selection(labels="odd=1"), continue_=page.continue_))
        assert names(page.items) == ["c5"]
        assert names(bench.service.list(everything, ListOptions(Selection(fields="metadata.name=c2"))).items) == ["c2"]

    with_service(tmp_path, work)


def test_a_watch_resumes_where_it_was(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        start = bench.service.revision
        target = bench.one("ConfigMap", "a", "default")
        await bench.create("ConfigMap", "a", "default")
        await bench.patch(target, {"data": {"a": "b"}})
        await bench.create("ConfigMap", "b", "kube-system")
        await bench.service.delete(target)
        everywhere = bench.service.watch(bench.all("ConfigMap"), WatchOptions(resource_version=str(start)))
        seen = await events(everywhere, 4)
        assert [(type_, name) for type_, name, _ in seen] == [
            ("ADDED", "a"),
            ("MODIFIED", "a"),
            ("ADDED", "b"),
            ("DELETED", "a"),
        ]
        assert [int(revision) for _, _, revision in seen] == [start + 1, start + 2, start + 3, start + 4]
        here = bench.service.watch(bench.all("ConfigMap", "default"), WatchOptions(resource_version=seen[1][2]))
        assert await events(here, 1) == [seen[3]]
        await bench.create("ConfigMap", "c", "default")
        assert [name for _, name, _ in await events(here, 1) + await events(everywhere, 1)] == ["c", "c"]
        here.close()
        with pytest.raises(StopAsyncIteration):
            await anext(here)

    with_service(tmp_path, work)


def test_a_watch_resumes_after_a_restart(tmp_path: Path) -> None:
    async def write(bench: Bench) -> int:
        revision = bench.service.revision
        await bench.create("ConfigMap", "a", "default")
        await bench.service.delete(bench.one("ConfigMap", "a", "default"))
        return revision

    start = with_service(tmp_path, write)

    async def resume(bench: Bench) -> None:
        watch = bench.service.watch(bench.all("ConfigMap"), WatchOptions(resource_version=str(start)))
        assert [event[0] for event in await events(watch, 2)] == ["ADDED", "DELETED"]

    with_service(tmp_path, resume)


def test_objects_enter_and_leave_a_selection(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        target = bench.one("ConfigMap", "a", "default")
        options = WatchOptions(Selection(labels="on=yes"), resource_version=str(bench.service.revision))
        watch = bench.service.watch(bench.all("ConfigMap"), options)
        await bench.create("ConfigMap", "a", "default", data={"n": "1"})
        on = await bench.patch(target, {"metadata": {"labels": {"on": "yes"}}})
        more = await bench.patch(target, {"data": {"n": "2"}})
        off = await bench.patch(target, {"metadata": {"labels": None}})
        await bench.patch(target, {"metadata": {"labels": {"on": "yes"}}})
        await bench.service.delete(target)
        found = [await anext(watch) for _ in range(5)]
        assert [event.type for event in found] == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]
        assert orjson.loads(found[0].value) == on
        assert orjson.loads(found[1].value) == more
        left = orjson.loads(found[2].value)
        assert left["metadata"]["labels"] == {"on": "yes"}
        assert left["metadata"]["resourceVersion"] == off["metadata"]["resourceVersion"]

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    "options",
    [
        WatchOptions(bookmarks=True),
        WatchOptions(resource_version="0", bookmarks=True),
        WatchOptions(send_initial_events=True, resource_version_match="NotOlderThan", bookmarks=True),
    ],
)
def test_initial_events_end_with_a_bookmark(tmp_path: Path, options: WatchOptions) -> None:
    async def work(bench: Bench) -> None:
        await config_maps(bench, 2)
        revision = bench.service.revision
        watch = bench.service.watch(bench.all("ConfigMap"), options)
        await bench.create("ConfigMap", "z", "default")
        found = [await anext(watch) for _ in range(4)]
        assert [shown(event)[:2] for event in found[:2]] == [("ADDED", "c00"), ("ADDED", "c01")]
        assert found[2].type == "BOOKMARK"
        bookmark = orjson.loads(found[2].value)
        assert (bookmark["kind"], bookmark["apiVersion"]) == ("ConfigMap", "v1")
        assert bookmark["metadata"]["resourceVersion"] == str(revision)
        assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert shown(found[3]) == ("ADDED", "z", str(revision + 1))

    with_service(tmp_path, work)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (WatchOptions(resource_version="99999"), 504, "Timeout: Too large resource version: 99999, current: "),
        (
            WatchOptions(send_initial_events=True),
            422,
            f"{FORBIDDEN} sendInitialEvents requires",
        ),
        (
            WatchOptions(resource_version="1", resource_version_match="NotOlderThan"),
            422,
            f"{FORBIDDEN} resourceVersionMatch is forbidden",
        ),
    ],
)
def test_watches_that_are_refused(tmp_path: Path, options: WatchOptions, code: int, message: str) -> None:
    async def work(bench: Bench) -> None:
        with pytest.raises(StatusError) as caught:
            bench.service.watch(bench.all("ConfigMap"), options)
        assert caught.value.code == code
        assert caught.value.message.startswith(message)

    with_service(tmp_path, work)


def test_a_watch_from_the_forgotten_past_is_told_so(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await config_maps(bench, 3)
        bench.service._current.ring.floor = bench.service.revision
        await refused(
            anext(bench.service.watch(bench.all("ConfigMap"), WatchOptions(resource_version="2"))), 410, "Expired"
        )

    with_service(tmp_path, work)


def test_after_compaction_and_restart_the_past_is_forgotten(tmp_path: Path) -> None:
    async def write(bench: Bench) -> None:
        await config_maps(bench, 5)
        await bench.service._log.compact(bench.service.revision)

    async def read(bench: Bench) -> None:
        old = bench.service.watch(bench.all("ConfigMap"), WatchOptions(resource_version="3"))
        await refused(anext(old), 410, "Expired")
        with pytest.raises(StatusError) as caught:
            async for _ in bench.service.changes(3):
                pass
        assert caught.value.reason == "Expired"
        assert len(bench.service.list(bench.all("ConfigMap")).items) == 5

    with_service(tmp_path, write)
    with_service(tmp_path, read)


def test_a_slow_watcher_is_dropped_and_writers_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.watch.hub.QUEUE_LIMIT", 5)

    async def work(bench: Bench) -> None:
        options = WatchOptions(resource_version=str(bench.service.revision))
        slow = bench.service.watch(bench.all("ConfigMap"), options)
        await config_maps(bench, 20)
        await refused(anext(slow), 410, "Expired")
        assert len(bench.service.list(bench.all("ConfigMap")).items) == 20

    with_service(tmp_path, work)


def test_bookmarks_come_now_and_then_and_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.watching.BOOKMARK_INTERVAL_S", 0.02)
    monkeypatch.setattr("store.watching.LAST_BOOKMARK_S", 0.01)

    async def work(bench: Bench) -> None:
        options = WatchOptions(resource_version=str(bench.service.revision), bookmarks=True, timeout_s=0.1)
        watch = bench.service.watch(bench.all("ConfigMap"), options)
        await bench.create("Secret", "other", "default")
        found = [event async for event in watch]
        assert len(found) >= 2
        assert {event.type for event in found} == {"BOOKMARK"}
        assert found[-1].revision == bench.service.revision

    with_service(tmp_path, work)


def test_a_snapshot_and_the_changes_after_it_are_everything(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        revision, objects = bench.service.snapshot()
        state = dict(objects)
        await config_maps(bench, 5)
        await bench.service.delete(bench.one("ConfigMap", "c03", "default"))
        async for changes in bench.service.changes(revision):
            for change in changes:
                if change.value is None:
                    del state[change.key]
                else:
                    state[change.key] = change.value
            if changes[-1].revision == bench.service.revision:
                break
        assert state == dict(bench.service.snapshot()[1])

    with_service(tmp_path, work)


def test_what_is_stored_is_what_is_served(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        answer = await bench.service.create(bench.all("ConfigMap", "default"), {"metadata": {"name": "a"}})
        (change,) = bench.service._current.ring.after(answer.revision - 1)
        assert change.value == answer.value == bench.service.get(bench.one("ConfigMap", "a", "default"))
        assert loads(answer)["metadata"]["resourceVersion"] == str(answer.revision)

    with_service(tmp_path, work)
