"""`python -m tests.interop`: every case that a proxy can carry, through a GRPCRoute, over h2c and over TLS.

One line a case. --direct leaves the appliance out, which shows what client and server do by themselves. --case NAME
runs only that. Exit code 0: all passed. 1: not. 3: the programs cannot be built here, and CI is not asking (where
CHECK_NOTHING_MISSING is set that is 1).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import STRICT_VARIABLE
from tests.golang import UnbuiltError, build
from tests.interop.cases import CARRIED, excluded, reason, unknown
from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.waiting import wait_for
from tests.scenarios.web_gateway import NAME, serve_web

_MODULE = Path(__file__).parent / "module"
_PACKAGES = "google.golang.org/grpc/interop"
_CASE_LIMIT_S = 120
CANNOT = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. words: where, for the client's command line."""

    name: str
    words: tuple[str, ...]


def main(arguments: Sequence[str]) -> int:
    """Build, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=sys.modules["tests.interop"].__doc__)
    parser.add_argument("--case", action="append", choices=CARRIED, help="only this case; may be given several times")
    parser.add_argument("--direct", action="store_true", help="no appliance between client and server")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="interop-") as scratch:
        folder = Path(scratch)
        try:
            client = build(_MODULE, f"{_PACKAGES}/client", folder / "client")
            server = build(_MODULE, f"{_PACKAGES}/server", folder / "server")
        except UnbuiltError as error:
            print(f"the interop programs cannot be built: {error}", file=sys.stderr)
            return 1 if os.environ.get(STRICT_VARIABLE) else CANNOT
        if new := unknown(subprocess.run([client, "--help"], capture_output=True, text=True, check=False).stderr):
            print(f"the client has cases that nobody looked at: {', '.join(new)}", file=sys.stderr)
            return 1
        with _running(server) as port, _direct(port) if given.direct else _through(folder, port) as ways:
            return _judge(client, ways, given.case or list(CARRIED))


@contextmanager
def _running(server: Path) -> Iterator[int]:
    """The interop server; its port."""
    port = free_port()
    with subprocess.Popen([server, "--port", str(port)]) as process:
        try:
            wait_for("the interop server", lambda: _listens(port))
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=30):
        return True
    return False


@contextmanager
def _direct(port: int) -> Iterator[list[Way]]:
    yield [Way("direct", ("--server_port", str(port)))]


@contextmanager
def _through(folder: Path, port: int) -> Iterator[list[Way]]:
    """An appliance before the server."""
    with Appliance(folder / "data") as appliance:
        web = serve_web(appliance, folder, "GRPCRoute", port)
        tls = ("--use_tls", "--use_test_ca", "--ca_file", str(web.ca_file), "--server_host_override", NAME)
        yield [
            Way("h2c", ("--server_port", str(web.http_port))),
            Way("tls", ("--server_port", str(web.https_port), *tls)),
        ]


def _judge(client: Path, ways: Sequence[Way], cases: Sequence[str]) -> int:
    failed = 0
    for way in ways:
        for case in cases:
            begun_s = time.monotonic()
            wrong = _run(client, way, case)
            seconds = time.monotonic() - begun_s
            print(f"{way.name:<6}  {case:<28} {f'FAIL  {wrong}' if wrong else 'pass'}  {seconds:.1f} s", flush=True)
            failed += bool(wrong)
    for why, names in excluded().items():
        print(f"not run  {', '.join(names)}: {why}")
    total = len(ways) * len(cases)
    print(f"interop: {total - failed} of {total} passed")
    return 1 if failed else 0


def _run(client: Path, way: Way, case: str) -> str:
    """Why the case failed, or ""."""
    command = [str(client), "--server_host", "127.0.0.1", *way.words, f"--test_case={case}", *CARRIED[case]]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CASE_LIMIT_S, check=False)
        return reason(done.stderr) if done.returncode else ""
    return f"not over after {_CASE_LIMIT_S} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
