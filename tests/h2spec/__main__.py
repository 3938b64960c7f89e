"""`python -m tests.h2spec`: every case, on a plain and on a TLS listener of an appliance of its own.

With --port the peer is any server on loopback that already runs (--tls: over TLS). Exit code 0: all cases passed,
everywhere. 1: not. 3: h2spec cannot be built here, and CI is not asking (where CHECK_NOTHING_MISSING is set that is 1).
"""

from __future__ import annotations

import argparse
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.demo.backend import EchoBackend
from tests.conftest import STRICT_VARIABLE
from tests.golang import UnbuiltError, build
from tests.h2spec.report import Tally, read
from tests.scenarios.appliance import Appliance
from tests.scenarios.web_gateway import serve_web

_MODULE = Path(__file__).parent / "module"
_PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec"
_LIMIT_S = 600
CANNOT = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """A server on loopback that speaks HTTP/2, and answers GET and POST of / with some bytes."""

    name: str
    port: int
    tls: bool


def main(arguments: Sequence[str]) -> int:
    """Build, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.h2spec", description=sys.modules["tests.h2spec"].__doc__)
    parser.add_argument("--port", type=int, help="of a server that runs, instead of an appliance")
    parser.add_argument("--tls", action="store_true", help="reach that server over TLS")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="h2spec-") as scratch:
        folder = Path(scratch)
        try:
            program = build(_MODULE, _PACKAGE, folder / "h2spec")
        except UnbuiltError as error:
            print(f"h2spec cannot be built: {error}", file=sys.stderr)
            return 1 if os.environ.get(STRICT_VARIABLE) else CANNOT
        if given.port is not None:
            return _judge(program, [Peer(f"127.0.0.1:{given.port}", given.port, given.tls)], folder)
        with _listeners(folder) as peers:
            return _judge(program, peers, folder)


@contextmanager
def _listeners(folder: Path) -> Iterator[list[Peer]]:
    """An appliance before the demo's echo, which answers every method with what it got."""
    with EchoBackend(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as backend, Appliance(folder / "data") as appliance:
        web = serve_web(appliance, folder, "HTTPRoute", backend.ports.http)
        yield [Peer("HTTP listener", web.http_port, False), Peer("HTTPS listener", web.https_port, True)]


def _judge(program: Path, peers: Sequence[Peer], folder: Path) -> int:
    whole = True
    for peer in peers:
        try:
            tally = run(program, peer, folder / "report.xml")
        except ValueError as error:
            print(f"{peer.name}: {error}", flush=True)
            whole = False
            continue
        print(f"{peer.name}: {tally}", flush=True)
        for case in (*tally.failed, *tally.skipped):
            print(f"  {case}", flush=True)
        whole = whole and tally.whole
    return 0 if whole else 1


def run(program: Path, peer: Peer, report: Path) -> Tally:
    """All cases of the strict mode. report: where to leave h2spec's own. Raises ValueError when it made none."""
    report.unlink(missing_ok=True)
    command = [str(program), "--strict", "--port", str(peer.port), "--junit-report", str(report)]
    command += ["--tls", "--insecure"] if peer.tls else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if not report.exists():
        raise ValueError(f"h2spec ended with {done.returncode} and no report:\n{done.stdout[-800:].strip()}")
    return read(report.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
