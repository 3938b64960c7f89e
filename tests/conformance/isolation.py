"""Namespaces of the kernel for a whole run: nothing on the machine is touched, and nothing is left when it ends.

`enter` begins the program anew in network, mount and process namespaces of its own. The kernel ends every process in
there, and removes every link, when the first one ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_FOLDER_VARIABLE = "CONFORMANCE_FOLDER"


def inside() -> Path | None:
    """The folder of the run, in the process that `enter` began; None in any other."""
    folder = os.environ.get(_FOLDER_VARIABLE)
    return Path(folder) if folder else None


def obstacle() -> str:
    """Why this machine cannot isolate a run; "" when it can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    if missing := [program for program in ("ip", "unshare", "chroot") if shutil.which(program) is None]:
        return f"{', '.join(missing)} is not installed"
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    return f"namespaces cannot be made here: {done.stderr.decode().strip()}" if done.returncode else ""


def enter(module: str, arguments: Sequence[str], folder: Path) -> int:
    """Run `python -m MODULE ARGUMENTS` in there; its exit code. folder: for whatever it leaves."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    again = [*command, sys.executable, "-m", module, *arguments]
    # subprocess.run kills unshare when we are interrupted, and the kernel everything that is in there.
    return subprocess.run(again, env={**os.environ, _FOLDER_VARIABLE: str(folder)}, check=False).returncode


def own_run_folder() -> None:
    """Names of network namespaces are files in /run/netns: have an own one, which goes with the mount namespace."""
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
