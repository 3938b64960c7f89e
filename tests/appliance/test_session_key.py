"""The key of session tokens: made once, private, and never guessed at."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.data_dir import DataDir
from appliance.problems import StartError
from appliance.session_key import open_session_key


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    key = open_session_key(data)
    assert open_session_key(data) == key and len(key) == 32
    assert stat.S_IMODE(data.session_key.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    data = DataDir(tmp_path / "data")
    data.session_key.write_bytes(content)
    with pytest.raises(StartError, match=f"{data.session_key} holds no key of 32 bytes"):
        open_session_key(data)
