"""The story of a published tutorial, step by step, with kubectl, curl and the real httpbin, on port 80 of a host."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.appliance import Appliance
from tests.scenarios.crds import REASON, install_files
from tests.scenarios.netns import Netns, unavailable
from tests.scenarios.waiting import wait_for

pytestmark = [
    pytest.mark.needs("kubectl", "curl", "root", "ip"),
    pytest.mark.timeout(300),
]

HTTPBIN = """
import warnings
warnings.simplefilter("ignore")
from werkzeug.serving import run_simple
import httpbin
run_simple("127.0.0.1", 8000, httpbin.app, threaded=True)
"""

BACKEND = """
apiVersion: v1
kind: Service
metadata: {name: httpbin, namespace: default}
spec:
  ports: [{name: http, port: 8000}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: httpbin-1
  namespace: default
  labels: {kubernetes.io/service-name: httpbin}
addressType: IPv4
ports: [{name: http, port: 8000}]
endpoints: [{addresses: [127.0.0.1]}]
"""

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway, namespace: istio-ingress}
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: default
    hostname: "*.example.com"
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: All}}
"""

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: httpbin, namespace: default}
spec:
  parentRefs: [{name: gateway, namespace: istio-ingress}]
  hostnames: [httpbin.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /get}}]
    backendRefs: [{name: httpbin, port: 8000}]
