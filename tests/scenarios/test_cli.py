"""The commands that need no running appliance, and the one that asks one."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.waiting import wait_for

GOOD = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: g
  namespace: default
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: http
    protocol: HTTP
    port: {port}
    hostname: "*.example.com"
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: r
  namespace: default
spec:
  parentRefs:
  - name: g
  hostnames:
  - {hostname}
  rules:
  - backendRefs:
    - name: web
      port: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: default
spec:
  ports:
  - port: 80
"""


def gatehouse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "appliance", *words], capture_output=True, text=True, timeout=30)


DOWN = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: app}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {closed}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app}}
spec:
  parentRefs: [{{name: web}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: app}}]}}]
"""


def findings(path: Path) -> tuple[int, dict[str, Any]]:
    done = gatehouse("check", str(path), "--output", "json")
    assert done.stdout, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, content


def test_version_says_it() -> None:
    assert gatehouse("version").stdout.startswith("gatehouse ")


def test_help_names_every_command() -> None:
    text = gatehouse("--help").stdout
    assert all(command in text for command in ("run", "check", "status", "version"))


def test_a_wrong_command_line_is_exit_code_2() -> None:
    assert gatehouse("run", "--no-such-option").returncode == 2


def test_good_files_pass_and_say_where_routes_go(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.format(port=80, hostname="a.example.com"))
    code, found = findings(tmp_path)
    assert code == 0, found
    assert found["errors"] == 0
    assert found["objects"] == 3
    (doubt,) = found["findings"]
    assert (doubt["object"], doubt["level"]) == ("Service default/web", "warning")
    assert doubt["message"] == "no EndpointSlice among the files has endpoints for its port 80"
    (attachment,) = found["attachments"]
    assert attachment == {"route": "HTTPRoute default/r", "parent": "Gateway default/g", "refused": ""}


def test_a_route_that_would_not_attach_says_why_and_where(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.format(port=80, hostname="a.example.org"))
    code, found = findings(path)
    assert code == 1
    (finding,) = found["findings"]
    assert finding["file"] == str(path)
    assert (finding["line"], finding["object"], finding["field"]) == (20, "HTTPRoute default/r", "spec.parentRefs")
    assert "NoMatchingListenerHostname" in finding["message"]
    assert finding["remedy"]


def test_a_backend_that_is_not_among_the_files_is_a_doubt(tmp_path: Path) -> None:
    """It may live in the store alone: said, and no reason to fail."""
    path = tmp_path / "a.yaml"
    text = GOOD.format(port=80, hostname="a.example.com")
    path.write_text(text[: text.index("---\napiVersion: v1\n")])
    code, found = findings(path)
    assert code == 0
    (finding,) = found["findings"]
    assert "BackendNotFound" in finding["message"]
    assert (finding["line"], finding["level"]) == (24, "warning")


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: default}
spec:
  gatewayClassName: gatehouse
  listeners:
"""


def test_a_secret_that_is_not_among_the_files_is_a_doubt(tmp_path: Path) -> None:
    """Of its listener, and so of the Gateway that sums its listeners up."""
    path = tmp_path / "a.yaml"
    listener = "  - {name: https, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: elsewhere}]}}\n"
    path.write_text(GATEWAY + listener)
    code, found = findings(path)
    assert code == 0, found
    (finding,) = found["findings"]
    assert finding["message"] == "InvalidCertificateRef: Secret default/elsewhere does not exist"
    assert (finding["line"], finding["level"], finding["field"]) == (7, "warning", "spec.listeners[0]")


def test_a_class_that_is_not_among_the_files_is_a_doubt(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GATEWAY.replace("gatehouse", "gatehose") + "  - {name: http, port: 8080, protocol: HTTP}\n")
    code, found = findings(path)
    assert code == 0
    (finding,) = found["findings"]
    assert (finding["line"], finding["level"], finding["field"]) == (5, "warning", "spec.gatewayClassName")
    assert "GatewayClass gatehose" in finding["message"]
    assert "gatehouse" in finding["remedy"]


def test_a_secret_may_be_written_as_texts(tmp_path: Path) -> None:
    """What the store makes of stringData is what is judged."""
    path = tmp_path / "a.yaml"
    texts = "stringData: {tls.crt: x, tls.key: y}"
    path.write_text(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ntype: kubernetes.io/tls\n{texts}\n")
    code, found = findings(path)
    assert (code, found["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ("{name: Bad_Name}", "metadata.name"),
        ("{name: a, labels: {a: b c}}", "metadata.labels"),
        ("{name: a, labels: {a: 1}}", "metadata.labels.a"),
        ("{name: a, labels: [x]}", "metadata.labels"),
        ("{name: a, annotations: 3}", "metadata.annotations"),
    ],
)
@pytest.mark.parametrize("kind", ["ConfigMap", "Namespace"])
def test_metadata_is_judged_as_the_store_does(tmp_path: Path, kind: str, metadata: str, field: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}\n")
    code, found = findings(path)
    assert code == 1
    (finding,) = found["findings"]
    assert (finding["line"], finding["field"]) == (3, field)


def test_an_address_that_is_never_connected_to_is_said_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(DOWN.format(port=8080, closed=80).replace("ip: 127.0.0.1", "ip: 169.254.1.1"))
    code, found = findings(path)
    assert code == 1
    (finding,) = found["findings"]
    assert "169.254.1.1:80 are denied" in finding["message"]
    assert finding["remedy"].startswith("Use another address")


def test_what_two_listeners_dispute_is_said_once_of_each(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        GATEWAY + "".join(f"  - {{name: {p.lower()}, port: 8080, protocol: {p}}}\n" for p in ("HTTP", "TCP"))
    )
    code, found = findings(path)
    assert code == 1
    assert [(f["line"], f["message"].partition(":")[0]) for f in found["findings"]] == [
        (7, "ProtocolConflict"),
        (8, "ProtocolConflict"),
    ]


def test_a_version_that_is_not_served_is_answered_with_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GATEWAY.replace("io/v1", "io/v2") + "  - {name: http, port: 8080, protocol: HTTP}\n")
    (finding,) = findings(path)[1]["findings"]
    assert finding["remedy"] == "Write gateway.networking.k8s.io/v1."


