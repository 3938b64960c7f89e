"""What Gatehouse is told: a Gateway, a Backend and one route, as YAML."""

from __future__ import annotations

from base64 import b64encode

from loadtests.compare.work import Setting

GATEWAY = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: bench, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners:
  - {{name: bench, protocol: {protocol}, port: {port}{tls}}}
---
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: bench, namespace: default}}
spec:
{speaks}  endpoints:
  - {{ip: 127.0.0.1, port: {backend}}}
---
"""

SECRET = """apiVersion: v1
kind: Secret
metadata: {{name: bench, namespace: default}}
type: kubernetes.io/tls
data:
  tls.crt: {chain}
  tls.key: {key}
---
"""

ROUTE = """apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: bench, namespace: default}}
spec:
  parentRefs: [{{name: bench}}]
"""

HTTP_RULE = """  hostnames: [{host}]
  rules:
  - matches: [{match}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {{set: [{{name: X-Added, value: added}}]}}
    backendRefs: [{{group: gatehouse.dev, kind: Backend, name: bench}}]
"""

STREAM_RULE = """  rules:
  - backendRefs: [{group: gatehouse.dev, kind: Backend, name: bench}]
"""


def manifests(setting: Setting, port: int) -> str:
    """All of it, for one file."""
    variant, certificate = setting.variant, setting.certificate
    protocol = "HTTP" if variant.http else variant.client.upper()
    gateway = GATEWAY.format(
        protocol="HTTPS" if certificate else protocol,
        port=port,
        backend=setting.backend_port,
        tls=", tls: {certificateRefs: [{name: bench}]}" if certificate else "",
        speaks="  appProtocol: kubernetes.io/h2c\n" if variant.backend == "h2c" else "",
    )
    secret = ""
    if certificate:
        chain, key = (b64encode(file.read_bytes()).decode() for file in (certificate.chain, certificate.key))
        secret = SECRET.format(chain=chain, key=key)
    kind = "GRPCRoute" if variant.grpc else f"{protocol}Route"
    match = "{method: {service: bench.Echo}}" if variant.grpc else "{path: {type: PathPrefix, value: /api}}"
    rule = HTTP_RULE.format(host=setting.host, match=match) if variant.http else STREAM_RULE
    return gateway + secret + ROUTE.format(kind=kind) + rule
