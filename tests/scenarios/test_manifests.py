"""The watched folder, as somebody uses it who only has an editor."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.appliance import ApiError, Appliance
from tests.scenarios.waiting import wait_for

MAPS = "/api/v1/namespaces/default/configmaps"
FILES = "/apis/gatehouse.dev/v1alpha1/manifestfiles"


def config_map(name: str, namespace: str = "default", **data: str) -> str:
    lines = [f"  {key}: {value!r}\n" for key, value in data.items()]
    metadata = f"metadata:\n  name: {name}\n  namespace: {namespace}\n"
    return f"apiVersion: v1\nkind: ConfigMap\n{metadata}" + ("data:\n" + "".join(lines) if lines else "")


def put(path: Path, text: str) -> None:
    """Write a file as careful tools do: whole, then in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_text(text)
    scratch.replace(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "manifests"
    path.mkdir()
    return path


@pytest.fixture
def appliance(tmp_path: Path, folder: Path) -> Iterator[Appliance]:
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as running:
        yield running


def names(appliance: Appliance, path: str = MAPS) -> list[str]:
    return sorted(item["metadata"]["name"] for item in appliance.request("GET", path)["items"])


def condition(appliance: Appliance, path: Path) -> dict[str, Any]:
    """The Ready condition of a file; empty while there is none."""
    for item in appliance.request("GET", FILES)["items"]:
        if item["spec"]["path"] == str(path):
            return dict(next(iter(item.get("status", {}).get("conditions", ())), {}))
    return {}


def wait_condition(appliance: Appliance, path: Path, reason: str) -> str:
    """The message, once the file's condition has this reason."""

    def probe() -> str:
        found = condition(appliance, path)
        assert found.get("reason") == reason, found
        return str(found["message"])

    return wait_for(f"{path.name} is {reason}", probe)


def test_files_present_at_start_are_applied_before_ready(tmp_path: Path, folder: Path) -> None:
    put(folder / "deep" / "er" / "a.yaml", config_map("a") + "---\n" + config_map("b"))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:
        assert names(appliance) == ["a", "b"]
        assert condition(appliance, folder / "deep" / "er" / "a.yaml")["status"] == "True"


def test_a_file_is_followed_through_its_life(appliance: Appliance, folder: Path) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", x="1", y="2") + "---\n" + config_map("b"))
    wait_for("both objects", lambda: names(appliance) == ["a", "b"])
    put(path, config_map("a", y="3"))
    wait_for("one object", lambda: names(appliance) == ["a"])
    assert appliance.request("GET", f"{MAPS}/a")["data"] == {"y": "3"}
    assert wait_condition(appliance, path, "Applied") == "1 object applied"
    path.unlink()
    wait_for("no object", lambda: names(appliance) == [])
    wait_for("no ManifestFile", lambda: names(appliance, FILES) == [])


@pytest.mark.parametrize("end", [Appliance.stop, Appliance.kill])
def test_a_file_deleted_while_stopped_takes_its_objects_along(
    appliance: Appliance, folder: Path, end: Callable[[Appliance], int]
) -> None:
    """Also when the appliance ended as soon as the objects were there."""
    put(folder / "a.yaml", config_map("a"))
    put(folder / "b.yaml", config_map("b"))
    wait_for("both objects", lambda: names(appliance) == ["a", "b"])
    end(appliance)
    (folder / "a.yaml").unlink()
    appliance.start()
    wait_for("only b", lambda: names(appliance) == ["b"])


def test_a_file_that_cannot_be_parsed_keeps_its_objects_and_disturbs_no_other(
    appliance: Appliance, folder: Path
) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a"))
    wait_for("the object", lambda: names(appliance) == ["a"])
    put(path, config_map("a") + "data: [\n")
    put(folder / "z.yaml", config_map("z"))
    message = wait_condition(appliance, path, "Invalid")
    assert message.startswith(f"{path}:7:1: not YAML")
    wait_for("the other file", lambda: names(appliance) == ["a", "z"])
    put(path, config_map("a", x="1"))
    wait_condition(appliance, path, "Applied")


def test_a_field_that_a_file_owns_is_edited_only_by_force_and_the_file_says_so(
    appliance: Appliance, folder: Path
) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", x="1"))
    wait_condition(appliance, path, "Applied")
    body = {"data": {"x": "2"}}
    with pytest.raises(ApiError) as refused:
        appliance.request("PATCH", f"{MAPS}/a", body, "application/merge-patch+json")
    assert refused.value.status == 409
    assert str(path) in refused.value.body["message"]
    appliance.request("PATCH", f"{MAPS}/a?force=true", body, "application/merge-patch+json")
    message = wait_condition(appliance, path, "Overridden")
    assert "data.x was changed by" in message
    assert f"{path}:7:3" in message
    put(path, config_map("a", x="3"))
    wait_condition(appliance, path, "Applied")
    assert appliance.request("GET", f"{MAPS}/a")["data"] == {"x": "3"}


def test_two_files_that_claim_one_field(appliance: Appliance, folder: Path) -> None:
    first, second = folder / "a.yaml", folder / "b.yaml"
    put(first, config_map("a", x="1"))
    wait_condition(appliance, first, "Applied")
    put(second, config_map("a", x="2"))
    message = wait_condition(appliance, second, "Conflict")
    assert f"data.x is already set by the file {first}" in message
    assert appliance.request("GET", f"{MAPS}/a")["data"] == {"x": "1"}
    first.unlink()
    wait_condition(appliance, second, "Applied")
    wait_for("the second file's value", lambda: appliance.request("GET", f"{MAPS}/a")["data"] == {"x": "2"})


def test_an_object_waits_for_its_namespace(appliance: Appliance, folder: Path) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", namespace="later"))
    assert 'Create the namespace "later"' in wait_condition(appliance, path, "Waiting")
    put(folder / "z.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: later\n")
    wait_condition(appliance, path, "Applied")


def test_an_invalid_object_is_named_with_its_place(appliance: Appliance, folder: Path) -> None:
    path = folder / "a.yaml"
    put(path, config_map("good") + "---\n" + config_map("bad") + "dota:\n  x: '1'\n")
    message = wait_condition(appliance, path, "Invalid")
    assert f'{path}:12:1: ConfigMap default/bad dota: unknown field "dota"' in message
    assert names(appliance) == ["good"]


def test_several_misspelt_fields_each_have_their_place(appliance: Appliance, folder: Path) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", x="1") + "dota: {}\nimutable: true\n")
    message = wait_condition(appliance, path, "Invalid")
    assert f'{path}:8:1: ConfigMap default/a dota: unknown field "dota". Remove the field' in message
    assert "(and 1 more)" in message


def test_a_folder_that_vanishes_deletes_nothing_and_says_so(appliance: Appliance, folder: Path) -> None:
    put(folder / "a.yaml", config_map("a"))
    wait_condition(appliance, folder / "a.yaml", "Applied")
    aside = folder.rename(folder.with_name("aside"))
    message = wait_condition(appliance, folder / "a.yaml", "Invalid")
    assert "cannot be looked into (No such file or directory); its objects stay" in message
    assert names(appliance) == ["a"]
    aside.rename(folder)
    wait_condition(appliance, folder / "a.yaml", "Applied")


def test_a_large_file_is_applied_like_any_other(appliance: Appliance, folder: Path) -> None:
    path = folder / "large.yaml"
    put(path, "---\n".join(config_map(f"m{number}", text="x" * 900) for number in range(100)))
    wait_for("all objects", lambda: len(names(appliance)) == 100)
    assert wait_condition(appliance, path, "Applied") == "100 objects applied"


def test_an_object_that_was_there_before_the_file_outlives_it(appliance: Appliance, folder: Path) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"theirs": "1"}}
    appliance.request("POST", MAPS, body)
    path = folder / "a.yaml"
    put(path, config_map("a", ours="2"))
    wait_condition(appliance, path, "Applied")
    assert appliance.request("GET", f"{MAPS}/a")["data"] == {"theirs": "1", "ours": "2"}
    appliance.kill()  # that the object was adopted is remembered
    appliance.start()
    path.unlink()
    wait_for("the file's field is gone", lambda: appliance.request("GET", f"{MAPS}/a")["data"] == {"theirs": "1"})


