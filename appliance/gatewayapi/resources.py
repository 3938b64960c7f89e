"""The objects that the translator reads: parsed JSON with the few fields everybody needs, and indexes over them.

A `Resource` stays the same Python object for as long as its content (without status and managedFields) does; that
identity is what every memo of the translator goes by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

Json = Mapping[str, Any]

GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
X_GROUP: Final = "gateway.networking.x-k8s.io"
GATEHOUSE_GROUP: Final = "gatehouse.dev"
SERVICE_NAME_LABEL: Final = "kubernetes.io/service-name"

GROUPS: Final[Mapping[str, str]] = {
    "GatewayClass": GATEWAY_GROUP,
    "Gateway": GATEWAY_GROUP,
    "ListenerSet": GATEWAY_GROUP,
    "HTTPRoute": GATEWAY_GROUP,
    "GRPCRoute": GATEWAY_GROUP,
    "TLSRoute": GATEWAY_GROUP,
    "TCPRoute": GATEWAY_GROUP,
    "UDPRoute": GATEWAY_GROUP,
    "ReferenceGrant": GATEWAY_GROUP,
    "BackendTLSPolicy": GATEWAY_GROUP,
    "XBackendTrafficPolicy": X_GROUP,
    "XBackend": X_GROUP,
    "XMesh": X_GROUP,
    "Backend": GATEHOUSE_GROUP,
    "Service": "",
    "EndpointSlice": "discovery.k8s.io",
    "Secret": "",
    "ConfigMap": "",
    "Namespace": "",
    "CustomResourceDefinition": "apiextensions.k8s.io",
}
"""Every kind that the translator reads, with its group."""


class Key(NamedTuple):
    """Which object. kind is a key of GROUPS; namespace is "" for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def grant_topic(namespace: str) -> Key:
    """What changes when any ReferenceGrant of a namespace does."""
    return Key("ReferenceGrant", namespace, "")


def namespace_key(name: str) -> Key:
    """Of the Namespace object."""
    return Key("Namespace", "", name)


_JOURNAL_LIMIT: Final = 50_000
_POLICIES: Final = ("BackendTLSPolicy", "XBackendTrafficPolicy")


class Resource:
    """One object. body is the whole of it as JSON and is never written to; compares by identity.

    before: of a Secret without a usable pair, what it was when it last had one, in the life of this process.
    """

    __slots__ = ("annotations", "before", "body", "created", "generation", "key", "labels", "spec")

    def __init__(self, key: Key, body: Json) -> None:
        metadata = body["metadata"]
        self.key = key
        self.body = body
        self.before: Resource | None = None
        self.generation: int = metadata.get("generation", 0)
        self.created: str = metadata.get("creationTimestamp") or ""
        self.labels: Mapping[str, str] = metadata.get("labels") or {}
        self.annotations: Mapping[str, str] = metadata.get("annotations") or {}
        self.spec: Json = body.get("spec") or {}

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def age(self) -> tuple[str, str]:
        """Sorts the older first, then by "NAMESPACE/NAME" as a text, "a-b/x" before "a/x": the API's way to settle
        ties."""
        return (self.created, f"{self.key.namespace}/{self.key.name}")

    def __repr__(self) -> str:
        return f"Resource({self.key})"


