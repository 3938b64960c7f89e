"""One container of a Pod as a process: its own root folder, the Pod's network, its lines of output.

The process goes through `ip netns exec` and `chroot`, which become it: to end it is to end the program.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

_LINES_KEPT = 100_000
_LISTEN, _UNCONNECTED = "0A", "07"


class Sandbox:
    """A program in a root folder. root: made by `furnish`; removed by `close`."""

    def __init__(self, namespace: str, root: Path, program: Path) -> None:
        self._namespace = namespace
        self._root = root
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._lines: deque[tuple[float, bytes]] = deque(maxlen=_LINES_KEPT)

    def furnish(self, files: Mapping[str, bytes]) -> None:
        """Put the program and files into the root."""
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir(parents=True)
        shutil.copy2(self._program, self._root / "program")
        for path, content in files.items():
            place = self._root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    async def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Begin to run it."""
        inside = ["chroot", str(self._root), "/program", *arguments]
        self._process = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", self._namespace, *inside),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment, "PATH": os.environ["PATH"], "HOME": "/"},
        )
        self._reader = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while chunk := await process.stdout.readline():
            self._lines.append((time.time(), chunk))

    async def wait(self) -> int:
        """Its exit code, when it ends."""
        assert self._process is not None
        return await self._process.wait()

    def listens(self) -> bool:
        """Whether it waits for somebody: a TCP socket that listens, or a UDP socket that is bound."""
        assert self._process is not None
        return any(
            line.split()[3] == state
            for name, state in (("tcp", _LISTEN), ("tcp6", _LISTEN), ("udp", _UNCONNECTED), ("udp6", _UNCONNECTED))
            for line in _table(Path(f"/proc/{self._process.pid}/net/{name}"))
        )

    def log(self, since_s: float = 0.0) -> bytes:
        """What it has printed since a moment."""
        return b"".join(line for at_s, line in self._lines if at_s >= since_s)

    async def stop(self) -> None:
        """End it at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader
            self._reader = None

    async def close(self) -> None:
        """End it and remove its files."""
        await self.stop()
        shutil.rmtree(self._root, ignore_errors=True)


def _table(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()[1:]
    except OSError:  # the process ended, or the kernel has no IPv6
        return []
