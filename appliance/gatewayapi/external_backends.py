"""XBackend: a host outside, with the protocol and the TLS that it wants (gateway.networking.x-k8s.io/v1alpha1).

TLS is asked for by the backend itself and not by a policy; what is wrong with it never makes its traffic plain.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from appliance.gatewayapi.policies.backend_tls import BackendTls
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json, Resource
from proxy.snapshot.clusters import Endpoint, Protocol, UpstreamTls

KIND: Final = "XBackend"

_SPOKEN: Final[dict[str, dict[str, Protocol]]] = {
    "http": {"": "http", "HTTP": "http", "HTTP11": "http", "HTTP2": "http2", "H2C": "http2"},
    "http2": {"": "http2", "HTTP": "http2", "HTTP2": "http2", "H2C": "http2"},
    "tcp": {"": "tcp", "TCP": "tcp"},
}
"""By layer (see `clusters.LAYERS`): spec.protocol, "" for none, to what is spoken; anything else cannot be."""


class External(NamedTuple):
    """What a backend says. problem: why it cannot be reached as it should, whoever refers to it.

    unresolved: for ResolvedRefs; there can be one although the backend can be reached.
    """

    endpoint: Endpoint
    protocol: str
    tls: UpstreamTls | None = None
    problem: Problem | None = None
    unresolved: Problem | None = None

    def spoken(self, layer: str) -> Protocol | None:
        """What is spoken with it at a layer; None: nothing that this version carries."""
        return _SPOKEN.get(layer, {}).get(self.protocol)


def read(backend: Resource, policies: BackendTls) -> External:
    """policies: know how to read validations."""
    spec = backend.spec
    hostname = ((spec.get("externalHostname") or {}).get("hostname") or "").rstrip(".").lower()
    protocol = spec.get("protocol") or ""
    external = External(Endpoint("name", hostname, spec["port"]["port"]), protocol)
    if spec["type"] != "ExternalHostname":
        return external._replace(problem=Problem("Unsupported", f"type {spec['type']} is not supported"))
    if not any(protocol in known for known in _SPOKEN.values()):
        return external._replace(problem=Problem("Unsupported", f"protocol {protocol} is not supported"))
    return _secured(external, backend, spec.get("tls") or {}, policies)


def _secured(external: External, backend: Resource, tls: Json, policies: BackendTls) -> External:
    match tls.get("mode") or "None":
        case "None":
            return external
        case "ServerOnly" if external.protocol == "H2C":
            problem = Problem("Invalid", "protocol H2C is HTTP/2 without TLS, and tls.mode asks for TLS; use HTTP2")
            return external._replace(problem=problem)
        case "ServerOnly":
            validation = tls.get("validation") or {"wellKnownCACertificates": "System"}
            validation = {"hostname": external.endpoint.host, **validation}
            reading = policies.read_validation(backend, validation)
            return external._replace(tls=reading.tls, problem=reading.problem, unresolved=reading.unresolved)
        case mode:
            message = (
                f"tls.mode {mode} is not supported: a client certificate can be shown for a whole Gateway, "
                "by its spec.tls.backend"
            )
            return external._replace(problem=Problem("Unsupported", message))