class Objects:
    """All objects by kind, with the indexes that references need. `put` and `remove` keep the indexes right."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_kind: dict[str, dict[Key, Resource]] = {kind: {} for kind in GROUPS}
        self._slices: dict[tuple[str, str], tuple[Resource, ...]] = {}
        self._grants: dict[str, tuple[Resource, ...]] = {}
        self._policies: dict[tuple[str, Key], tuple[Resource, ...]] = {}
        self._trusting: dict[Key, tuple[Resource, ...]] = {}
        self._journal: list[Key] = []
        self._journal_start = 0
        for resource in resources:
            self.put(resource)

    def put(self, resource: Resource) -> None:
        """Add a resource, or take it in place of the one with the same key."""
        self.remove(resource.key)
        self._by_kind[resource.key.kind][resource.key] = resource
        self._note(resource)
        for index, entry in self._entries(resource):
            index[entry] = tuple(sorted((*index.get(entry, ()), resource), key=lambda r: r.age))

    def remove(self, key: Key) -> None:
        """Forget a resource; an unknown key is no error."""
        resource = self._by_kind[key.kind].pop(key, None)
        if resource is None:
            return
        self._note(resource)
        for index, entry in self._entries(resource):
            if left := tuple(r for r in index[entry] if r is not resource):
                index[entry] = left
            else:
                del index[entry]

    @property
    def position(self) -> int:
        """Grows with every change."""
        return self._journal_start + len(self._journal)

    def topics_since(self, position: int) -> frozenset[Key] | None:
        """What changed since a position, as topics: keys of objects, and of what others say about objects (a Service
        for its EndpointSlices, targets for a policy and for what it trusts, `grant_topic`). None: nobody knows."""
        if position < self._journal_start:
            return None
        return frozenset(self._journal[position - self._journal_start :])

    def _note(self, resource: Resource) -> None:
        self._journal.append(resource.key)
        match resource.key.kind:
            case "EndpointSlice":
                if service := resource.labels.get(SERVICE_NAME_LABEL):
                    self._journal.append(Key("Service", resource.namespace, service))
            case "ReferenceGrant":
                self._journal.append(grant_topic(resource.namespace))
            case "BackendTLSPolicy" | "XBackendTrafficPolicy":
                self._journal += _targets(resource)
            case "ConfigMap" | "Secret":
                for trusting in self._trusting.get(resource.key, ()):
                    self._journal += _targets(trusting) if trusting.key.kind == "BackendTLSPolicy" else [trusting.key]
        if len(self._journal) > 2 * _JOURNAL_LIMIT:
            self._journal_start += len(self._journal) - _JOURNAL_LIMIT
            del self._journal[:-_JOURNAL_LIMIT]

    def get(self, kind: str, namespace: str, name: str) -> Resource | None:
        return self._by_kind[kind].get(Key(kind, namespace, name))

    def of(self, kind: str) -> Mapping[Key, Resource]:
        """All resources of a kind, in no particular order."""
        return self._by_kind[kind]

    def oldest_first(self, kind: str) -> list[Resource]:
        return sorted(self._by_kind[kind].values(), key=lambda r: r.age)

    def slices(self, namespace: str, service: str) -> tuple[Resource, ...]:
        """The EndpointSlices of a Service; the same tuple object until one of them changes."""
        return self._slices.get((namespace, service), ())

    def grants(self, namespace: str) -> tuple[Resource, ...]:
        """The ReferenceGrants in a namespace."""
        return self._grants.get(namespace, ())

    def policies(self, target: Key, kind: str = "BackendTLSPolicy") -> tuple[Resource, ...]:
        """The policies of a kind that target a Service or another backend, oldest first."""
        return self._policies.get((kind, target), ())

    def _entries(self, resource: Resource) -> Iterator[tuple[dict[Any, tuple[Resource, ...]], Any]]:
        kind, namespace, _ = resource.key
        if kind == "EndpointSlice":
            if service := resource.labels.get(SERVICE_NAME_LABEL):
                yield self._slices, (namespace, service)
        elif kind == "ReferenceGrant":
            yield self._grants, namespace
        elif kind in _POLICIES:
            for target in _targets(resource):
                yield self._policies, (kind, target)
            for trusted in _trusted(resource, resource.spec):
                yield self._trusting, trusted
        elif kind == "XBackend":
            for trusted in _trusted(resource, resource.spec.get("tls") or {}):
                yield self._trusting, trusted


def _trusted(resource: Resource, holder: Json) -> list[Key]:
    """What a validation takes its authorities from, each once; holder: the part of the resource that has it."""
    refs = (holder.get("validation") or {}).get("caCertificateRefs") or ()
    return sorted({Key(ref["kind"], resource.namespace, ref["name"]) for ref in refs})


def _targets(policy: Resource) -> list[Key]:
    """What a policy targets, each once."""
    refs = policy.spec.get("targetRefs") or ()
    return sorted({Key(ref["kind"], policy.namespace, ref["name"]) for ref in refs})
