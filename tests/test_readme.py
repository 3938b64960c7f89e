"""README says what is so: its settings, its YAML, its commands and its map are held against the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli.app import app
from appliance.settings import markdown_table
from appliance.settings_sources import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def test_the_settings_table_is_the_one_of_the_declarations() -> None:
    """Generated, pasted, and still the same."""
    assert markdown_table() in README


def test_the_yaml_passes_our_own_check(tmp_path: Path) -> None:
    """Every example can be applied as it stands."""
    for number, text in enumerate(blocks("yaml")):
        (tmp_path / f"{number}.yaml").write_text(text)
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 0, done.output


def test_the_toml_is_understood(tmp_path: Path) -> None:
    """Every key of the example is a setting."""
    (text,) = blocks("toml")
    file = tmp_path / "gatehouse.toml"
    file.write_text(text)
    settings = load({}, {}, file)
    assert str(settings.data_dir) == tomllib.loads(text)["data-dir"]


def test_the_map_names_every_room_and_none_that_is_gone() -> None:
    """`store/log`, `state` in a row mean store/log and store/state."""
    house = README.partition("## The map of the house")[2].partition("\n## ")[0]
    told = set()
    for row in re.findall(r"^\| (`.+?) \|", house, re.M):
        first, *others = (name.strip("/") for name in re.findall(r"`([a-z0-9/]+)`", row))
        beside = first.rpartition("/")[0]
        told |= {first, *(f"{beside}/{name}" if beside else name for name in others)}
    gone = [name for name in told if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()]
    assert gone == []
    rooms = {str(p.parent.relative_to(ROOT)) for room in ("store", "proxy") for p in ROOT.glob(f"{room}/*/__init__.py")}
    assert rooms - told == set()


@pytest.mark.parametrize("heading", re.findall(r"\(#([a-z0-9-]+)\)", README))
def test_links_inside_lead_somewhere(heading: str) -> None:
    """As the usual renderers make anchors of headings."""
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", README, re.M)}
    assert heading in anchors


def test_nothing_is_left_to_fill_in() -> None:
    """No word in capitals stands for something that is still to come."""
    assert not re.search(r"^(FIGURES|GAPS|TODO)$", README, re.M)
