"""Go programs that tests need, built from modules of ours that pin the version of everything.

A folder with go.mod and go.sum and a package's import path come in; a program goes out. Go's own caches decide what is
still up to date; only a registry of Go modules is ever asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_BUILD_LIMIT_S = 1800
# Without cgo the programs are whole: they run in a root folder that has nothing else.
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}


class UnbuiltError(Exception):
    """Why there is no program."""


def build(module: Path, package: str, target: Path) -> Path:
    """Build a program of the module, or of one that it requires, as the file `target`. Raises UnbuiltError."""
    return _go(module, "build", package, target)


def build_test(module: Path, package: str, target: Path) -> Path:
    """Build the tests of a package as a program. Raises UnbuiltError."""
    return _go(module, "test -c", package, target)


def _go(module: Path, verb: str, package: str, target: Path) -> Path:
    if shutil.which("go") is None:
        raise UnbuiltError("go is not installed")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["go", *verb.split(), "-o", str(target), package]
    environment = {**os.environ, **_ENVIRONMENT}
    done = subprocess.run(
        command, cwd=module, env=environment, capture_output=True, text=True, timeout=_BUILD_LIMIT_S, check=False
    )
    if done.returncode:
        raise UnbuiltError(f"{' '.join(command)}:\n{done.stderr.strip()}")
    return target
