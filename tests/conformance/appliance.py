"""The appliance under test: the program as anybody starts it, with addresses of its own to give out."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conformance.workloads.client import Access, open_client

ROOT = Path(__file__).resolve().parents[2]
_READY_LIMIT_S, _STOP_LIMIT_S, _LOOK_S = 120.0, 30.0, 0.1
LOG = "appliance.log"
_GRAVE = re.compile(r"^\S+ (?:ERROR|CRITICAL) |^Traceback ")


class ApplianceError(Exception):
    """There is nothing to judge."""


@dataclass(frozen=True, slots=True)
class Running:
    """access: to its API. ended: its exit code, if it ends before it is stopped."""

    access: Access
    ended: asyncio.Task[int]


def grave(log: Path) -> list[str]:
    """What the appliance complained of: errors, and exceptions that nobody caught."""
    return [line for line in log.read_text(errors="replace").splitlines() if _GRAVE.match(line)]


@asynccontextmanager
async def appliance(folder: Path, pool: str) -> AsyncIterator[Running]:
    """Running and ready. pool: CIDR of the addresses for Gateways. What it says is in FOLDER/appliance.log.

    Raises ApplianceError when it ends before it is ready, and TimeoutError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    words = ["run", "--serve-workloads", "--api-bind", "127.0.0.1:6443", "--data-dir", str(data)]
    words += ["--address-pool", pool, "--access-log", str(folder / "access.log"), "--drain-timeout", "1s"]
    with (folder / LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "appliance", *words),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    ended = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(_READY_LIMIT_S):
            access = await _ready(process, data / "kubeconfig")
        yield Running(access, ended)
    finally:
        if process.returncode is None:
            process.terminate()
            done, _ = await asyncio.wait({ended}, timeout=_STOP_LIMIT_S)
            if not done:
                process.kill()
        await ended


async def _ready(process: asyncio.subprocess.Process, kubeconfig: Path) -> Access:
    while True:
        if process.returncode is not None:
            raise ApplianceError(f"the appliance ended with code {process.returncode} before it was ready")
        if kubeconfig.exists():
            access = Access.read(kubeconfig)
            async with open_client(access) as client:
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return access
                except httpx.TransportError:
                    pass  # not yet
        await asyncio.sleep(_LOOK_S)
