"""Processes pinned to a core: start, wait for a port, read CPU time, stop."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged() -> list[str]:
    """Words before a command that take every capability from it: root is then treated by the kernel (pipe sizes, ports)
    as an ordinary user is. Empty for who is one already. Raises RuntimeError without setpriv."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError("setpriv is missing: install util-linux, or run as an ordinary user")
    return [setpriv, "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"]


def cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds, (user, system), of a process and its living descendants, threads that ended included."""
    user = system = 0
    for member in _tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # ended between the two looks; only the tree's root matters to us
            continue
        user += int(fields[11])
        system += int(fields[12])
    return user / TICKS_PER_S, system / TICKS_PER_S


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(child) for child in task.read_text().split())
    return found


class Pinned:
    """A process on one core, its output in a file, ended with the `with` block."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        core: int,
        log: Path,
        cwd: Path | None = None,
        privileged: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> None:
        taskset = shutil.which("taskset")
        if taskset is None:
            raise RuntimeError("taskset is missing: install util-linux")
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*([] if privileged else unprivileged()), taskset, "-c", str(core), *map(str, command)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=cwd,
                env=dict(os.environ) | dict(env or {}),
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def cpu_s(self) -> tuple[float, float]:
        """CPU seconds used so far, (user, system), with its children."""
        return cpu_s(self.pid)

    def wait_for_port(self, port: int, deadline_s: float = 30) -> None:
        """Return when something accepts on the loopback port; raise RuntimeError with the log's end otherwise."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self._process.args!r} does not listen on {port}:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ask, wait, insist."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
