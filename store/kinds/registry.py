"""Which kinds are served: the built-in ones, and those that CustomResourceDefinitions installed over or beside them."""

from __future__ import annotations

from store.kinds import (
    admission,
    apiextensions,
    backendtlspolicy,
    coordination,
    core,
    discovery,
    event,
    experimental,
    gatehouse,
    gateway,
    gatewayclass,
    grpcroute,
    httproute,
    listenerset,
    referencegrant,
    service,
    tcproute,
    tlsroute,
    udproute,
    workloads,
)
from store.kinds.kind import Kind

BUILT_IN: tuple[Kind, ...] = (
    core.NAMESPACE,
    core.CONFIG_MAP,
    core.SECRET,
    service.SERVICE,
    event.EVENT,
    discovery.ENDPOINT_SLICE,
    coordination.LEASE,
    apiextensions.CUSTOM_RESOURCE_DEFINITION,
    admission.VALIDATING_ADMISSION_POLICY,
    admission.VALIDATING_ADMISSION_POLICY_BINDING,
    gatewayclass.GATEWAY_CLASS,
    gateway.GATEWAY,
    httproute.HTTP_ROUTE,
    grpcroute.GRPC_ROUTE,
    tlsroute.TLS_ROUTE,
    tcproute.TCP_ROUTE,
    udproute.UDP_ROUTE,
    listenerset.LISTENER_SET,
    referencegrant.REFERENCE_GRANT,
    backendtlspolicy.BACKEND_TLS_POLICY,
    experimental.X_BACKEND,
    experimental.X_BACKEND_TRAFFIC_POLICY,
    experimental.X_MESH,
    gatehouse.MANIFEST_FILE,
    gatehouse.BACKEND,
)

_WORKLOADS = {(kind.group, kind.plural): kind for kind in workloads.WORKLOADS}
NO_WORKLOADS = (
    "Gatehouse runs no workloads: {plural} are served only with --serve-workloads, for another program to run."
)


class Registry:
    """A set of kinds that changes as definitions come and go. Belongs to one event loop."""

    def __init__(self, built_in: tuple[Kind, ...]) -> None:
        self._built_in = {(kind.group, kind.plural): kind for kind in built_in}
        self._installed: dict[tuple[str, str], Kind] = {}
        self.version = 0
        self._changed()

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds, built-in ones first. An installed one stands where it replaces a built-in one."""
        return self._kinds

    def find(self, group: str, plural: str) -> Kind | None:
        """The kind of a URL."""
        return self._by_plural.get((group, plural))

    def of_objects(self, group: str, plural: str) -> Kind | None:
        """The kind of stored objects: also of those that are left of a time when workloads were served."""
        return self.find(group, plural) or _WORKLOADS.get((group, plural))

    def by_name(self, group: str, kind_name: str) -> Kind | None:
        """The kind of an object's apiVersion and kind."""
        return self._by_name.get((group, kind_name))

    def install(self, kind: Kind) -> None:
        """Serve a kind, in place of any other of its group and plural."""
        if self._installed.get((kind.group, kind.plural)) != kind:
            self._installed[kind.group, kind.plural] = kind
            self._changed()

    def remove(self, group: str, plural: str) -> None:
        """Serve an installed kind no more. A built-in one of the same name comes back; built-in ones always stay."""
        if self._installed.pop((group, plural), None) is not None:
            self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._by_plural = self._built_in | self._installed
        self._kinds = tuple(self._by_plural.values())
        self._by_name = {(kind.group, kind.name): kind for kind in self._kinds}


def builtin(*, serve_workloads: bool = False) -> Registry:
    """A registry with the built-in kinds. serve_workloads: those as well that somebody else must run."""
    return Registry((*BUILT_IN, *workloads.WORKLOADS) if serve_workloads else BUILT_IN)


def why_not_served(group: str, name: str) -> str:
    """Why a kind, by name or plural, is known but not served; "" for one that is not known."""
    known = (kind for kind in workloads.WORKLOADS if kind.group == group and name in (kind.name, kind.plural))
    return next((NO_WORKLOADS.format(plural=kind.plural) for kind in known), "")
