"""A Gateway for the web: one HTTP and one HTTPS listener, and one route for whatever comes to either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.certificates import TestAuthority
from tests.scenarios.objects import apply, wait_for_condition

NAME = "web.example.com"
_API = "/apis/gateway.networking.k8s.io/v1/namespaces/default"


@dataclass(frozen=True, slots=True)
class WebGateway:
    """Ports on loopback. ca_file: who signed the certificate of the HTTPS listener, which is for NAME."""

    http_port: int
    https_port: int
    ca_file: Path


def serve_web(appliance: Appliance, folder: Path, kind: str, backend_port: int) -> WebGateway:
    """Apply it and wait until the sockets listen and the route is accepted.

    kind: of the route, HTTPRoute or GRPCRoute. backend_port: on loopback. Raises AssertionError when it takes too long.
    """
    authority = TestAuthority()
    ca_file = folder / "web-ca.pem"
    ca_file.write_bytes(authority.pem)
    web = WebGateway(free_port(), free_port(), ca_file)
    text = authority.issue(NAME).secret("web") + _OBJECTS.format(
        http=web.http_port, https=web.https_port, kind=kind, backend=backend_port
    )
    apply(appliance, text)
    wait_for_condition(appliance, f"{_API}/gateways/web", "Programmed")
    wait_for_condition(appliance, f"{_API}/{kind.lower()}s/web", "Accepted")
    return web


_OBJECTS = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners:
  - {{name: http, port: {http}, protocol: HTTP}}
  - {{name: https, port: {https}, protocol: HTTPS, tls: {{certificateRefs: [{{name: web}}]}}}}
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: web, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {backend}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: web, namespace: default}}
spec:
  parentRefs: [{{name: web}}]
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: web}}]}}]
"""
