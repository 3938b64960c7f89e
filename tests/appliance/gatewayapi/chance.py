"""Objects that fit together now and then: made, changed and removed at random, of every kind that is translated."""

from __future__ import annotations

import random
from base64 import b64encode
from typing import Any

from appliance.gatewayapi.resources import (
    GATEHOUSE_GROUP,
    GATEWAY_GROUP,
    SERVICE_NAME_LABEL,
    X_GROUP,
    Key,
    Objects,
    Resource,
)
from tests.golden.certificates import pair

NAMESPACES = ("one", "two")
NAMES = ("a", "b")
KINDS = (
    *("Gateway", "Gateway", "ListenerSet", "HTTPRoute", "HTTPRoute", "GRPCRoute", "GRPCRoute", "TCPRoute", "UDPRoute"),
    *("TLSRoute", "Service", "Service", "EndpointSlice", "Backend", "XBackend", "ReferenceGrant", "ReferenceGrant"),
    *("Namespace", "BackendTLSPolicy", "XBackendTrafficPolicy", "ConfigMap", "Secret"),
)
GRANTED = {"Service": "", "Secret": "", "ConfigMap": "", "Backend": GATEHOUSE_GROUP, "XBackend": X_GROUP}
REFERRERS = ("HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute", "Gateway", "ListenerSet")
Json = dict[str, Any]


def resource(kind: str, namespace: str, name: str, spec: Json, **more: Any) -> Resource:
    """more: labels, created; and what stands beside the spec."""
    metadata = {"name": name, "namespace": namespace, "generation": 1, "labels": more.pop("labels", {})}
    metadata["creationTimestamp"] = more.pop("created", "2026")
    return Resource(Key(kind, namespace, name), {"metadata": metadata, "spec": spec, **more})


