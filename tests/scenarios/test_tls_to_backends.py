"""A gateway between two worlds of TLS: clients prove who they are, backends are verified, nothing ever goes plain."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.backends import tcp_server
from tests.scenarios.certificates import Pair, TestAuthority
from tests.scenarios.objects import apply, documents, wait_for_condition
from tests.scenarios.waiting import wait_for

API = "/apis/gateway.networking.k8s.io/v1/namespaces/default"
OBJECTS = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: default}}
spec:
  gatewayClassName: gatehouse
  tls:
    backend: {{clientCertificateRef: {{name: gateway-client}}}}
    frontend: {{default: {{validation: {{caCertificateRefs: [{{group: "", kind: ConfigMap, name: clients}}]}}}}}}
  listeners:
  - {{name: http, port: {http}, protocol: HTTP}}
  - {{name: https, port: {https}, protocol: HTTPS, tls: {{certificateRefs: [{{name: web}}]}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: app, namespace: default}}
spec: {{ports: [{{name: tls, port: 443}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: app-1, namespace: default, labels: {{kubernetes.io/service-name: app}}}}
addressType: IPv4
ports: [{{name: tls, port: {backend}}}]
endpoints: [{{addresses: [127.0.0.1]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: default}}
spec:
  parentRefs: [{{name: web}}]
  rules: [{{backendRefs: [{{name: app, port: 443}}]}}]
"""
POLICY = """
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: app, namespace: default}}
spec:
  targetRefs: [{{group: "", kind: Service, name: app, sectionName: tls}}]
  validation: {{hostname: {hostname}, caCertificateRefs: [{{group: "", kind: ConfigMap, name: backends}}]}}
"""


def config_map(name: str, pem: bytes) -> str:
    """A ConfigMap with the certificates of authorities."""
    lines = "".join(f"    {line}\n" for line in pem.decode().splitlines())
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\n"
    return f"{head}data:\n  ca.crt: |\n{lines}---\n"


@dataclass
class Backend:
    """What a TLS backend on loopback has seen: server names, and bytes that were no TLS."""

    port: int = 0
    names: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def tls_backend(folder: Path, leaf: Pair, clients: TestAuthority) -> Iterator[Backend]:
    """Answers whoever shows a certificate of `clients`, with the name in it."""
    seen = Backend()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*leaf.write(folder, "backend"))
    context.load_verify_locations(cadata=clients.pem.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    context.sni_callback = lambda _, name, __: seen.names.append(name)

    def handle(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        body = _common_name(connection.getpeercert(True))
        while head := connection.recv(65536):
            seen.requests.append(head)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with tcp_server(handle, context) as port:
        seen.port = port
        yield seen


def _common_name(leaf: bytes | None) -> bytes:
    assert leaf is not None
    subject = x509.load_der_x509_certificate(leaf).subject
    return str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value).encode()


def get(port: int, tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Status and body of a GET; (0, ...) with the words of whoever refused the connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            if tls is None:
                return _ask(connection)
            with tls.wrap_socket(connection, server_hostname="web.example.com") as secured:
                return _ask(secured)
    except OSError as error:
        return 0, str(error).encode()


def _ask(connection: socket.socket) -> tuple[int, bytes]:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: web.example.com\r\nConnection: close\r\n\r\n")
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, body


def apply_policy(appliance: Appliance, hostname: str) -> None:
    """Make it, or change whom the backend has to be."""
    (policy,) = documents(POLICY.format(hostname=hostname))
    url = f"{API}/backendtlspolicies/app?fieldManager=tests"
    appliance.request("PATCH", url, policy, "application/apply-patch+yaml")


def policy_says(appliance: Appliance, type_: str, reason: str) -> None:
    """Wait until the policy says so towards the Gateway, of its present generation."""

    def seen() -> bool:
        policy = appliance.request("GET", f"{API}/backendtlspolicies/app")
        ancestors = policy.get("status", {}).get("ancestors", [])
        assert [ancestor["ancestorRef"]["name"] for ancestor in ancestors] == ["web"], "nothing is said yet"
        found = {condition["type"]: condition for condition in ancestors[0]["conditions"]}[type_]
        return (found["reason"], found["observedGeneration"]) == (reason, policy["metadata"]["generation"])

    wait_for(f"policy {type_} {reason}", seen)


def test_who_is_verified_and_what_follows(tmp_path: Path) -> None:
    servers, clients, strangers = TestAuthority(), TestAuthority(), TestAuthority()
    log = tmp_path / "access.log"
    with (
        Appliance(tmp_path / "data", "--access-log", str(log)) as appliance,
        tls_backend(tmp_path, servers.issue("app.internal"), clients) as backend,
    ):
        http, https = free_port(), free_port()
        apply(
            appliance,
            servers.issue("web.example.com").secret("web")
            + clients.issue("gateway").secret("gateway-client")
            + config_map("backends", servers.pem)
            + config_map("clients", clients.pem)
            + OBJECTS.format(http=http, https=https, backend=backend.port),
        )
        apply_policy(appliance, "app.internal")
        wait_for_condition(appliance, f"{API}/gateways/web", "Programmed")
        wait_for_condition(appliance, f"{API}/gateways/web", "ResolvedRefs")
        policy_says(appliance, "Accepted", "Accepted")
        wait_for("the backend's answer", lambda: get(http) == (200, b"gateway"))
        assert set(backend.names) == {"app.internal"}

        # Clients are verified, too.
        trusting = ssl.create_default_context(cadata=servers.pem.decode())
        assert get(https, trusting)[0] == 0
        for issuer, status in ((strangers, 0), (clients, 200)):
            context = ssl.create_default_context(cadata=servers.pem.decode())
            context.load_cert_chain(*issuer.issue("visitor").write(tmp_path, "visitor"))
            assert get(https, context)[0] == status

        # What the ConfigMap holds is in force at once, whoever holds connections.
        apply(appliance, config_map("backends", strangers.pem))
        wait_for("a backend that is not believed", lambda: get(http)[0] == 502)
        path = "/api/v1/namespaces/default/configmaps/backends"
        appliance.request("PATCH", path, {"data": {"ca.crt": ""}}, "application/merge-patch+json")
        policy_says(appliance, "Accepted", "NoValidCACertificate")
        policy_says(appliance, "ResolvedRefs", "InvalidCACertificateRef")
        wait_for("a policy that trusts nobody", lambda: get(http)[0] == 500)
        told = subprocess.run(
            [sys.executable, "-m", "appliance", "status", "--data-dir", str(appliance.data), "--output", "json"],
            capture_output=True,
            check=False,
        ).stdout
        (policy,) = json.loads(told)["policies"]
        assert (policy["targets"], len(policy["problems"])) == (["Service app:tls"], 2)
        appliance.request("DELETE", path)
        apply(appliance, config_map("backends", servers.pem))
        policy_says(appliance, "Accepted", "Accepted")
        wait_for("the backend again", lambda: get(http) == (200, b"gateway"))

        # The name decides as well.
        apply_policy(appliance, "other.internal")
        wait_for("another name", lambda: get(http)[0] == 502)
        assert all(request.startswith(b"GET / HTTP/1.1\r\n") for request in backend.requests)
    text = log.read_text()
    for reason in ("upstream_untrusted", "backend_tls_invalid", "ok"):
        assert f'"reason":"{reason}"' in text
