"""The first command of README: the demo, and every command that it prints."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.appliance import free_port
from tests.scenarios.waiting import wait_for


@dataclass(slots=True)
class Demo:
    """A running demo. scratch: where its temporary folder is made."""

    process: subprocess.Popen[bytes]
    output: Path
    scratch: Path

    def commands(self) -> dict[str, str]:
        """What it printed to paste, by the comment above it."""
        text = self.output.read_text()
        return {what: command.strip() for what, command in re.findall(r"^# (.+)\n((?:.+\n)+?)(?=# |\n)", text, re.M)}


def four_free_ports() -> int:
    """The first of four neighbours of which none is taken."""
    while True:
        first = free_port()
        if first + 3 > 65535:
            continue
        try:
            for port in range(first, first + 4):
                socket.create_server(("0.0.0.0", port)).close()
        except OSError:
            continue
        return first


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    scratch = folder / "tmp"
    scratch.mkdir()
    output = folder / "output"
    options = ["--demo", "--demo-port", str(four_free_ports()), "--api-bind", "127.0.0.1:0"]
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "run", *options],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        )
    try:
        wait_for("the guide", lambda: "The access log follows" in output.read_text() or process.poll() is not None, 30)
        yield Demo(process, output, scratch)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        pytest.param(
            "HTTP, with a header that the route adds",
            ['"path":"/hello"', '"x-demo":"added by the route"'],
            marks=pytest.mark.needs("curl"),
        ),
        ("WebSocket, on the same port", ["hello"]),
        pytest.param(
            "TLS passthrough: the certificate is the backend's own",
            ['"host":"passthrough.example'],
            marks=pytest.mark.needs("curl"),
        ),
        ("TCP", ["hello"]),
        ("UDP", ["hello"]),
        pytest.param("The API, with kubectl", ["httproute", "True"], marks=pytest.mark.needs("kubectl")),
        pytest.param("The API, with curl", ['"kind":"HTTPRouteList"'], marks=pytest.mark.needs("curl")),
        ("The same at a glance", ["all is as asked"]),
    ],
)
def test_a_printed_command_works_as_printed(demo: Demo, what: str, words: list[str]) -> None:
    command = demo.commands()[what]
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done
    for word in words:
        assert word in done.stdout.replace('": "', '":"'), done


def test_ctrl_c_leaves_nothing_behind(demo: Demo) -> None:
    assert list(demo.scratch.glob("gatehouse-demo-*"))
    assert '"path":"/hello"' in demo.output.read_text().replace('": "', '":"')
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(20) == 0
    assert list(demo.scratch.iterdir()) == []
    assert "Traceback" not in demo.output.read_text()


def test_a_taken_port_is_said_with_the_way_out() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "appliance", "run", "--demo", "--demo-port", str(min(port, 65532))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert f"port {port} cannot be had (Address already in use)" in done.stderr
    assert "gatehouse run --demo --demo-port 18080" in done.stderr
