"""The command itself, with peers that every machine of ours has, and what Gatehouse is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from appliance.cli.check import check
from loadtests.compare.__main__ import main
from loadtests.compare.certificate import make_certificate
from loadtests.compare.peers.gatehouse import gatehouse_at
from loadtests.compare.peers.manifests import manifests
from loadtests.compare.variants import VARIANTS, Mode, Variant
from loadtests.compare.work import Setting

WORK = [pytest.param(mode, v, id=f"{mode}, {v.name}") for mode, variants in VARIANTS.items() for v in variants]


@pytest.mark.needs("cc", "taskset", "nginx", "haproxy")
@pytest.mark.parametrize(("mode", "variant"), [("http2", "h2c to http1, unique"), ("grpc", "unary, unique")])
def test_a_round_of_two_peers_is_checked_counted_and_told(mode: str, variant: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = [mode, "--variant", variant, "--rounds", "1", "--duration", "0.3", "--connections", "2", "--streams", "2"]
    assert main([*words, "--subject", "nginx", "--only", "haproxy", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    assert figures["ratio"]["haproxy"]["throughput"]["median"] > 0
    assert figures["rounds"][0]["nginx"]["units"] > 0
    assert figures["settings"] == {
        "rounds": 1,
        "seconds": 0.3,
        "connections": 2,
        "streams": 2,
        "headers": "unique",
        "access_log": True,
    }
    assert figures["notes"] == []


def test_a_variant_that_there_is_not_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["udp", "--variant", "nonsense"]) == 2
    assert "there are: 32 sockets" in capsys.readouterr().err


@pytest.mark.parametrize(("mode", "variant"), WORK)
def test_what_gatehouse_is_told_is_sound(mode: Mode, variant: Variant, tmp_path: Path) -> None:
    setting = Setting(mode, variant, tmp_path, tmp_path, 9)
    if variant.tls:
        setting = setting.with_certificate(make_certificate(tmp_path, setting.host))
    file = tmp_path / "bench.yaml"
    file.write_text(manifests(setting, 8080))
    assert [finding.problem for finding in check([file]).problems if finding.level == "error"] == []


def git(repository: Path, *words: str) -> None:
    """Run git as somebody, whatever this machine's user has configured."""
    person = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *person, *words], cwd=repository, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two rooms in two commits: VERSION is 1 in the one tagged `first`, 2 in the last."""
    folder = tmp_path / "repository"
    for room in ("appliance", "proxy"):
        (folder / room).mkdir(parents=True)
    git(folder, "init", "-q")
    for version in (1, 2):
        for room in ("appliance", "proxy"):
            (folder / room / "__init__.py").write_text(f"VERSION = {version}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"version {version}")
    git(folder, "tag", "first", "HEAD~1")
    return folder


@pytest.mark.needs("git")
def test_an_earlier_commit_runs_its_own_code(repository: Path, tmp_path: Path) -> None:
    earlier = gatehouse_at("first", tmp_path, repository)
    assert (earlier.name, earlier.source) == ("@first", tmp_path / "first")
    assert (tmp_path / "first" / "appliance" / "__init__.py").read_text() == "VERSION = 1\n"
    with pytest.raises(RuntimeError, match="no revision"):
        gatehouse_at("no-such-revision", tmp_path, repository)


@pytest.mark.needs("git")
def test_a_commit_that_would_run_other_code_than_its_own_is_refused(repository: Path, tmp_path: Path) -> None:
    git(repository, "rm", "-q", "proxy/__init__.py")
    git(repository, "commit", "-q", "-m", "no proxy")
    with pytest.raises(RuntimeError, match="instead of HEAD, this would run"):
        gatehouse_at("HEAD", tmp_path, repository)
