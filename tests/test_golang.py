"""Programs of Go modules, and why there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.golang import UnbuiltError, build, build_test

MAIN = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Print("hello") }\n'
TEST = 'package main\n\nimport "testing"\n\nfunc TestIt(t *testing.T) { t.Log("tested") }\n'


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module gatehouse/test\n\ngo 1.21\n")
    (folder / "main.go").write_text(MAIN)
    (folder / "main_test.go").write_text(TEST)
    return folder


@pytest.mark.needs("go")
def test_a_program_and_its_tests_are_built(module: Path, tmp_path: Path) -> None:
    program = build(module, ".", tmp_path / "bin" / "hello")
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"hello"
    tests = build_test(module, ".", tmp_path / "bin" / "hello.test")
    assert b"tested" in subprocess.run([tests, "-test.v"], capture_output=True, check=True).stdout


@pytest.mark.needs("go")
def test_what_the_compiler_says_is_the_reason(module: Path, tmp_path: Path) -> None:
    (module / "main.go").write_text(MAIN.replace("fmt.Print", "fmt.Nothing"))
    with pytest.raises(UnbuiltError, match=r"undefined: fmt\.Nothing"):
        build(module, ".", tmp_path / "hello")


def test_without_go_there_is_none(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnbuiltError, match="go is not installed"):
        build(module, ".", tmp_path / "hello")