def test_an_object_of_two_files_lives_until_the_last_of_them_goes(appliance: Appliance, folder: Path) -> None:
    first, second = folder / "a.yaml", folder / "b.yaml"
    put(first, config_map("a", x="1"))
    wait_condition(appliance, first, "Applied")
    put(second, config_map("a", y="2"))
    wait_condition(appliance, second, "Applied")
    first.unlink()
    wait_for("the second's field alone", lambda: appliance.request("GET", f"{MAPS}/a")["data"] == {"y": "2"})
    second.unlink()
    wait_for("no object", lambda: names(appliance) == [])


def test_what_is_not_read_at_all_is_said(appliance: Appliance, folder: Path) -> None:
    outside = folder.with_name("outside.yaml")
    outside.write_text(config_map("outside"))
    (folder / "link.yaml").symlink_to(outside)
    put(folder / "empty.yaml", "")
    put(folder / "twice.yaml", "a: 1\na: 2\n")
    assert "is a link out of the folder" in wait_condition(appliance, folder / "link.yaml", "Unreadable")
    assert "is empty" in wait_condition(appliance, folder / "empty.yaml", "Unreadable")
    assert 'key "a" appears twice' in wait_condition(appliance, folder / "twice.yaml", "Unreadable")
    assert names(appliance) == []


