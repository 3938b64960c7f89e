from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance.credentials import open_token, reachable_host, server_names
from appliance.data_dir import DataDir
from appliance.problems import StartError
from appliance.settings_values import HostPort


def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "a" / "b")
    assert stat.S_IMODE(data.path.stat().st_mode) == 0o700


def test_a_folder_that_is_open_to_others_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "open"
    path.mkdir()
    path.chmod(0o755)
    with pytest.raises(StartError, match=f"chmod 700 {path}"):
        DataDir(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be made: Not a directory; name one with --data-dir"):
        DataDir(tmp_path / "file" / "data")


@pytest.mark.needs("root")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.mkdir(mode=0o700)
    os.chown(path, 12345, -1)
    with pytest.raises(StartError, match="belongs to user 12345"):
        DataDir(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.database.write_bytes(b"not a database at all")
    with pytest.raises(StartError, match="is no SQLite database"):
        DataDir(data.path)


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    token = open_token(data)
    assert open_token(data) == token
    assert len(token) >= 32
    assert stat.S_IMODE(data.token.stat().st_mode) == 0o600


def test_a_damaged_token_is_said(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.token.write_text("short\n")
    with pytest.raises(StartError, match="remove it, and a new one is made"):
        open_token(data)


@pytest.mark.parametrize(
    ("bind", "host"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")]
)
def test_clients_on_this_machine_reach_the_api(bind: str, host: str) -> None:
    assert reachable_host(HostPort(bind, 6443)) == host
    assert host in server_names(HostPort(bind, 6443))
