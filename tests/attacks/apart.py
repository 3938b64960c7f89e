"""A proxy in a process of its own, so that its memory can be measured: `python -m tests.attacks.apart BACKEND_PORT`.

Prints its ports as JSON: HTTP, HTTPS and TCP to the same backend. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import psutil
import uvloop

from proxy.options import ProxyOptions
from proxy.snapshot.listeners import HttpsListener
from tests.proxy.certificates import bundle
from tests.proxy.gateway import at, bind, free_port, gateway, hosts, http, tcp


async def serve(backend_port: int, access_log: str) -> None:
    options = ProxyOptions(access_log=access_log, removed_bind_drain_s=0.1)
    async with gateway(options=options) as gate:
        ports = {"http": free_port(), "https": free_port(), "tcp": free_port()}
        secure = HttpsListener("default/gw/https", "", (bundle("a.test"),), hosts("c"))
        binds = [http(ports["http"], "c"), bind(ports["https"], secure), tcp(ports["tcp"], "c")]
        await gate.apply(binds, at(backend_port))
        sys.stderr.write(json.dumps(ports) + "\n")
        sys.stderr.flush()
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def apart(
    backend_port: int, access_log: str = "off", stdout: int | None = None
) -> Iterator[tuple[psutil.Process, dict[str, int]]]:
    """The process and its ports."""
    command = [sys.executable, "-m", "tests.attacks.apart", str(backend_port), access_log]
    with Popen(command, stdin=PIPE, stderr=PIPE, stdout=stdout) as process:
        assert process.stdin is not None and process.stderr is not None
        yield psutil.Process(process.pid), json.loads(process.stderr.readline())
        process.stdin.close()
        process.wait(20)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
