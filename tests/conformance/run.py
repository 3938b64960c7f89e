"""One run of the suite: appliance, Pods and the suite itself side by side, in namespaces of their own.

What to run comes in, an Outcome goes out; logs and the suite's report are left in a folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import orjson
import uvicorn

from tests.conformance import isolation
from tests.conformance.appliance import ApplianceError, appliance
from tests.conformance.binaries import Binaries
from tests.conformance.crowd import gather_crowd
from tests.conformance.scores import ROOT, Ending, Outcome
from tests.conformance.workloads.client import Access, open_client
from tests.conformance.workloads.front import create_front
from tests.conformance.workloads.network import open_network
from tests.conformance.workloads.runner import Runner

_POOL = IPv4Network("10.245.0.0/25")
_USABLE, _UNUSABLE = "10.246.0.1", "192.0.2.1"  # on this machine, and on none (RFC 5737)
_FRONT_PORT = 6080
_SUITE_LIMIT = "35m"
_LINE_LIMIT_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. tests: names, none for all. folder: for logs and the report. crowd: beside unrelated objects."""

    binaries: Binaries
    profiles: Sequence[str]
    tests: Sequence[str]
    folder: Path
    crowd: bool = False


async def judge(order: Order, ended: Callable[[str, Ending], None]) -> Outcome:
    """Run everything once. ended: called as each test ends. To be called inside the namespaces.

    Raises ApplianceError.
    """
    isolation.own_run_folder()
    await open_network([*map(str, _POOL.hosts()), _USABLE])
    async with contextlib.AsyncExitStack() as stack:
        tested = await stack.enter_async_context(appliance(order.folder, str(_POOL)))
        access = tested.access
        client = await stack.enter_async_context(open_client(access))
        runner = Runner(client, order.folder / "pods", {"/echo-": order.binaries.echo, "/coredns:": order.binaries.dns})
        running = await stack.enter_async_context(_beside(runner))
        await stack.enter_async_context(_served(runner, access))
        if order.crowd:
            await gather_crowd(client)
        kubeconfig = order.folder / "kubeconfig"
        kubeconfig.write_text(access.at(f"http://127.0.0.1:{_FRONT_PORT}"))
        suite = asyncio.create_task(_suite(order, kubeconfig, ended))
        await asyncio.wait({suite, running, tested.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not suite.done():  # without appliance or Pods the suite would wait for many minutes
            suite.cancel()
            await asyncio.wait({suite})
            if tested.ended.done():
                raise ApplianceError(f"the appliance ended in the middle, with code {tested.ended.result()}")
            running.result()
        return suite.result()


@contextlib.asynccontextmanager
async def _beside(runner: Runner) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _served(runner: Runner, access: Access) -> AsyncIterator[None]:
    """The front, answering."""
    async with open_client(access) as client:
        config = uvicorn.Config(
            create_front(client, runner), host="127.0.0.1", port=_FRONT_PORT, log_level="warning", lifespan="off"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
            await task


async def _suite(order: Order, kubeconfig: Path, ended: Callable[[str, Ending], None]) -> Outcome:
    command = ["go", "tool", "test2json", "-t", str(order.binaries.suite), *_flags(order)]
    outcome = Outcome()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=order.folder,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LINE_LIMIT_BYTES,
    )
    assert process.stdout is not None
    try:
        with (order.folder / "events.json").open("wb") as log:
            async for line in process.stdout:
                log.write(line)
                if line.startswith(b"{"):
                    if name := outcome.take(orjson.loads(line)):
                        ended(name, outcome.endings[name])
                else:
                    outcome.setup.append(line.decode(errors="replace").rstrip())
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    return outcome


def _flags(order: Order) -> list[str]:
    """Features are those that the GatewayClass claims; which tests run is chosen by Go's own flag alone."""
    names = "|".join(map(re.escape, order.tests))
    pattern = f"^{ROOT}$/^({names})$" if order.tests else f"^{ROOT}$"
    return [
        *("-test.run", pattern, "-test.v=test2json", "-test.timeout", _SUITE_LIMIT),
        "-gateway-class=gatehouse",
        f"-conformance-profiles={','.join(order.profiles)}",
        f"-usable-address={_USABLE}",
        f"-unusable-address={_UNUSABLE}",
        f"-report-output={order.folder / 'report.yaml'}",
        "-organization=gatehouse",
        "-project=gatehouse",
        "-url=https://gatehouse.dev",
        f"-version={_version()}",
        "-contact=https://gatehouse.dev",
    ]


def _version() -> str:
    try:
        return importlib.metadata.version("gatehouse")
    except importlib.metadata.PackageNotFoundError:
        return "unreleased"
