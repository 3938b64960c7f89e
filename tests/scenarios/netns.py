"""A network of one host for one test: its own loopback, an interface with addresses, every port free."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from types import TracebackType


def unavailable() -> str:
    """Why network namespaces cannot be made here, or ""."""
    if os.geteuid() != 0:
        return "needs root to make a network namespace"
    return "" if shutil.which("ip") else "needs the program ip (Debian: iproute2)"


class Netns:
    """A network namespace with `lo` up and an interface that carries `addresses` (CIDR text)."""

    def __init__(self, addresses: Sequence[str] = ("10.88.0.1/24", "10.88.0.2/24")) -> None:
        self.name = f"gatehouse-{secrets.token_hex(4)}"
        self._addresses = addresses

    def __enter__(self) -> Netns:
        _ip("netns", "add", self.name)
        try:
            _ip("-n", self.name, "link", "set", "lo", "up")
            _ip("-n", self.name, "link", "add", "gw0", "type", "veth", "peer", "name", "gw1")
            for address in self._addresses:
                _ip("-n", self.name, "addr", "add", address, "dev", "gw0")
            for end in ("gw0", "gw1"):
                _ip("-n", self.name, "link", "set", end, "up")
        except subprocess.CalledProcessError:
            _ip("netns", "del", self.name)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _ip("netns", "del", self.name)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command so that it runs inside."""
        return ("ip", "netns", "exec", self.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
