"""Every import contract fails when somebody breaks it: each is broken here, in a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = [contract["name"] for contract in SETTINGS["tool"]["importlinter"]["contracts"]]
ROOMS = ("appliance", "certs", "proxy", "store")

# (file that breaks the rule, the import it adds, words of the contract's name)
VIOLATIONS = [
    ("store/service.py", "import appliance.settings", "store, proxy and certs never know the appliance"),
    ("proxy/server.py", "import appliance.settings", "store, proxy and certs never know the appliance"),
    ("store/errors.py", "import certs.errors", "the store knows no other room"),
    ("store/state/__init__.py", "import proxy.snapshot.model", "the store knows no other room"),
    ("proxy/snapshot/model.py", "import store.errors", "the proxy knows only certs"),
    ("certs/bundle.py", "import proxy.snapshot.model", "certs knows no other room"),
    ("appliance/gatewayapi/__init__.py", "import store.errors", "the translator sees of the proxy only its snapshot"),
    (
        "appliance/gatewayapi/__init__.py",
        "import proxy.upstreams",
        "the translator sees of the proxy only its snapshot",
    ),
    ("appliance/gatewayapi/__init__.py", "import appliance.controller", "the translator sees of the proxy only"),
    ("store/state/__init__.py", "import sqlite3", "SQLite only in store.log"),
    ("appliance/settings.py", "import sqlite_utils", "SQLite only in store.log"),
    ("proxy/routing/__init__.py", "import asyncio", "pure packages know no IO, no clock, no chance"),
    ("store/schema/structural.py", "import time", "pure packages know no IO, no clock, no chance"),
    ("proxy/snapshot/routes.py", "import socket", "pure packages know no IO, no clock, no chance"),
    ("appliance/manifests/__init__.py", "import proxy.server", "compose and its planes alone bring store and proxy"),
    ("proxy/filters/redirect.py", "import proxy.filters.url_rewrite", "filters know nothing of each other"),
    (
        "appliance/gatewayapi/filters/url_rewrite.py",
        "import appliance.gatewayapi.filters.request_redirect",
        "translators of filters know nothing of each other",
    ),
    ("proxy/upstreams/__init__.py", "import proxy.http.port", "layers of the proxy"),
    ("store/log/__init__.py", "import store.service", "layers of the store"),
    ("appliance/controller/__init__.py", "import appliance.compose", "layers of the appliance"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_house_as_it_is_keeps_every_contract(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / file
    before = path.read_text()
    try:
        path.write_text(f"{before}\n\n{line}\n")
        done = lint(copy)
    finally:
        path.write_text(before)
    assert done.returncode != 0
    (name,) = [name for name in CONTRACTS if name.startswith(contract) or f": {contract}" in name]
    assert f"{name} BROKEN" in " ".join(done.stdout.split()), done.stdout


def test_every_contract_has_a_violation_planted() -> None:
    for name in CONTRACTS:
        assert any(words in name for _, _, words in VIOLATIONS), name
