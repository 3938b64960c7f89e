"""A team adds listeners to somebody else's Gateway: traffic, precedence, and what the commands say of it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.backends import http_server
from tests.scenarios.objects import apply, wait_for_condition
from tests.scenarios.waiting import wait_for

SETS = "/apis/gateway.networking.k8s.io/v1/namespaces/default/listenersets"
STORY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: default}}
spec:
  gatewayClassName: gatehouse
  allowedListeners: {{namespaces: {{from: Same}}}}
  listeners: [{{name: own, port: {port}, protocol: HTTP, hostname: own.example.com}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {{name: a, namespace: default}}
spec:
  parentRef: {{name: web}}
  listeners: [{{name: added, port: {port}, protocol: HTTP, hostname: added.example.com}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {{name: b, namespace: default}}
spec:
  parentRef: {{name: web}}
  listeners: [{{name: added, port: {port}, protocol: HTTP, hostname: added.example.com}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: default}}
spec:
  parentRefs: [{{kind: ListenerSet, name: a}}, {{kind: ListenerSet, name: b}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: app}}]}}]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: app, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {backend}}}]}}
"""


def gatehouse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "appliance", *words], capture_output=True, text=True, timeout=30)


def status_of(client: http.client.HTTPConnection, host: str) -> int:
    """Of a GET for a host, on a connection that stays."""
    client.request("GET", "/", headers={"Host": host})
    answer = client.getresponse()
    answer.read()
    return answer.status


def test_a_younger_set_takes_over_when_the_older_goes(tmp_path: Path) -> None:
    port = free_port()
    with Appliance(tmp_path / "data") as appliance, http_server(b"here") as backend:
        apply(appliance, STORY.format(port=port, backend=backend))
        wait_for_condition(appliance, f"{SETS}/a", "Programmed")
        wait_for_condition(appliance, f"{SETS}/b", "Accepted", "False", "ListenersNotValid")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
            assert status_of(client, "own.example.com") == 404
            wait_for("the route", lambda: status_of(client, "added.example.com") == 200)
            appliance.request("DELETE", f"{SETS}/a")
            wait_for_condition(appliance, f"{SETS}/b", "Programmed")
            assert status_of(client, "added.example.com") == 200

        def summary() -> dict[str, Any]:
            done = gatehouse("status", "--data-dir", str(appliance.data), "--output", "json")
            assert done.returncode == 0, done.stderr
            content: dict[str, Any] = json.loads(done.stdout)
            (only,) = content["listener_sets"]
            assert (only["name"], only["gateway"], only["problems"]) == ("default/b", "default/web", [])
            assert only["listeners"][0]["routes"] == 1
            return content

        wait_for("the status", summary)


def test_check_knows_where_listener_sets_and_their_routes_go(tmp_path: Path) -> None:
    text = STORY.format(port=80, backend=1).replace("from: Same", "from: None")
    (tmp_path / "a.yaml").write_text(text)
    done = gatehouse("check", str(tmp_path), "--output", "json")
    assert done.returncode == 1
    content = json.loads(done.stdout)
    refused = [f for f in content["findings"] if f["object"] == "ListenerSet default/a"]
    assert [f["message"].partition(":")[0] for f in refused] == ["NotAllowed"]
    assert refused[0]["remedy"].startswith("Let the Gateway's allowedListeners")
    assert {a["parent"] for a in content["attachments"]} == {"ListenerSet default/a", "ListenerSet default/b"}
    assert all("is not accepted" in a["refused"] for a in content["attachments"])


def test_check_doubts_a_set_whose_gateway_is_elsewhere(tmp_path: Path) -> None:
    text = STORY.format(port=80, backend=1)
    (tmp_path / "a.yaml").write_text(text[text.index("---") :])
    done = gatehouse("check", str(tmp_path), "--output", "json")
    assert done.returncode == 0, done.stdout
    found = {(f["object"], f["level"]) for f in json.loads(done.stdout)["findings"]}
    assert found == {("ListenerSet default/a", "warning"), ("ListenerSet default/b", "warning")}
