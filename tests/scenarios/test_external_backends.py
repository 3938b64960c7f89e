"""An XBackend: a host by name, in plain HTTP or inside TLS that is verified as it says."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from contextlib import closing
from pathlib import Path

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.backends import http_server, tcp_server
from tests.scenarios.certificates import TestAuthority
from tests.scenarios.objects import apply, wait_for_condition

GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes"
STORY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: ca, namespace: default}}
binaryData: {{ca.crt: {authority}}}
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {{name: plain, namespace: default}}
spec: {{type: ExternalHostname, externalHostname: {{hostname: localhost}}, port: {{port: {plain}}}, protocol: HTTP11}}
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {{name: secure, namespace: default}}
spec:
  type: ExternalHostname
  externalHostname: {{hostname: localhost}}
  port: {{port: {secure}}}
  tls:
    mode: ServerOnly
    validation: {{hostname: secure.example.com, caCertificateRefs: [{{group: "", kind: ConfigMap, name: ca}}]}}
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {{name: not-believed, namespace: default}}
spec:
  type: ExternalHostname
  externalHostname: {{hostname: localhost}}
  port: {{port: {secure}}}
  tls:
    mode: ServerOnly
    validation: {{hostname: other.example.com, caCertificateRefs: [{{group: "", kind: ConfigMap, name: ca}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: out, namespace: default}}
spec:
  parentRefs: [{{name: web}}]
  rules:
  - matches: [{{path: {{type: PathPrefix, value: /plain}}}}]
    backendRefs: [{{group: gateway.networking.x-k8s.io, kind: XBackend, name: plain}}]
  - matches: [{{path: {{type: PathPrefix, value: /secure}}}}]
    backendRefs: [{{group: gateway.networking.x-k8s.io, kind: XBackend, name: secure}}]
  - matches: [{{path: {{type: PathPrefix, value: /not-believed}}}}]
    backendRefs: [{{group: gateway.networking.x-k8s.io, kind: XBackend, name: not-believed}}]
"""


def answering(connection: socket.socket) -> None:
    """One request, one answer that names what was read."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecure")


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read()


def test_hosts_outside_are_reached_as_their_backends_say(tmp_path: Path) -> None:
    authority, port = TestAuthority(), free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("secure.example.com").write(tmp_path, "backend"))
    with (
        Appliance(tmp_path / "data") as appliance,
        http_server(b"plain") as plain,
        tcp_server(answering, context) as secure,
    ):
        pem = base64.b64encode(authority.pem).decode()
        apply(appliance, STORY.format(port=port, authority=pem, plain=plain, secure=secure))
        wait_for_condition(appliance, f"{GATEWAYS}/web", "Programmed")
        wait_for_condition(appliance, f"{ROUTES}/out", "ResolvedRefs")
        assert get(port, "/plain") == (200, b"plain")
        assert get(port, "/secure") == (200, b"secure")
        assert get(port, "/not-believed")[0] in (502, 503)
        backends = "/apis/gateway.networking.x-k8s.io/v1alpha1/namespaces/default/xbackends"
        wait_for_condition(appliance, f"{backends}/secure", "Accepted")
