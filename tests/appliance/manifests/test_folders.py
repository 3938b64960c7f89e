from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from appliance.manifests.folders import DEPTH_LIMIT, ChangedWhileReadError, look, read_file
from appliance.manifests.sight import Memory, look_at

LIMIT = 1000


def names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in look(folder, LIMIT).files]


def test_manifests_are_found_in_subfolders_and_everything_else_is_left_alone(tmp_path: Path) -> None:
    for name in (
        "b.yaml",
        "a.yml",
        "c.json",
        "sub/deep/d.yaml",
        ".hidden.yaml",
        ".git/e.yaml",
        "a.yaml~",
        "#a.yaml#",
        ".a.yaml.swp",
        "a.yaml.tmp",
        "notes.txt",
        "4913",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a: 1")
    assert names(tmp_path) == ["a.yml", "b.yaml", "c.json", "sub/deep/d.yaml"]


def test_a_mounted_configmap_is_read_through_its_links(tmp_path: Path) -> None:
    data = tmp_path / "..2024_01_01"
    data.mkdir()
    (data / "a.yaml").write_text("a: 1")
    (tmp_path / "..data").symlink_to("..2024_01_01")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert names(tmp_path) == ["a.yaml"]
    assert read_file(str(tmp_path / "a.yaml"), tmp_path, LIMIT)[0] == b"a: 1"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, kind: str) -> None:
    folder, outside = tmp_path / "watched", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.yaml").write_text("a: 1")
    (folder / "link.yaml").symlink_to(outside / "secret.yaml" if kind == "file" else outside)
    found = look(folder, LIMIT)
    assert found.files == {}
    if kind == "file":
        (problem,) = found.refused.values()
        assert "link out of the folder" in problem.message
        with pytest.raises(ChangedWhileReadError):
            read_file(str(folder / "link.yaml"), folder, LIMIT)


def test_what_is_not_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text("x" * (LIMIT + 1))
    (tmp_path / "open.yaml").write_text("a: 1")
    (tmp_path / "open.yaml").chmod(0o666)
    os.mkfifo(tmp_path / "pipe.yaml")
    found = look(tmp_path, LIMIT)
    assert found.files == {}
    messages = {path.name: problem.message for path, problem in found.refused.items()}
    assert "1001 bytes, more than the 1000" in messages["large.yaml"]
    assert "every user" in messages["open.yaml"]
    assert "no regular file" in messages["pipe.yaml"]


def test_a_file_that_grows_while_it_is_read_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"x" * 2000)
    with pytest.raises(ChangedWhileReadError):
        read_file(str(path), tmp_path, LIMIT)


def test_a_folder_that_is_not_there_is_gone_and_hides_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    sight = look_at([folder], LIMIT, Memory(tmp_path / "folders.json"))
    assert "No such file or directory" in sight.gone[folder]
    assert list(sight.hidden([str(folder / "a.yaml")])) == [str(folder / "a.yaml")]


def test_an_empty_folder_on_another_file_system_than_before_is_gone(tmp_path: Path) -> None:
    folder, memory = tmp_path / "mnt", Memory(tmp_path / "folders.json")
    folder.mkdir()
    memory.remember(folder, str(folder))  # it was a mount point when files were last seen
    sight = look_at([folder], LIMIT, Memory(tmp_path / "folders.json"))
    assert "no longer on the file system" in sight.gone[folder]
    (folder / "a.yaml").write_text("a: 1")
    assert look_at([folder], LIMIT, memory).gone == {}


def test_a_folder_whose_last_file_was_removed_is_just_empty(tmp_path: Path) -> None:
    folder, memory = tmp_path / "watched", Memory(tmp_path / "folders.json")
    folder.mkdir()
    (folder / "a.yaml").write_text("a: 1")
    look_at([folder], LIMIT, memory)
    (folder / "a.yaml").unlink()
    sight = look_at([folder], LIMIT, Memory(tmp_path / "folders.json"))
    assert sight.gone == {}
    assert sight.hidden([str(folder / "a.yaml")]) == {}


def test_a_file_of_a_folder_that_is_watched_no_more_is_hidden(tmp_path: Path) -> None:
    sight = look_at([], LIMIT, Memory(tmp_path / "folders.json"))
    (problem,) = sight.hidden(["/elsewhere/a.yaml"]).values()
    assert "no watched folder any more" in problem.message


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "folders.json"
    path.write_text("{")
    assert Memory(path).mounts == {}


def test_names_that_are_no_text_are_refused_under_a_name_that_is(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff.yaml")).write_text("a: 1\n")
    (tmp_path / "new\nline and space.yaml").write_text("a: 1\n")
    folder = look(tmp_path, 1000)
    assert [path.name for path in folder.files] == ["new\nline and space.yaml"]
    ((path, problem),) = folder.refused.items()
    assert path.name == "a\\xff.yaml"
    assert "not UTF-8" in problem.message


def test_subfolders_that_are_not_looked_into_are_said(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    deep = root.joinpath(*["d"] * (DEPTH_LIMIT + 1))
    deep.mkdir(parents=True)
    (deep / "a.yaml").write_text("a: 1\n")
    (root / "away").symlink_to(outside)
    folder = look(root, 1000)
    assert not folder.files
    assert set(folder.refused) == folder.closed == {deep, root / "away"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_an_unreadable_subfolder_hides_its_own_files_only(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "closed").chmod(0)
    sight = look_at([tmp_path], 1000, Memory(tmp_path / "memory.json"))
    assert list(sight.files) == [str(tmp_path / "a.yaml")]
    assert list(sight.hidden([str(tmp_path / "closed" / "b.yaml")])) == [str(tmp_path / "closed" / "b.yaml")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_was_unmounted_has_removed_nothing(tmp_path: Path) -> None:
    """With a real file system; after a restart too, for the mount point is remembered in a file."""
    root = tmp_path / "root"
    root.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "gatehouse-test", str(root)], capture_output=True).returncode:
        pytest.skip("no mounting here")
    try:
        (root / "a.yaml").write_text("a: 1\n")
        assert list(look_at([root], LIMIT, Memory(tmp_path / "memory.json")).files) == [str(root / "a.yaml")]
    finally:
        subprocess.run(["umount", str(root)], check=True)
    sight = look_at([root], LIMIT, Memory(tmp_path / "memory.json"))
    assert not sight.files
    assert f"no longer on the file system mounted at {root}" in sight.gone[root]
    assert list(sight.hidden([str(root / "a.yaml")])) == [str(root / "a.yaml")]
