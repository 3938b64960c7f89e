"""The objects of the cases."""

from __future__ import annotations

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  labels: {app: shop}
data:
  colour: green
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: one
  labels: {app: shop}
data:
  password: c2VjcmV0
"""

IMMUTABLE_SECRET = SECRET + "immutable: true\n"

TLS_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: one
type: kubernetes.io/tls
stringData:
  tls.crt: not looked at
  tls.key: not looked at
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: one
  labels: {app: shop}
spec:
  clusterIP: 10.0.77.7
  selector: {app: shop}
  ports:
  - name: web
    port: 80
    targetPort: 8080
"""

HEADLESS = """\
apiVersion: v1
kind: Service
metadata:
  name: one
spec:
  clusterIP: None
  ports:
  - name: web
    port: 80
  - name: dns
    port: 53
    protocol: UDP
"""

EXTERNAL_NAME = """\
apiVersion: v1
kind: Service
metadata:
  name: one
spec:
  type: ExternalName
  externalName: www.example.com
"""

ENDPOINT_SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: one
  labels: {app: shop, kubernetes.io/service-name: shop}
addressType: IPv4
endpoints:
- addresses: [10.1.2.3]
- addresses: [10.1.2.4]
  conditions: {ready: false}
ports:
- name: web
  port: 8080
"""

LEASE = """\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: one
  labels: {app: shop}
spec:
  holderIdentity: somebody
  leaseDurationSeconds: 15
"""

EVENT = """\
apiVersion: v1
kind: Event
metadata:
  name: one.1
  namespace: case-event
  labels: {app: shop}
involvedObject: {apiVersion: v1, kind: ConfigMap, name: one, namespace: case-event}
type: Warning
reason: Strange
message: something strange
source: {component: tester}
count: 3
"""

GATEWAY_CLASS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: example
spec:
  controllerName: example.dev/controller
  description: for the comparison
"""

GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: one
  labels: {app: shop}
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: web
    port: 80
    protocol: HTTP
"""

SECOND_LISTENER = """\
  - name: web
    port: 80
    protocol: HTTP
"""

HTTP_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: one
  labels: {app: shop}
spec:
  parentRefs:
  - name: gateway
  hostnames: [www.example.com]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /}
    backendRefs:
    - name: shop
      port: 80
"""

REDIRECT_FILTER = """\
    filters:
    - type: RequestRedirect
      requestRedirect: {hostname: other.example.com}
"""

TLS_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata:
  name: one
  labels: {app: shop}
spec:
  parentRefs:
  - name: gateway
  hostnames: [www.example.com]
  rules:
  - backendRefs:
    - name: shop
      port: 443
"""

TCP_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata:
  name: one
  labels: {app: shop}
spec:
  parentRefs:
  - name: gateway
  rules:
  - backendRefs:
    - name: shop
      port: 80
"""

UDP_ROUTE = TCP_ROUTE.replace("TCPRoute", "UDPRoute")

GRPC_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata:
  name: one
  labels: {app: shop}
spec:
  parentRefs:
  - name: gateway
  hostnames: [www.example.com]
  rules:
  - matches:
    - method: {service: shop.Cart, method: Add}
    backendRefs:
    - name: shop
      port: 80
"""

REFERENCE_GRANT = """\
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata:
  name: one
  labels: {app: shop}
spec:
  from:
  - group: gateway.networking.k8s.io
    kind: HTTPRoute
    namespace: default
  to:
  - group: ""
    kind: Service
"""

BACKEND_TLS_POLICY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata:
  name: one
  labels: {app: shop}
spec:
  targetRefs:
  - group: ""
    kind: Service
    name: shop
  validation:
    hostname: shop.example.com
    wellKnownCACertificates: System
"""

LISTENER_SET = """\
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata:
  name: one
  labels: {app: shop}
spec:
  parentRef:
    name: gateway
  listeners:
  - name: extra
    port: 8080
    protocol: HTTP
"""

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.dev
spec:
  group: example.dev
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
"""

TERMINATING = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  finalizers: [example.dev/hold]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: one
  finalizers: [example.dev/hold]
spec:
  parentRefs:
  - name: gateway
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: one
  finalizers: [example.dev/hold]
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: web
    port: 80
    protocol: HTTP
"""

POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: example
  labels: {app: shop}
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE]
      resources: [deployments]
  validations:
  - expression: "true"
"""

POLICY_BINDING = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: example
  labels: {app: shop}
spec:
  policyName: nothing
  validationActions: [Deny]
"""

X_BACKEND = """\
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata:
  name: one
  labels: {app: shop}
spec:
  type: ExternalHostname
  externalHostname: {hostname: www.example.com}
  port: {port: 443}
"""

X_BACKEND_TRAFFIC_POLICY = """\
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackendTrafficPolicy
metadata:
  name: one
  labels: {app: shop}
spec:
  targetRefs:
  - group: ""
    kind: Service
    name: shop
  retryConstraint:
    budget: {percent: 20, interval: 10s}
"""

X_MESH = """\
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XMesh
metadata:
  name: example
  labels: {app: shop}
spec:
  controllerName: example.dev/controller
"""

NEW_EVENT = """\
apiVersion: events.k8s.io/v1
kind: Event
metadata:
  name: one.2
  namespace: case-new-event
eventTime: "2026-01-02T03:04:05.000006Z"
reportingController: example.dev/tester
reportingInstance: tester-1
action: Try
reason: Strange
regarding: {apiVersion: v1, kind: ConfigMap, name: one, namespace: case-new-event}
note: something strange
type: Normal
"""

RULED_DEFINITION = (
    DEFINITION.replace("things", "ruled")
    .replace("thing", "rule")
    .replace("Thing", "Rule")
    .replace("{type: integer}", '{type: integer, x-kubernetes-validations: [{rule: "self > 3"}]}')
)

HTTPS_GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: one
spec:
  gatewayClassName: gatehouse
  listeners:
  - name: web
    port: 443
    protocol: HTTPS
    tls:
      mode: Terminate
      certificateRefs:
      - name: certificate
"""
