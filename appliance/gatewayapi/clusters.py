"""From a backendRef to a cluster: Services in every form, and our own Backend.

A reference answers with a target (a cluster's name, or the refusal that stands in its place) and perhaps a problem;
the clusters that were named are collected on the side, so that a change of endpoints changes no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from appliance.gatewayapi import external_backends
from appliance.gatewayapi.endpoints import backend_endpoints, denied, service_endpoints
from appliance.gatewayapi.policies import traffic
from appliance.gatewayapi.policies.backend_tls import BackendTls
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.references import Referent, Referrer, allowed
from appliance.gatewayapi.resources import GATEHOUSE_GROUP, GATEWAY_GROUP, X_GROUP, Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings
from proxy.snapshot.clusters import Cluster, Endpoint, Protocol, UpstreamTls
from proxy.snapshot.routes import Refusal, SessionPersistence

BACKEND_KINDS: Final = {"Service": "", "Backend": GATEHOUSE_GROUP, external_backends.KIND: X_GROUP}
"""What a backendRef can refer to, with its group."""

LAYERS: Final = {"TCPRoute": "tcp", "TLSRoute": "tcp", "UDPRoute": "udp", "GRPCRoute": "http2"}
"""What is spoken for a kind of route whatever the backend says of itself; it is part of the cluster's name."""

APP_PROTOCOLS: Final[dict[str, Protocol]] = {
    "": "http",
    "http": "http",
    "tcp": "http",
    "kubernetes.io/ws": "ws",
    "kubernetes.io/h2c": "http2",
}
"""Service appProtocol (lower case) to what an HTTP route speaks with it; anything else cannot be spoken."""

TLS_APP_PROTOCOLS: Final[dict[str, Protocol]] = {"https": "http", "kubernetes.io/wss": "ws"}
"""Those that are spoken inside TLS, so that a BackendTLSPolicy must say how to verify the backend (GEP-1911)."""


GRPC_APP_PROTOCOLS: Final = frozenset({"", "http", "tcp", "grpc", "kubernetes.io/h2c"})
"""Those that HTTP/2 can be spoken with, as a GRPCRoute does."""


GRPC_TLS_APP_PROTOCOLS: Final = frozenset({"https"})
"""As TLS_APP_PROTOCOLS, for a GRPCRoute."""


def spoken_at(layer: str, app_protocol: str) -> Protocol:
    """What is spoken with a backend; app_protocol: one that can be spoken at this layer."""
    at_layer: Any = (APP_PROTOCOLS | TLS_APP_PROTOCOLS)[app_protocol.lower()] if layer == "http" else layer
    spoken: Protocol = at_layer
    return spoken


class BackendRef(NamedTuple):
    """A reference with its defaults filled in. relayed: the client's own TLS goes through; port 0: none given;
    speaks: the layer that is wanted whatever the kind of route; "" leaves that to the kind.
    """

    route_kind: str
    route_namespace: str
    relayed: bool
    group: str
    kind: str
    namespace: str
    name: str
    port: int
    speaks: str = ""

    @property
    def key(self) -> Key:
        """The backend."""
        return Key(self.kind, self.namespace, self.name)

    @property
    def opened(self) -> bool:
        """Whether the gateway itself speaks with the backend, rather than passing on what clients say."""
        return not self.relayed and self.route_kind != "UDPRoute"

    @classmethod
    def read(cls, ref: Any, route_kind: str, route_namespace: str, *, relayed: bool, speaks: str = "") -> BackendRef:
        """From JSON (Gateway API: BackendObjectReference)."""
        return cls(
            route_kind,
            route_namespace,
            relayed,
            ref.get("group") or "",
            ref.get("kind") or "Service",
            ref.get("namespace") or route_namespace,
            ref["name"],
            ref.get("port") or 0,
            speaks,
        )


class Answer(NamedTuple):
    """What a reference leads to. problem: for ResolvedRefs; there can be one although traffic flows.

    session: what a policy on the backend says; its name is not final.
    """

    target: str | Refusal
    problem: Problem | None = None
    session: SessionPersistence | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """An answer, and the cluster when the answer's target names one."""

    answer: Answer
    cluster: Cluster | None = None


def refuse(reason: str, log_reason: str, message: str) -> Resolution:
    """500 with the log's reason, and the condition's reason and message."""
    return Resolution(Answer(Refusal(500, log_reason), Problem(reason, message)))