def test_an_object_that_is_deleted_by_force_stays_away_until_the_file_changes(
    appliance: Appliance, folder: Path
) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", x="1"))
    wait_condition(appliance, path, "Applied")
    with pytest.raises(ApiError) as refused:
        appliance.request("DELETE", f"{MAPS}/a")
    assert refused.value.status == 409
    appliance.request("DELETE", f"{MAPS}/a?force=true")
    assert "was deleted by another writer" in wait_condition(appliance, path, "Overridden")
    put(path, config_map("a", x="2"))
    wait_for("the object", lambda: names(appliance) == ["a"])


def test_an_object_made_anew_by_another_writer_is_not_the_files(appliance: Appliance, folder: Path) -> None:
    path = folder / "a.yaml"
    put(path, config_map("a", x="1"))
    wait_condition(appliance, path, "Applied")
    appliance.request("DELETE", f"{MAPS}/a?force=true")
    wait_condition(appliance, path, "Overridden")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"theirs": "1"}}
    appliance.request("POST", MAPS, body)
    path.unlink()
    wait_for("no ManifestFile", lambda: names(appliance, FILES) == [])
    assert appliance.request("GET", f"{MAPS}/a")["data"] == {"theirs": "1"}


def test_an_object_of_which_a_file_sets_nothing_but_the_name_is_its_own(appliance: Appliance, folder: Path) -> None:
    put(folder / "a.yaml", config_map("a"))
    wait_condition(appliance, folder / "a.yaml", "Applied")
    with pytest.raises(ApiError) as refused:
        appliance.request("DELETE", f"{MAPS}/a")
    assert str(folder / "a.yaml") in refused.value.body["message"]
    assert appliance.request("GET", f"{MAPS}/a")["metadata"]["annotations"] == {"gatehouse.dev/from-manifest": "true"}


def test_files_of_one_object_that_go_together_take_it_along(appliance: Appliance, folder: Path) -> None:
    for name in ("a", "b"):
        put(folder / f"{name}.yaml", config_map("m", **{name: "1"}))
        wait_condition(appliance, folder / f"{name}.yaml", "Applied")
    appliance.stop()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").unlink()
    appliance.start()
    wait_for("no object", lambda: names(appliance) == [])


def test_things_that_are_no_files_and_names_that_are_no_text_disturb_nothing(tmp_path: Path, folder: Path) -> None:
    """Neither at the start nor later, when the file system's events name them; a Secret's data is told to nobody."""
    os.mkfifo(folder / "fifo.yaml")
    (folder / os.fsdecode(b"bad\xff.yaml")).write_text(config_map("unnamed"))
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: default}\nstringData: {k: %s}\n"
    put(folder / "secret.yaml", secret % ("good", "HUSH-HUSH") + "---\n" + secret % ("bad", "[HUSH-HUSH]"))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:
        assert "is no regular file" in wait_condition(appliance, folder / "fifo.yaml", "Unreadable")
        message = wait_condition(appliance, folder / "secret.yaml", "Invalid")
        assert "secret.yaml:9:14: Secret default/bad stringData.k: expected string" in message
        put(folder / "a.yaml", config_map("a"))
        wait_for("the object", lambda: names(appliance) == ["a"])
        (folder / os.fsdecode(b"worse\xfe.yaml")).write_text(config_map("unnamed"))
        put(folder / "b.yaml", config_map("b"))
        wait_for("the object", lambda: names(appliance) == ["a", "b"])
        told = json.dumps(appliance.request("GET", FILES)) + appliance.log.read_text()
        assert "HUSH" not in told
