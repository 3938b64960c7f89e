"""What every peer offers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from loadtests.compare.process import Pinned
from loadtests.compare.variants import Variant
from loadtests.compare.work import Setting


class Peer(Protocol):
    """A proxy that can take part."""

    @property
    def name(self) -> str:
        """As tables show it; unique among the peers of a run."""

    def carries(self, variant: Variant) -> bool:
        """Whether it can do such work at all."""

    def missing(self) -> str:
        """Why it cannot take part, or ""."""

    def version(self) -> str:
        """As the program tells it."""

    def access_log(self, setting: Setting) -> Path:
        """The file that gets a line for each request, where the variant has an access log."""

    def start(self, setting: Setting, port: int) -> Pinned:
        """Listen on 127.0.0.1:port and forward to setting.backend_port."""


def program(name: str, remedy: str) -> str:
    """The reason why a program is missing, or ""."""
    return "" if shutil.which(name) else f"{name} is not installed ({remedy})"


def first_line(*command: str) -> str:
    """The first line that a command prints, on either stream."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]