POLICY = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: web, namespace: default}}
spec:
  targetRefs: [{{group: "", kind: Service, name: web}}]
  validation: {{hostname: web.internal, caCertificateRefs: [{{group: "{group}", kind: {kind}, name: ca}}]}}
"""


def test_authorities_that_are_not_among_the_files_are_a_doubt_and_kinds_that_hold_none_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = GOOD.format(port=80, hostname="a.example.com")
    path.write_text(text + POLICY.format(group="", kind="ConfigMap"))
    code, found = findings(path)
    assert code == 0
    told = {(finding["object"], finding["message"].partition(":")[0]) for finding in found["findings"]}
    policy = "BackendTLSPolicy default/web"
    assert told == {
        (policy, "NoValidCACertificate"),
        (policy, "InvalidCACertificateRef"),
        ("HTTPRoute default/r", "InvalidBackendTLS"),
    }
    path.write_text(text + POLICY.format(group="example.com", kind="Vault"))
    code, found = findings(path)
    assert code == 1
    assert {finding["level"] for finding in found["findings"]} == {"error"}


def test_a_schema_error_has_its_place_and_leaves_its_routes_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.format(port="eighty", hostname="a.example.com"))
    code, found = findings(path)
    assert code == 1
    error, doubt = found["findings"]
    assert (error["line"], error["field"], error["level"]) == (11, "spec.listeners[0].port", "error")
    assert (doubt["line"], doubt["field"], doubt["level"]) == (21, "spec.parentRefs[0]", "warning")


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = gatehouse("check", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "is not there" in done.stderr


def test_status_without_an_appliance_says_so(tmp_path: Path) -> None:
    done = gatehouse("status", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "name the appliance's data folder with --data-dir" in done.stderr


def test_status_shows_what_is_and_what_is_not_right(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(GOOD.format(port=free_port(), hostname="a.example.org"))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:

        def summary() -> dict[str, Any]:
            done = gatehouse("status", "--data-dir", str(appliance.data), "--output", "json")
            assert done.returncode == 0, done.stderr
            content: dict[str, Any] = json.loads(done.stdout)
            (gateway,) = content["gateways"]
            assert gateway["problems"] == [], gateway
            (route,) = content["routes"]
            assert "NoMatchingListenerHostname" in route["problems"][0]
            return content

        found = wait_for("the status", summary)
        assert found["gateways"][0]["listeners"][0]["protocol"] == "HTTP"
        assert found["files"] == [{"path": str(folder / "a.yaml"), "objects": 3, "problems": []}]
        text = gatehouse("status", "--data-dir", str(appliance.data)).stdout
        assert "NoMatchingListenerHostname" in text
        assert found["endpoints"] == []
        assert "1 problem" in text


def test_status_names_an_endpoint_that_refuses_connections(tmp_path: Path) -> None:
    folder, port, closed = tmp_path / "manifests", free_port(), free_port()
    folder.mkdir()
    (folder / "a.yaml").write_text(DOWN.format(port=port, closed=closed))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:

        def text() -> str:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
                client.request("GET", "/")
                assert client.getresponse().status in (502, 503)
            shown = gatehouse("status", "--data-dir", str(appliance.data)).stdout
            assert "takes no connections" in shown
            return shown

        shown = wait_for("the endpoint", text, deadline_s=30)
        assert f"127.0.0.1:{closed}" in shown
        assert "1 problem" in shown


def test_status_names_a_service_without_endpoints(tmp_path: Path) -> None:
    """The route is as the Gateway API wants it; the name of the slice's port is not the Service's, and all is 503."""
    folder, port = tmp_path / "manifests", free_port()
    folder.mkdir()
    text = GOOD.format(port=port, hostname="a.example.com").replace("  - port: 80\n", "  - {port: 80, name: http}\n")
    piece = """\
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [PORT]
endpoints: [{addresses: [127.0.0.1]}]
"""
    (folder / "a.yaml").write_text(text + piece.replace("PORT", "{port: 9}"))
    with Appliance(tmp_path / "data", "--manifests", str(folder)) as appliance:

        def shown(words: str) -> str:
            told = gatehouse("status", "--data-dir", str(appliance.data)).stdout
            assert words in told
            return told

        told = wait_for("the Service", lambda: shown("has no endpoints"), deadline_s=30)
        assert "service/default/web:80" in told
        assert "kubernetes.io/service-name" in told
        assert "1 problem" in told
        (folder / "a.yaml").write_text(text + piece.replace("PORT", "{port: 9, name: http}"))
        wait_for("the endpoint", lambda: shown("all is as asked"), deadline_s=30)