class Clusters:
    """Resolves references during one translation.

    found: clusters by name, of this translation and those before; an equal cluster stays the same object.
    changed: the names of those that were not there before, or have become others.
    """

    def __init__(
        self, objects: Objects, surroundings: Surroundings, policies: BackendTls, found: dict[str, Cluster]
    ) -> None:
        self._objects = objects
        self._policies = policies
        self._surroundings = surroundings
        self._resolved: dict[tuple[str, str, str, str, int, str, bool], Resolution] = {}
        self.found = found
        self.changed: set[str] = set()

    def answer(self, ref: BackendRef) -> Answer:
        """The target of a backendRef, by ReferenceGrants, kind, existence, port and protocol, in this order."""
        target = Referent(ref.group, ref.kind, ref.namespace, ref.name)
        source = Referrer(GATEWAY_GROUP, ref.route_kind, ref.route_namespace)
        if BACKEND_KINDS.get(ref.kind) != ref.group:
            kind = f"{ref.kind}.{ref.group}" if ref.group else ref.kind
            return refuse("InvalidKind", "invalid_kind", f"backendRefs cannot refer to a {kind}").answer
        if ref.namespace != ref.route_namespace and not allowed(source, target, self._objects.grants(ref.namespace)):
            routes = f"{ref.route_kind}s of {ref.route_namespace}"
            message = f"no ReferenceGrant in namespace {ref.namespace} lets {routes} refer to {target}"
            return refuse("RefNotPermitted", "ref_not_permitted", message).answer
        return self._resolve(ref).answer

    def _resolve(self, ref: BackendRef) -> Resolution:
        """Once per translation, backend and kind of route."""
        layer = ref.speaks or LAYERS.get(ref.route_kind, "http")
        entry = (ref.route_kind, ref.kind, ref.namespace, ref.name, ref.port, layer, ref.relayed)  # messages name it
        resolution = self._resolved.get(entry)
        if resolution is None:
            backend = self._objects.get(ref.kind, ref.namespace, ref.name)
            resolution = self._resolved[entry] = self._look_up(ref, layer, backend)
            if (cluster := resolution.cluster) is not None and self.found.get(cluster.name) != cluster:
                self.found[cluster.name] = cluster
                self.changed.add(cluster.name)
        return resolution

    def _look_up(self, ref: BackendRef, layer: str, backend: Resource | None) -> Resolution:
        if backend is None:
            message = f"{ref.kind} {ref.namespace}/{ref.name} does not exist"
            return refuse("BackendNotFound", "backend_not_found", message)
        if ref.kind == "Backend":
            return self._backend(ref, layer, backend)
        if ref.kind == external_backends.KIND:
            return self._external(ref, layer, backend)
        return self._service(ref, layer, backend)

    def _service(self, ref: BackendRef, layer: str, service: Resource) -> Resolution:
        named = f"Service {ref.namespace}/{ref.name}"
        if not ref.port:
            return refuse("BackendNotFound", "backend_not_found", f"a backendRef to {named} needs a port")
        ports = [p for p in service.spec.get("ports") or () if p["port"] == ref.port]
        wanted = "UDP" if layer == "udp" else "TCP"
        port = next((p for p in ports if (p.get("protocol") or "TCP") == wanted), None)
        if port is None and not (service.spec.get("type") == "ExternalName" and not ports):
            if ports:
                return refuse(
                    "UnsupportedProtocol", "unsupported_protocol", f"port {ref.port} of {named} is not {wanted}"
                )
            return refuse("BackendNotFound", "backend_not_found", f"{named} has no port {ref.port}")
        port = port or {"port": ref.port}
        security = self._security(ref, layer, port.get("name"), port.get("appProtocol") or "")
        if isinstance(security, Resolution):
            return security
        endpoints = service_endpoints(service, port, self._objects.slices(ref.namespace, ref.name))
        return self._finish(ref, layer, spoken_at(layer, port.get("appProtocol") or ""), endpoints, security)

    def _backend(self, ref: BackendRef, layer: str, backend: Resource) -> Resolution:
        app_protocol = backend.spec.get("appProtocol") or ""
        security = self._security(ref, layer, None, app_protocol)
        if isinstance(security, Resolution):
            return security
        endpoints, faults = backend_endpoints(backend, ref.port)
        if faults:
            return refuse("BackendNotFound", "backend_not_found", f"Backend {ref.namespace}/{ref.name}: {faults}")
        if layer == "udp" and any(e.kind == "unix" for e in endpoints):
            message = f"Backend {ref.namespace}/{ref.name} has a Unix socket, which carries no datagrams"
            return refuse("UnsupportedProtocol", "unsupported_protocol", message)
        return self._finish(ref, layer, spoken_at(layer, app_protocol), endpoints, security)

    def _external(self, ref: BackendRef, layer: str, backend: Resource) -> Resolution:
        external = external_backends.read(backend, self._policies)
        if ref.port not in (0, external.endpoint.port):
            return refuse("BackendNotFound", "backend_not_found", f"{ref.key} has no port {ref.port}")
        protocol = external.spoken(layer)
        if protocol is None:
            message = f"{ref.key} speaks {external.protocol or 'no datagrams'}, which a {ref.route_kind} does not carry"
            return refuse("UnsupportedProtocol", "unsupported_protocol", message)
        security = external.tls if ref.opened else None
        if ref.opened and external.problem is not None and external.tls is None:
            return refuse("InvalidBackendTLS", "backend_tls_invalid", f"{ref.key}: {external.problem.message}")
        if ref.opened and security is None and self._policies.ruling(ref.key, ref.group, None) is not None:
            message = f"{ref.key}: a BackendTLSPolicy cannot govern it; its own tls.mode can ask for TLS"
            return refuse("InvalidBackendTLS", "backend_tls_invalid", message)
        return self._finish(ref._replace(port=0), layer, protocol, (external.endpoint,), security)

    def _security(
        self, ref: BackendRef, layer: str, section: str | None, app_protocol: str
    ) -> UpstreamTls | Resolution | None:
        """The TLS that a backend is to be reached with, None for none, or why it cannot be reached as it should."""
        if not ref.opened:
            return None
        named = f"{ref.kind} {ref.namespace}/{ref.name}"
        ruling = self._policies.ruling(ref.key, ref.group, section)
        if ruling is not None and ruling.tls is None:
            return refuse("InvalidBackendTLS", "backend_tls_invalid", f"{named}: {ruling.refusal}")
        spoken = {"http": APP_PROTOCOLS.keys(), "http2": GRPC_APP_PROTOCOLS}.get(layer)
        inside = {"http": TLS_APP_PROTOCOLS.keys(), "http2": GRPC_TLS_APP_PROTOCOLS}.get(layer, frozenset[str]())
        if ruling is None and app_protocol.lower() in inside:
            message = f"{named} speaks {app_protocol}, and no BackendTLSPolicy says how to verify it"
            return refuse("UnsupportedProtocol", "backend_tls_missing", message)
        if spoken is not None and app_protocol.lower() not in spoken | inside:
            message = f"{named} speaks {app_protocol}, which this version does not carry"
            return refuse("UnsupportedProtocol", "unsupported_protocol", message)
        return ruling.tls if ruling is not None else None

    def _finish(
        self,
        ref: BackendRef,
        layer: str,
        protocol: Protocol,
        endpoints: tuple[Endpoint, ...],
        security: UpstreamTls | None,
    ) -> Resolution:
        kept = tuple(e for e in endpoints if not denied(e, self._surroundings))
        name = f"{ref.kind.lower()}/{ref.namespace}/{ref.name}" + (f":{ref.port}" if ref.port else "")
        conduct = traffic.conduct(self._objects, ref.key, ref.group)
        budget = conduct.retry_budget if layer in ("http", "http2") else None
        if layer != "http":
            # A port may be relayed to as it is by one route, and be reached through TLS by another.
            name = f"{name}/{'tls' if layer == 'tcp' and security is not None else layer}"
        cluster = Cluster(name, protocol, kept, tls=security, retry_budget=budget)
        problem = None
        if len(kept) < len(endpoints):
            hosts = ", ".join(f"{e.host}:{e.port}" for e in endpoints if e not in kept)
            message = f"{ref.kind} {ref.namespace}/{ref.name}: connections to {hosts} are denied on this appliance"
            problem = Problem("RefNotPermitted", message)
        session = conduct.session if layer in ("http", "http2") else None
        return Resolution(Answer(cluster.name, problem, session), cluster)
