"""expected.toml only rises, and fits what the suite has."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import pytest

from tests.conformance.catalogue import GATEWAY_PROFILES
from tests.conformance.expectation import EXPECTED, read
from tests.conformance.scores import NO_PROFILE, Numbers, lower


def git(*words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=EXPECTED.parent, capture_output=True, text=True, check=True).stdout


def versions() -> list[Numbers]:
    """What is in the folder, then what each commit had, newest first. Raises CalledProcessError outside a clone."""
    # Of merges, only against their first parent: branches side by side each know their own rise.
    commits = git("log", "--first-parent", "--format=%H", "--", EXPECTED.name).split()
    return [read(text) for text in (EXPECTED.read_text(), *(git("show", f"{c}:./{EXPECTED.name}") for c in commits))]


def test_the_numbers_never_fell() -> None:
    try:
        known = versions()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no commit here to compare with")
    for later, earlier in pairwise(known):
        assert lower(later, earlier) == []
        assert earlier.keys() <= later.keys(), "a section is gone"


def test_every_profile_is_expected() -> None:
    assert read(EXPECTED.read_text()).keys() == {*GATEWAY_PROFILES, NO_PROFILE}


@pytest.mark.parametrize("text", ["a = 1", "[a]\nb = -1", "[a]\nb = '1'", "[a]\nb = true"])
def test_what_is_not_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a is not a section of numbers"):
        read(text)
