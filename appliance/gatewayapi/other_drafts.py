"""Statuses of what no Gateway carries: policies, XBackends, our own Backends, ListenerSets without a Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.gatewayapi import external_backends
from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.conditions import Condition, bad, judged
from appliance.gatewayapi.drafts import BackendDraft, Status
from appliance.gatewayapi.endpoints import backend_endpoints
from appliance.gatewayapi.gateways import GatewayPlans
from appliance.gatewayapi.listener_sets import parent_gateway
from appliance.gatewayapi.policies import backend_tls, traffic
from appliance.gatewayapi.policies.backend_tls import BackendTls
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.programmed import Reports, backend_status
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key, Objects, Resource
from appliance.gatewayapi.routes.table import RouteTable

_ANCESTOR_LIMIT = 16
_PARENTS_LIMIT = 32


def stray_statuses(plans: GatewayPlans) -> Iterator[Status]:
    """ListenerSets that name a Gateway that does not exist: whoever looks at them is told what they wait for."""
    for resource in plans.strays:
        message = f"{parent_gateway(resource)} does not exist"
        conditions = (
            bad("Accepted", Problem("ParentNotAccepted", message)),
            bad("Programmed", Problem("ParentNotProgrammed", message)),
        )
        bodies = [condition.body(resource.generation) for condition in conditions]
        yield Status(resource.key, resource.generation, {"conditions": bodies, "listeners": []})


def policy_statuses(policies: BackendTls, objects: Objects, table: RouteTable) -> Iterator[Status]:
    """A policy answers to every Gateway through which a route reaches one of its targets (GEP-713)."""
    for policy in objects.of("BackendTLSPolicy").values():
        if ancestors := _ancestors(backend_tls.targets(policy), table):
            yield _policy_status(policy, ancestors, policies.conditions(policy))
    for policy in objects.of(traffic.KIND).values():
        if ancestors := _ancestors(traffic.targets(policy), table):
            yield _policy_status(policy, ancestors, traffic.conditions(policy, objects))


def _ancestors(targets: Iterable[Key], table: RouteTable) -> list[tuple[str, str]]:
    """Those of routes that are attached there and whose traffic a policy can touch."""
    found = {
        (parent.gateway.namespace, parent.gateway.name)
        for target in targets
        for record in table.users(target)
        if any(ref.key == target and ref.opened for ref, _ in record.answers)
        for parent in record.attached
    }
    return sorted(found)[:_ANCESTOR_LIMIT]


def _policy_status(policy: Resource, ancestors: Iterable[tuple[str, str]], conditions: Iterable[Condition]) -> Status:
    entries = [
        {
            "ancestorRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": namespace, "name": name},
            "controllerName": CONTROLLER_NAME,
            "conditions": [condition.body(policy.generation) for condition in conditions],
        }
        for namespace, name in ancestors
    ]
    return Status(policy.key, policy.generation, {"ancestors": entries})


def external_statuses(policies: BackendTls, objects: Objects, table: RouteTable) -> Iterator[Status]:
    """An XBackend answers to every Gateway through which a route reaches it."""
    for backend in objects.of(external_backends.KIND).values():
        gateways = {p.gateway[1:] for record in table.users(backend.key) for p in record.attached}
        if gateways:
            read = external_backends.read(backend, policies)
            conditions = (judged("Accepted", read.problem), judged("ResolvedRefs", read.unresolved))
            parents = [
                {
                    "parentRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": namespace, "name": name},
                    "controllerName": CONTROLLER_NAME,
                    "conditions": [condition.body(backend.generation) for condition in conditions],
                }
                for namespace, name in sorted(gateways)[:_PARENTS_LIMIT]
            ]
            yield Status(backend.key, backend.generation, {"parents": parents})


class BackendTable:
    """All Backends, kept from one translation to the next. finished: those without names; waiting: the others."""

    def __init__(self) -> None:
        self.finished: dict[Key, Status] = {}
        self.waiting: dict[Key, BackendDraft] = {}

    def update(self, objects: Objects, topics: Iterable[Key] | None) -> set[Key]:
        """Look again at those among the topics, None: at all. Returns whose status or draft is another, or gone."""
        backends = objects.of("Backend")
        if topics is None:
            keys = {*backends, *self.finished, *self.waiting}
        else:
            keys = {topic for topic in topics if topic.kind == "Backend"}
        for key in keys:
            self.finished.pop(key, None)
            self.waiting.pop(key, None)
            if (backend := backends.get(key)) is not None:
                draft = _backend_draft(backend)
                if draft.names:
                    self.waiting[key] = draft
                else:
                    self.finished[key] = backend_status(draft, Reports())
        return keys


def _backend_draft(backend: Resource) -> BackendDraft:
    endpoints, fault = backend_endpoints(backend, ref_port=1)  # a port may come from the reference
    return BackendDraft(backend.key, backend.generation, endpoints, Problem("Invalid", fault) if fault else None)