"""

ROUTE_WITH_HEADERS = (
    ROUTE
    + """
  - matches: [{path: {type: PathPrefix, value: /headers}}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {add: [{name: my-added-header, value: added-value}]}
    backendRefs: [{name: httpbin, port: 8000}]
"""
)


class Host:
    """One machine of the story: an appliance and httpbin in a network namespace, and the commands a user types."""

    def __init__(self, netns: Netns, appliance: Appliance, manifests: Path, access_log: Path) -> None:
        self._netns = netns
        self.appliance = appliance
        self.manifests = manifests
        self._access_log = access_log

    def run(self, *command: str | Path, stdin: str = "") -> str:
        """What a command prints; a failure is shown with what it said."""
        words = [*self._netns.prefix, *map(str, command)]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def kubectl(self, *words: str | Path, stdin: str = "") -> str:
        """kubectl with the appliance's own kubeconfig, as it lies in the data folder."""
        return self.run("kubectl", "--kubeconfig", self.appliance.kubeconfig, *words, stdin=stdin)

    def apply(self, text: str) -> str:
        """kubectl apply -f -"""
        return self.kubectl("apply", "-f", "-", stdin=text)

    def curl(self, url: str, host: str) -> tuple[int, str]:
        """Status and body."""
        out = self.run("curl", "-s", "-m", "10", "-w", "\n%{http_code}", "-H", f"Host: {host}", url)
        body, _, status = out.rpartition("\n")
        return int(status), body

    def log_lines(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [json.loads(line) for line in self._access_log.read_text().splitlines()]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host with httpbin on 127.0.0.1:8000 and a running appliance that watches a folder."""
    if reason := unavailable():
        pytest.skip(reason)
    manifests, access_log = tmp_path / "manifests", tmp_path / "access.log"
    manifests.mkdir()
    with Netns() as netns:
        httpbin = subprocess.Popen(
            [*netns.prefix, sys.executable, "-c", HTTPBIN], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            options = ["--manifests", str(manifests), "--access-log", str(access_log)]
            with Appliance(tmp_path / "data", *options, prefix=netns.prefix) as appliance:
                yield Host(netns, appliance, manifests, access_log)
        finally:
            httpbin.terminate()
            httpbin.wait(10)


def columns(table: str) -> list[str]:
    """The header words of what kubectl get printed."""
    return table.splitlines()[0].split()


def test_the_walkthrough_works_as_written(host: Host) -> None:
    """All nine steps in one story: each stands on the one before."""
    install_the_api(host)
    host.apply(BACKEND)
    address = create_the_gateway(host)
    create_the_route(host, address)
    answer_and_refuse(host, address)
    change_the_route(host, address)
    read_the_access_log(host)
    choose_addresses(host)
    the_folder_does_the_same(host)


def install_the_api(host: Host) -> None:
    """Step 1: the official install goes over the built-in kinds, and a GatewayClass is already there."""
    files = install_files("experimental")
    if not files:
        pytest.skip(REASON)
    for file in files:
        host.kubectl("apply", "--server-side", "-f", file)
    crds = json.loads(host.kubectl("get", "crd", "-o", "json"))["items"]
    installed = [crd for crd in crds if crd["spec"]["group"].startswith("gateway.networking.")]
    assert len(installed) == len(files) - 1  # one file is the admission policy
    for crd in installed:
        conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
        assert conditions["Established"] == "True", crd["metadata"]["name"]
    table = host.kubectl("get", "gatewayclass")
    assert columns(table) == ["NAME", "CONTROLLER", "ACCEPTED", "AGE"]
    assert table.splitlines()[1].split()[:3] == ["gatehouse", "gatehouse.dev/gateway-controller", "True"]


def create_the_gateway(host: Host) -> str:
    """Step 3: PROGRAMMED becomes True and the address can be dialled."""
    host.kubectl("create", "namespace", "istio-ingress")
    host.apply(GATEWAY)
    host.kubectl("wait", "-n", "istio-ingress", "gateway/gateway", "--for=condition=Programmed", "--timeout=30s")
    table = host.kubectl("get", "gateway", "-n", "istio-ingress")
    assert columns(table) == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"]
    path = "jsonpath={.status.addresses[0].value}"
    address = host.kubectl("get", "gateway", "gateway", "-n", "istio-ingress", "-o", path)
    assert table.splitlines()[1].split()[:4] == ["gateway", "gatehouse", address, "True"]
    return address


def create_the_route(host: Host, address: str) -> None:
    """Step 4: a route of another namespace."""
    host.apply(ROUTE)
    table = host.kubectl("get", "httproute")
    assert columns(table) == ["NAME", "HOSTNAMES", "AGE"]
    assert table.splitlines()[1].split()[:2] == ["httpbin", '["httpbin.example.com"]']
    wait_for("httpbin answers", lambda: host.curl(f"http://{address}/get", "httpbin.example.com")[0] == 200)


def answer_and_refuse(host: Host, address: str) -> None:
    """Step 5: 200 from httpbin for /get, 404 from the gateway for /headers."""
    status, body = host.curl(f"http://{address}/get", "httpbin.example.com")
    assert (status, json.loads(body)["headers"]["Host"]) == (200, "httpbin.example.com")
    assert host.curl(f"http://{address}/headers", "httpbin.example.com")[0] == 404


def change_the_route(host: Host, address: str) -> None:
    """Step 6: a second match with a header filter; a later change takes effect as well."""
    host.apply(ROUTE_WITH_HEADERS)

    def added(value: str) -> bool:
        status, body = host.curl(f"http://{address}/headers", "httpbin.example.com")
        return status == 200 and json.loads(body)["headers"].get("My-Added-Header") == value

    wait_for("the header is added", lambda: added("added-value"))
    host.apply(ROUTE_WITH_HEADERS.replace("added-value", "other-value"))
    wait_for("the header's other value", lambda: added("other-value"))


def read_the_access_log(host: Host) -> None:
    """Step 7: one line per request, with the reason of the 404."""
    refused = wait_for("the 404 in the log", lambda: [x for x in host.log_lines() if x["status"] == 404])[0]
    assert (refused["method"], refused["path"], refused["reason"]) == ("GET", "/headers", "route_not_found")
    served = next(x for x in host.log_lines() if x["status"] == 200 and x["path"] == "/headers")
    assert served["host"] == "httpbin.example.com"
    assert served["route"] == "default/httpbin"
    assert served["endpoint"] == "127.0.0.1:8000"
    assert served["client"].startswith("10.88.0.")
    assert served["response_bytes"] > 0
    assert served["duration_ms"] >= 0


def gateway_conditions(host: Host) -> dict[str, dict[str, Any]]:
    """The Gateway's conditions by type, when they speak of its present generation."""
    gateway = json.loads(host.kubectl("get", "gateway", "gateway", "-n", "istio-ingress", "-o", "json"))
    conditions = {c["type"]: c for c in gateway["status"]["conditions"]}
    assert all(c["observedGeneration"] == gateway["metadata"]["generation"] for c in conditions.values())
    return conditions


def choose_addresses(host: Host) -> None:
    """Step 8: an address of this machine serves, a name is resolved, anything unusable is said in conditions."""

    def ask_for(kind: str, value: str) -> None:
        host.apply(GATEWAY + f"  addresses: [{{type: {kind}, value: {value}}}]\n")

    def serves(address: str) -> bool:
        try:
            return host.curl(f"http://{address}/get", "httpbin.example.com")[0] == 200
        except AssertionError:  # nobody listens there
            return False

    ask_for("IPAddress", "10.88.0.2")
    wait_for("10.88.0.2 serves", lambda: serves("10.88.0.2"))
    wait_for("10.88.0.1 does not", lambda: not serves("10.88.0.1"))
    ask_for("IPAddress", "192.0.2.1")
    wait_for("AddressNotUsable", lambda: gateway_conditions(host)["Programmed"]["reason"] == "AddressNotUsable")
    ask_for("gatehouse.dev/floor", "third")
    wait_for("UnsupportedAddress", lambda: gateway_conditions(host)["Accepted"]["reason"] == "UnsupportedAddress")
    ask_for("Hostname", "localhost")
    wait_for("localhost serves", lambda: serves("127.0.0.1"))
    wait_for("Programmed", lambda: gateway_conditions(host)["Programmed"]["status"] == "True")


def the_folder_does_the_same(host: Host) -> None:
    """Step 9: the same objects from a file; without the file they are gone."""
    host.kubectl("delete", "gateway", "gateway", "-n", "istio-ingress")
    host.kubectl("delete", "httproute", "httpbin")
    file = host.manifests / "walkthrough.yaml"
    file.write_text(f"{GATEWAY}---{ROUTE}")
    host.kubectl("wait", "-n", "istio-ingress", "gateway/gateway", "--for=create", "--timeout=60s")
    host.kubectl("wait", "-n", "istio-ingress", "gateway/gateway", "--for=condition=Programmed", "--timeout=60s")
    wait_for("httpbin answers again", lambda: host.curl("http://10.88.0.1/get", "httpbin.example.com")[0] == 200)
    file.unlink()
    host.kubectl("wait", "-n", "istio-ingress", "gateway/gateway", "--for=delete", "--timeout=60s")
    host.kubectl("wait", "httproute/httpbin", "--for=delete", "--timeout=60s")
