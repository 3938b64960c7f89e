"""Current objects: order, namespaces, owners, the past."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from store.log.contract import Change, Key
from store.state.objects import Objects


def owned(*uids: str) -> bytes:
    return orjson.dumps({"metadata": {"ownerReferences": [{"uid": uid} for uid in uids]}})


def filled(*keys: Key) -> Objects:
    objects = Objects()
    for revision, key in enumerate(keys, 1):
        objects.apply(Change(revision, key, b"{}", None, 0))
    return objects


KEYS = [Key("r", "b", "x"), Key("r", "a", "y"), Key("r", "a", "x"), Key("r", "a-b", "x"), Key("s", "a", "x")]


def test_lists_are_ordered_and_stay_in_their_namespace() -> None:
    objects = filled(*KEYS)
    assert [place for place, _ in objects.list("r")] == [("a", "x"), ("a", "y"), ("a-b", "x"), ("b", "x")]
    assert [place for place, _ in objects.list("r", "a")] == [("a", "x"), ("a", "y")]
    assert [place for place, _ in objects.list("r", "a", ("a", "x"))] == [("a", "y")]
    assert [place for place, _ in objects.list("r", "", ("a", "y"))] == [("a-b", "x"), ("b", "x")]
    assert (objects.count("r"), objects.count("r", "a"), objects.count("nothing")) == (4, 2, 0)
    assert set(objects.within("a")) == {KEYS[1], KEYS[2], KEYS[4]}


def test_dependents_follow_every_change() -> None:
    objects = filled(KEYS[0])
    objects.apply(Change(2, KEYS[0], owned("1", "2"), b"{}", 1))
    assert objects.dependents("1") == objects.dependents("2") == (KEYS[0],)
    objects.apply(Change(3, KEYS[0], owned("2"), owned("1", "2"), 2))
    assert (objects.dependents("1"), objects.dependents("2")) == ((), (KEYS[0],))
    objects.apply(Change(4, KEYS[0], None, owned("2"), 3))
    assert objects.dependents("2") == ()


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), max_size=40), st.data())
def test_taking_changes_back_gives_every_older_state(steps: list[tuple[Key, bool]], data: st.DataObject) -> None:
    objects, states, changes = Objects(), [dict[Key, int]()], []
    for revision, (key, live) in enumerate(steps, 1):
        entry = objects.get(key)
        if entry is None and not live:
            live = True
        value = str(revision).encode() if live else None
        change = Change(revision, key, value, entry.value if entry else None, entry.revision if entry else 0)
        objects.apply(change)
        changes.append(change)
        states.append({k: r for k, r in states[-1].items() if k != key} | ({key: revision} if live else {}))
    at = data.draw(st.integers(0, len(steps)))
    shelf = objects.as_of("r", changes[at:][::-1])
    expected = {(k.namespace, k.name): r for k, r in states[at].items() if k.resource == "r"}
    assert {place: entry.revision for place, entry in shelf.list()} == expected
    assert [place for place, _ in shelf.list()] == sorted(expected)
