"""The command itself, with peers that every machine of ours has, and what Gatehouse is told."""

from __future__ import annotations

import json
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
REPOSITORY = Path(__file__).parents[2]


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


@pytest.mark.needs("git")
def test_an_earlier_commit_runs_its_own_code(tmp_path: Path) -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    earlier = gatehouse_at("HEAD", tmp_path)
    assert (earlier.name, earlier.source) == ("@HEAD", tmp_path / "HEAD")
    assert (tmp_path / "HEAD" / "appliance" / "__main__.py").exists()
    with pytest.raises(RuntimeError, match="no revision"):
        gatehouse_at("no-such-revision", tmp_path)
