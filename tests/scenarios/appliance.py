"""A whole appliance as a user runs it: `gatehouse run` in a process of its own, on a data folder of the test's."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

READY_WITHIN_S = 30
STOPPED_WITHIN_S = 40


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody uses right now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ApiError(Exception):
    """The API refused. status: the HTTP code; body: the Status object."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status}: {body.get('message', body)}")
        self.status = status
        self.body = body


class Appliance:
    """Started with the `with` block and stopped by SIGTERM at its end; may be killed and started again in between.

    data: becomes the data folder. options: further words of the command line.
    prefix: words before the command, such as those that enter a network namespace.
    """

    def __init__(self, data: Path, *options: str, prefix: Sequence[str] = ()) -> None:
        self.data = data
        self.api_port = free_port()
        self.log = data.with_name(data.name + ".log")
        command = [sys.executable, "-m", "appliance", "run", "--data-dir", str(data)]
        self._command = [*prefix, *command, "--api-bind", f"127.0.0.1:{self.api_port}", *options]
        self._prefix = tuple(prefix)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Appliance:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.running:
            self.stop()

    @property
    def kubeconfig(self) -> Path:
        """The file that kubectl uses as it is."""
        return self.data / "kubeconfig"

    @property
    def token(self) -> str:
        """For curl."""
        return (self.data / "token").read_text().strip()

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def ca(self) -> Path:
        """The certificate that the API's own is signed by."""
        return self.data / "ca.crt"

    @property
    def pid(self) -> int:
        """Of the appliance itself, whatever prefix runs it."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """The process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start, and return when /readyz says ok."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Until /readyz answers 200. AssertionError with the log's end when the process ends or takes too long."""
        end = time.monotonic() + READY_WITHIN_S
        while self.running and time.monotonic() < end:
            if self._ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready; the log ends:\n{self.log.read_text()[-4000:]}")

    def _ready(self) -> bool:
        if not self.ca.exists():
            return False
        if self._prefix:  # its network is not ours: ask with a program that runs there
            url = f"{self.url}/readyz"
            command = [*self._prefix, "curl", "-sf", "-o", "/dev/null", "--cacert", str(self.ca), url]
            return subprocess.run(command, check=False).returncode == 0
        try:
            self.request("GET", "/readyz")
        except (OSError, ApiError):
            return False
        return True

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """One API request with the token: the decoded answer. Raises ApiError and OSError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type}
        if (self.data / "token").exists():
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(error.code, _decoded(error.read())) from None
        return _decoded(text)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: no last words."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        try:
            return self._process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"still running after {number.name}:\n{self.log.read_text()[-4000:]}") from None


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text.decode(errors="replace")}
