"""The demo's configuration, as the YAML that a user would write."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.demo.backend import Ports

TLS_NAME = "passthrough.example"


@dataclass(frozen=True, slots=True)
class Listeners:
    """The four ports that clients dial."""

    http: int
    tls: int
    tcp: int
    udp: int

    @classmethod
    def from_first(cls, port: int) -> Listeners:
        """Four neighbours."""
        return cls(port, port + 1, port + 2, port + 3)


def manifest(listeners: Listeners, backend: Ports) -> str:
    """A Gateway with four listeners, a Backend for each port of the echo backend, and a route for each protocol."""
    documents = [
        _GATEWAY.format(http=listeners.http, tls=listeners.tls, tcp=listeners.tcp, udp=listeners.udp, name=TLS_NAME)
    ]
    for name, port in (("http", backend.http), ("tls", backend.tls), ("tcp", backend.tcp), ("udp", backend.udp)):
        documents.append(_BACKEND.format(name=name, port=port))
    documents.append(_HTTP_ROUTE)
    documents.append(_TLS_ROUTE.format(name=TLS_NAME))
    documents += [_STREAM_ROUTE.format(kind=f"{name.upper()}Route", name=name) for name in ("tcp", "udp")]
    return "---\n".join(documents)


_GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: demo
  namespace: default
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: http
    protocol: HTTP
    port: {http}
  - name: tls
    protocol: TLS
    port: {tls}
    hostname: {name}
    tls:
      mode: Passthrough
  - name: tcp
    protocol: TCP
    port: {tcp}
  - name: udp
    protocol: UDP
    port: {udp}
"""

_BACKEND = """\
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata:
  name: echo-{name}
  namespace: default
spec:
  endpoints:
  - ip: 127.0.0.1
    port: {port}
"""

_HTTP_ROUTE = """\
# Change this file while the demo runs, and see what happens.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: http
  namespace: default
spec:
  parentRefs:
  - name: demo
    sectionName: http
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        add:
        - name: X-Demo
          value: added by the route
    backendRefs:
    - group: gatehouse.dev
      kind: Backend
      name: echo-http
"""

_TLS_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata:
  name: tls
  namespace: default
spec:
  parentRefs:
  - name: demo
    sectionName: tls
  hostnames:
  - {name}
  rules:
  - backendRefs:
    - group: gatehouse.dev
      kind: Backend
      name: echo-tls
"""

_STREAM_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: {kind}
metadata:
  name: {name}
  namespace: default
spec:
  parentRefs:
  - name: demo
    sectionName: {name}
  rules:
  - backendRefs:
    - group: gatehouse.dev
      kind: Backend
      name: echo-{name}
"""