class Chance:
    """The same seed, the same changes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, *values: Any) -> Any:
        return self._random.choice(values)

    def one_in(self, count: int) -> bool:
        return self._random.randrange(count) == 0

    def some(self, *values: Any) -> list[Any]:
        """Most of them, and one at least."""
        return [value for value in values if not self.one_in(3)] or [values[0]]

    def key(self, kind: str) -> Key:
        return Key(kind, self.pick(*NAMESPACES), self.pick(*NAMES))

    def change(self, objects: Objects) -> None:
        """Make, change or remove one object."""
        kind = self.pick(*KINDS)
        key = self.key(kind) if kind != "Namespace" else Key(kind, "", self.pick(*NAMESPACES))
        if self.one_in(5):
            objects.remove(key)
        else:
            objects.put(getattr(self, f"make_{kind.lower()}")(key))

    def resource(self, key: Key, spec: Json, **more: Any) -> Resource:
        """Of any age."""
        return resource(*key, spec, created=self.pick("2026-01", "2026-02"), **more)

    # What Gateways and ListenerSets say

    def _namespaces(self) -> Json:
        selector = {"matchLabels": {"team": "blue"}}
        return {"namespaces": {"from": self.pick("All", "All", "All", "Same", "Selector"), "selector": selector}}

    def _tls(self) -> Json:
        refs = [{"name": self.pick(*NAMES), "namespace": self.pick(*NAMESPACES)} for _ in range(self.pick(1, 1, 2))]
        return {"mode": "Terminate", "certificateRefs": refs}

    def _listener(self, name: str, ports: tuple[int, ...], protocol: str, *hostnames: str, **more: Any) -> Json:
        listener = {"name": name, "port": self.pick(*ports), "protocol": protocol, **more}
        return {**listener, "hostname": self.pick("", *hostnames), "allowedRoutes": self._namespaces()}

    def make_gateway(self, key: Key) -> Resource:
        ended, relayed = self._tls(), {"mode": "Passthrough"}
        listeners = self.some(
            self._listener("web", (80, 81), "HTTP", "*.a.com", "a.com"),
            self._listener("also", (80, 81), "HTTP", "b.a.com"),
            self._listener("raw", (81, 82, 83), self.pick("TCP", "UDP")),
            self._listener("safe", (443,), "HTTPS", "*.a.com", tls=ended),
            self._listener("tls", (443, 444), "TLS", "t.com", "*.t.com", tls=self.pick(ended, relayed)),
        )
        ref = {"group": "", "kind": "ConfigMap", "name": self.pick(*NAMES), "namespace": self.pick(*NAMESPACES)}
        tls = {
            "frontend": {"default": {"validation": {"caCertificateRefs": [ref]}}},
            "backend": {"clientCertificateRef": {"name": self.pick(*NAMES), "namespace": self.pick(*NAMESPACES)}},
        }
        spec = {"gatewayClassName": "gatehouse", "listeners": listeners, "defaultScope": self.pick("All", "None")}
        more = {"tls": tls} if self.one_in(3) else {}
        return self.resource(key, {**spec, **more, "allowedListeners": self._namespaces()})

    def make_listenerset(self, key: Key) -> Resource:
        listeners = self.some(
            self._listener("web", (80, 84), "HTTP", "a.com", "c.com"),
            self._listener("raw", (82, 84), "TCP"),
            self._listener("safe", (443,), "HTTPS", "c.com", tls=self._tls()),
        )
        parent = {"name": self.pick(*NAMES), "namespace": self.pick(*NAMESPACES)}
        return self.resource(key, {"parentRef": parent, "listeners": listeners})

    # What routes say

    def _backend(self, namespace: str) -> Json:
        ref = {"name": self.pick(*NAMES), "namespace": self.pick(*NAMESPACES, namespace)}
        kind = self.pick("Service", "Service", "Backend", "XBackend")
        return {**ref, "group": GRANTED[kind], "kind": kind, **({"port": 80} if kind == "Service" else {})}

    def _filters(self, namespace: str) -> list[Json]:
        mirror = {"backendRef": self._backend(namespace)}
        named = {"set": [{"name": "x", "value": self.pick("1", "2")}]}
        entries = (
            {"type": "RequestMirror", "requestMirror": mirror},
            {"type": "RequestHeaderModifier", "requestHeaderModifier": named},
            {"type": "ExtensionRef", "extensionRef": {}},
        )
        return [entry for entry in entries if self.one_in(4)]

    def _rule(self, namespace: str, *matches: Json) -> Json:
        refs = [{**self._backend(namespace), "weight": self.pick(0, 1, 2)} for _ in range(self.pick(1, 2))]
        rule = {"backendRefs": refs}
        if not matches:
            return rule
        return {**rule, "matches": self.some(*matches), "filters": self._filters(namespace)}

    def _route(self, key: Key, *rules: Json, hostnames: Any = ()) -> Resource:
        parents = [self.key("Gateway"), self.key(self.pick("Gateway", "ListenerSet"))]
        refs: list[Json] = [{"kind": p.kind, "name": p.name, "namespace": p.namespace} for p in dict.fromkeys(parents)]
        if self.one_in(3):
            refs[0]["sectionName"] = self.pick("web", "raw", "safe", "tls")
        if self.one_in(4):
            refs[-1]["port"] = self.pick(80, 81, 443)
        spec = {"parentRefs": refs, "hostnames": list(hostnames), "rules": list(rules)}
        return self.resource(key, {**spec, "useDefaultGateways": self.pick("All", "None", "None")})

    def make_httproute(self, key: Key) -> Resource:
        paths = ({"type": self.pick("PathPrefix", "Exact"), "value": value} for value in ("/", "/x", "/x/y"))
        matches = [{"path": path, "method": self.pick("GET", None)} for path in paths]
        rules = [self._rule(key.namespace, *matches) for _ in range(self.pick(1, 2))]
        if self.one_in(4):
            rules[0]["sessionPersistence"] = {"sessionName": self.pick("s", "t")}
        hostnames = self.pick([], ["a.com"], ["b.a.com", "*.a.com"], ["*.com", "c.com"])
        return self._route(key, *rules, hostnames=hostnames)

    def make_grpcroute(self, key: Key) -> Resource:
        rule = self._rule(key.namespace, *({"method": {"service": service}} for service in ("a.B", "a.C")))
        return self._route(key, rule, hostnames=self.pick([], ["a.com"], ["b.a.com"]))

    def make_tlsroute(self, key: Key) -> Resource:
        return self._route(key, self._rule(key.namespace), hostnames=self.pick(["t.com"], ["*.t.com", "a.com"]))

    def make_tcproute(self, key: Key) -> Resource:
        return self._route(key, self._rule(key.namespace))

    make_udproute = make_tcproute

    # What they refer to

    def make_service(self, key: Key) -> Resource:
        speaks = self.pick("", "kubernetes.io/h2c", "https", "mongo")
        port = {"port": 80, "name": self.pick("web", "x"), "protocol": self.pick("TCP", "TCP", "UDP")}
        return self.resource(key, {"ports": [{**port, "appProtocol": speaks}, {"port": 81, "name": "y"}]})

    def make_endpointslice(self, key: Key) -> Resource:
        labels = {SERVICE_NAME_LABEL: self.pick(*NAMES)}
        endpoints = [{"addresses": [self.pick("10.0.0.1", "10.0.0.2")], "conditions": {"ready": not self.one_in(4)}}]
        ports = [{"name": self.pick("web", "x"), "port": self.pick(8080, 8081)}]
        return self.resource(key, {}, labels=labels, ports=ports, endpoints=endpoints)

    def make_backend(self, key: Key) -> Resource:
        return self.resource(key, {"endpoints": [{"ip": self.pick("10.1.0.1", "10.1.0.2"), "port": 9}]})

    def make_xbackend(self, key: Key) -> Resource:
        ref = {"group": "", "kind": "ConfigMap", "name": self.pick(*NAMES)}
        tls = {"mode": "ServerOnly", "validation": {"hostname": "x.test", "caCertificateRefs": [ref]}}
        host = {"type": "ExternalHostname", "externalHostname": {"hostname": self.pick("x.test", "y.test")}}
        spec = {**host, "port": {"port": 443}, "protocol": self.pick("HTTP", "HTTP2", "TCP")}
        return self.resource(key, {**spec, "tls": self.pick({}, tls)})

    def make_referencegrant(self, key: Key) -> Resource:
        sources = [
            {"group": GATEWAY_GROUP, "kind": self.pick(*REFERRERS), "namespace": self.pick(*NAMESPACES)}
            for _ in range(3)
        ]
        kind = self.pick(*GRANTED)
        named = {"name": self.pick(*NAMES)} if self.one_in(3) else {}
        return self.resource(key, {"from": sources, "to": [{"group": GRANTED[kind], "kind": kind, **named}]})

    def make_namespace(self, key: Key) -> Resource:
        return self.resource(key, {}, labels={"team": self.pick("blue", "red")})

    def make_backendtlspolicy(self, key: Key) -> Resource:
        target = {"group": "", "kind": "Service", "name": self.pick(*NAMES)}
        if self.one_in(2):
            target["sectionName"] = self.pick("web", "x", "y")
        refs = [{"group": "", "kind": "ConfigMap", "name": self.pick(*NAMES)} for _ in range(self.pick(1, 2))]
        validation = {"hostname": self.pick("a.com", "b.com"), "caCertificateRefs": refs}
        return self.resource(key, {"targetRefs": [target], "validation": validation})

    def make_xbackendtrafficpolicy(self, key: Key) -> Resource:
        kind = self.pick("Service", "Backend")
        target = {"group": GRANTED[kind], "kind": kind, "name": self.pick(*NAMES)}
        budget = {"retryConstraint": {"budget": {"percent": self.pick(10, 20)}}}
        session = {"sessionPersistence": {"sessionName": self.pick("q", "w")}}
        return self.resource(key, {"targetRefs": [target], **self.pick(budget, session)})

    def make_secret(self, key: Key) -> Resource:
        certificate, secret = pair([self.pick("one", "two")])
        foreign = pair(["three"])[1]
        keys = self.pick(secret, secret, foreign)
        data = {"tls.crt": b64encode(certificate).decode(), "tls.key": b64encode(keys).decode()}
        return self.resource(key, {}, data=self.pick(data, data, {}))

    def make_configmap(self, key: Key) -> Resource:
        text = self.pick("", *(pair([name])[0].decode() for name in ("one", "two")))
        return self.resource(key, {}, data={"ca.crt": text})
