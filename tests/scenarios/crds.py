"""Where the official v1.6.1 CRDs are: not in this repository, but in the Go module that publishes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

MODULE = "sigs.k8s.io/gateway-api@v1.6.1"
FOLDER = "config/crd"
REASON = "needs the official CRDs: set CHECK_CRDS to a folder with experimental/ and standard/, or install go"


@cache
def official_crds() -> Path | None:
    """The folder that holds experimental/ and standard/, or None: named by CHECK_CRDS, else in the Go module."""
    if named := os.environ.get("CHECK_CRDS"):
        return Path(named)
    if shutil.which("go") is None:
        return None
    try:
        done = subprocess.run(["go", "mod", "download", "-json", MODULE], capture_output=True, timeout=100, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return Path(json.loads(done.stdout)["Dir"]) / FOLDER


def install_files(channel: str) -> list[Path]:
    """The YAML files of a channel ("experimental", "standard"), in name order; empty when they cannot be had."""
    folder = official_crds()
    return sorted((folder / channel).glob("*_*.yaml")) if folder else []
