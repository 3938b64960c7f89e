"""What kubectl prints with our API is what it prints with a real kube-apiserver, letter for letter.

The recording is tests/kubernetes/recorded.json (see record.py). Differences on purpose are listed with their
reason, and one that has gone must leave the list.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.cases import CASES, Case
from tests.kubernetes.differences import DIFFERENCES
from tests.kubernetes.record import load
from tests.kubernetes.runner import Answer, kubectl_version, run_case
from tests.scenarios.crds import REASON, install_files
from tests.store.http.running import Api, running_api

pytestmark = pytest.mark.needs("kubectl")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Answer]]:
    release = kubectl_version()
    found = load().get(release)
    if found is None:
        pytest.skip(f"nothing is recorded with kubectl {release}, whose own words may differ")
    answers: dict[str, list[Answer]] = found
    return answers


@pytest.fixture(scope="module")
def official(api: Api) -> None:
    """The official CRDs, applied over the built-in ones."""
    files = [file for file in install_files("experimental") if "_vap_" not in file.name]
    if not files:
        pytest.skip(REASON)
    command = ["kubectl", "apply", "--server-side", *(argument for file in files for argument in ("-f", str(file)))]
    subprocess.run(command, env=api.environment(), check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if not case.official])
def test_same_text(case: Case, api: Api, recorded: dict[str, list[Answer]], tmp_path: Path) -> None:
    _compare(case, api, recorded, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if case.official])
def test_same_text_with_the_official_definitions(
    case: Case, api: Api, official: None, recorded: dict[str, list[Answer]], tmp_path: Path
) -> None:
    _compare(case, api, recorded, tmp_path)


def _compare(case: Case, api: Api, recorded: dict[str, list[Answer]], home: Path) -> None:
    answers = run_case(case, api.kubeconfig, home)
    expected = recorded[case.name]
    assert [a["command"] for a in answers] == [a["command"] for a in expected], "record again: the case has changed"
    different = set()
    for answer, wanted in zip(answers, expected, strict=True):
        if answer != wanted:
            assert (case.name, answer["command"]) in DIFFERENCES or answer == wanted
            different.add(answer["command"])
    gone = {command for name, command in DIFFERENCES if name == case.name} - different
    assert not gone, "no longer different: take it off the list"


def test_every_difference_is_of_a_case() -> None:
    commands = {(case.name, command) for case in CASES for command in case.commands}
    assert set(DIFFERENCES) <= commands
