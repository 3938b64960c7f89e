"""Starting, being asked how it goes, and ending: what operators and supervisors see."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.appliance import ApiError, Appliance, free_port
from tests.scenarios.waiting import wait_for


def start_and_fail(*options: str, environment: dict[str, str] | None = None) -> str:
    """Run an appliance that cannot start; its only line."""
    command = [sys.executable, "-m", "appliance", "run", *options]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, env={**os.environ, **(environment or {})}
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_life_from_start_to_stop(tmp_path: Path) -> None:
    metrics_port = free_port()
    appliance = Appliance(tmp_path / "data", "--metrics-bind", f"127.0.0.1:{metrics_port}")
    with appliance:
        for name in ("kubeconfig", "token", "ca.key"):
            assert stat.S_IMODE((appliance.data / name).stat().st_mode) == 0o600
        assert stat.S_IMODE(appliance.data.stat().st_mode) == 0o700
        assert "snapshot ok" in appliance.request("GET", "/readyz?verbose")["text"]
        assert appliance.request("GET", "/livez") == {"text": "ok"}
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=30) as answer:
            assert b"gatehouse_ready 1.0" in answer.read()
        (only,) = appliance.request("GET", "/apis/gateway.networking.k8s.io/v1/gatewayclasses")["items"]
        assert only["metadata"]["name"] == "gatehouse"
        assert only["spec"]["controllerName"] == "gatehouse.dev/gateway-controller"
        assert "ready: API on https://127.0.0.1:" in appliance.log.read_text()
        token = appliance.token
        assert appliance.stop() == 0
        appliance.start()
        assert appliance.token == token
    assert "Traceback" not in appliance.log.read_text()


def test_a_second_appliance_on_the_same_data_folder_says_who_has_it(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data") as appliance:
        line = start_and_fail("--data-dir", str(appliance.data), "--api-bind", "127.0.0.1:0")
        assert f"in use by process {appliance.pid}" in line
        assert "--data-dir" in line


def test_a_taken_api_port_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        line = start_and_fail("--data-dir", str(tmp_path / "data"), "--api-bind", bind)
    assert (
        line
        == f"gatehouse: {bind} is taken by another program; choose another with --api-bind (port 0 takes a free one)"
    )


def test_an_unknown_variable_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    line = start_and_fail("--data-dir", str(tmp_path / "data"), environment={"GATEHOUSE_METRIC_BIND": "x"})
    assert "unknown environment variable GATEHOUSE_METRIC_BIND; did you mean GATEHOUSE_METRICS_BIND?" in line


def test_a_data_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(0o755)
    assert f"chmod 700 {path}" in start_and_fail("--data-dir", str(path))


def test_sigusr1_goes_on_in_new_log_files(tmp_path: Path) -> None:
    log = tmp_path / "gatehouse.log"
    with Appliance(tmp_path / "data", "--log-file", str(log)) as appliance:
        wait_for("the log's line about being ready", lambda: "ready: API on" in log.read_text())
        old = log.rename(tmp_path / "old.log")
        os.kill(appliance.pid, signal.SIGUSR1)
        wait_for("the new log file", lambda: log.exists() and "log files reopened" in log.read_text())
        assert "ready: API on" in old.read_text()


def test_acknowledged_objects_survive_kill(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data") as appliance:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}, "data": {"a": "b"}}
        appliance.request("POST", "/api/v1/namespaces/default/configmaps", body)
        appliance.kill()
        appliance.start()
        found = appliance.request("GET", "/api/v1/namespaces/default/configmaps/kept")
        assert found["data"] == {"a": "b"}


def test_a_damaged_database_is_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / "gatehouse.db")) as connection:
        connection.executescript("CREATE TABLE a (b); INSERT INTO a VALUES (1);")
    content = bytearray((data / "gatehouse.db").read_bytes())
    content[100:] = b"\xa5" * (len(content) - 100)
    (data / "gatehouse.db").write_bytes(content)
    line = start_and_fail("--data-dir", str(data), "--api-bind", "127.0.0.1:0")
    assert "gatehouse.db is damaged" in line
    assert "restore it from a backup" in line


_GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
"""


def test_what_was_served_before_is_served_while_the_files_are_read(tmp_path: Path) -> None:
    """A file that takes long to apply holds up /readyz, not the traffic of what the store knows."""
    folder, port = tmp_path / "manifests", free_port()
    folder.mkdir()
    (folder / "gateway.yaml").write_text(_GATEWAY.format(port=port))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:
        wait_for("the listener", lambda: answers(port))
        appliance.kill()
        maps = "".join(
            f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}, namespace: default}}\n"
            for number in range(2000)
        )
        (folder / "many.yaml").write_text(maps)
        appliance.start(wait=False)
        wait_for("the listener", lambda: answers(port), deadline_s=30)
        with pytest.raises(ApiError) as not_ready:
            appliance.request("GET", "/readyz")
        assert not_ready.value.status == 500
        appliance.wait_ready()
        assert len(appliance.request("GET", "/api/v1/namespaces/default/configmaps")["items"]) == 2000


def answers(port: int) -> bool:
    """Something answers HTTP here."""
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
            client.request("GET", "/")
            return client.getresponse().status == 404
    except OSError:
        return False
