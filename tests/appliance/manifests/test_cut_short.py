"""A file deleted while the appliance is stopped takes its objects along, wherever the life before ended."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from store.service import Service
from store.verbs import Collection, WriteOptions
from tests.appliance.manifests.lives import World


def config_map(name: str, namespace: str = "default", **data: str) -> str:
    """A ConfigMap; without data, an object of which the file sets nothing but the name."""
    lines = [f"  {key}: {value!r}\n" for key, value in data.items()]
    metadata = f"metadata:\n  name: {name}\n  namespace: {namespace}\n"
    return f"---\napiVersion: v1\nkind: ConfigMap\n{metadata}" + ("data:\n" + "".join(lines) if lines else "")


NAMESPACE = "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n"
THEIRS: Mapping[str, Any] = {"ConfigMap theirs": {"files": [], "data": {"k": "1"}}}


@dataclass(frozen=True, slots=True)
class Story:
    """What the folder holds before, in the life that is cut short, and from the next start on; and what remains.

    there: whether "ConfigMap theirs" was made over the API before there were files.
    """

    cut: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    remains: Mapping[str, Any] = field(default_factory=dict)
    there: bool = False


STORIES = {
    "a new file": Story(cut={"a": config_map("m", k="1") + config_map("n", k="1")}),
    "a new file that sets nothing but names": Story(cut={"a": config_map("m") + NAMESPACE + config_map("n", "x")}),
    "a file that goes": Story(before={"a": config_map("m", k="1") + config_map("n")}, cut={}),
    "a file that drops an object and names another": Story(
        before={"a": config_map("m") + config_map("n", k="1")}, cut={"a": config_map("o") + config_map("p", k="1")}
    ),
    "a file with another name": Story(
        before={"a": config_map("m") + config_map("n", k="1")}, cut={"b": config_map("m") + config_map("n", k="1")}
    ),
    "a file that cannot be read any more": Story(
        before={"a": config_map("m") + config_map("n", k="1")}, cut={"a": config_map("m") + "data: ["}
    ),
    "one of two files with the same object": Story(
        before={"a": config_map("m", k="1"), "b": config_map("m", l="2")}, cut={"b": config_map("m", l="2")}
    ),
    "two files with the same object, of which one stays": Story(
        cut={"a": config_map("m", k="1"), "b": config_map("m", l="2")},
        after={"b": config_map("m", l="2")},
        remains={"ConfigMap m": {"files": ["b.yaml"], "data": {"l": "2"}}, "ManifestFile b.yaml": ["m"]},
    ),
    "an object that was there": Story(cut={"a": config_map("theirs", l="2")}, there=True, remains=THEIRS),
    "an object that was there, named and no more": Story(cut={"a": config_map("theirs")}, there=True, remains=THEIRS),
    "an object that was there, in a file with another name": Story(
        before={"a": config_map("theirs", l="2")}, cut={"b": config_map("theirs", l="2")}, there=True, remains=THEIRS
    ),
    "an object that was there and is dropped": Story(
        before={"a": config_map("theirs", l="2")}, cut={"a": config_map("m", k="1")}, there=True, remains=THEIRS
    ),
}


async def _make_theirs(service: Service) -> None:
    kind = service.registry.by_name("", "ConfigMap")
    assert kind is not None
    body = {"metadata": {"name": "theirs"}, "data": {"k": "1"}}
    await service.create(Collection(kind, "v1", "default"), body, WriteOptions(manager="kubectl"))


async def _tell(story: Story, path: Path) -> None:
    first = World(path / "manifests", path / "data")
    if story.there:
        await first.visit(_make_theirs)
    await _live_whole(first, story.before)
    for commits in itertools.count(1):
        world = first.copied(path / f"data-{commits}")
        world.hold(_named(story.before))
        world.hold(_named(story.cut))
        whole = await world.live(commits)
        await _live_whole(world, story.after)
        assert await world.settled() == story.remains, f"after an end at commit {commits}"
        if whole:
            assert commits > 1, "nothing was cut short"
            return


async def _live_whole(world: World, files: Mapping[str, str]) -> None:
    world.hold(_named(files))
    assert await world.live()


def _named(files: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}.yaml": text for name, text in files.items()}


@pytest.mark.parametrize("name", STORIES)
def test_wherever_a_life_ends_the_next_ones_put_all_in_order(tmp_path: Path, name: str) -> None:
    asyncio.run(_tell(STORIES[name], tmp_path))
