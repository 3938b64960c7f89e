"""A route as translated, made of the old one wherever nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.gatewayapi.attachment import (
    Attachment,
    Parent,
    Parents,
    attach,
    parent_of,
    parent_refs,
    parent_topics,
    without,
)
from appliance.gatewayapi.clusters import Answer, BackendRef, Clusters
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.resources import Key, Objects, Resource, grant_topic, namespace_key
from appliance.gatewayapi.routes.compiled import CompiledRoute, HttpRules, Resolve, Unserved
from appliance.gatewayapi.routes.grpc import compile_grpc
from appliance.gatewayapi.routes.http import compile_http
from appliance.gatewayapi.routes.l4 import compile_l4
from appliance.gatewayapi.routes.status import rejection, route_status
from proxy.snapshot.routes import HttpAction, HttpRule

COMPILERS: Final[Mapping[str, Callable[[Resource, Resolve, Attachment], CompiledRoute]]] = {
    "HTTPRoute": lambda route, resolve, _: compile_http(route, resolve),
    "TLSRoute": lambda route, resolve, attachment: compile_l4(route, resolve, relayed=attachment.relayed),
    "TCPRoute": lambda route, resolve, _: compile_l4(route, resolve),
    "UDPRoute": lambda route, resolve, _: compile_l4(route, resolve),
    "GRPCRoute": lambda route, resolve, _: compile_grpc(route, resolve),
}


@dataclass(frozen=True, slots=True, eq=False)
class RouteRecord:
    """A route as translated, with everything that went in. status None: no parentRef is ours.

    candidates: what it would attach to if no other route stood in the way; winners: those that do, by listener key.
    """

    route: Resource
    answers: tuple[tuple[BackendRef, Answer], ...]
    compiled: CompiledRoute
    parents: tuple[Parent | None, ...]
    namespace: Resource | None
    candidates: tuple[tuple[str, tuple[str, ...]], ...]
    winners: Mapping[str, Key]
    attachment: Attachment
    status: Status | None

    @property
    def accepted(self) -> bool:
        """Whether its rules do not stand in the way; its parents may."""
        return rejection(self.compiled.verdicts) is None

    @property
    def attached(self) -> list[Parent]:
        """The parents of ours that it is accepted by."""
        own = [parent for parent in self.parents if parent is not None]
        pairs = zip(own, self.attachment.outcomes, strict=True)
        return [parent for parent, outcome in pairs if outcome.problem is None]

    def topics(self) -> set[Key]:
        """What it has to be looked at again for."""
        found = {self.route.key, namespace_key(self.route.namespace), *parent_topics(self.route)}
        for ref, _ in self.answers:
            found.add(Key(ref.kind, ref.namespace, ref.name))
            if ref.namespace != ref.route_namespace:
                found.add(grant_topic(ref.namespace))
        return found

    def targets(self) -> set[str]:
        """The clusters that its traffic may go to; of a route that nobody serves, none."""
        if not self.attachment.listeners:
            return set()
        return {answer.target for _, answer in self.answers if isinstance(answer.target, str)}


def record(
    route: Resource,
    objects: Objects,
    parents: Parents,
    clusters: Clusters,
    winners: Mapping[str, Key],
    kept: RouteRecord | None,
) -> RouteRecord:
    """The kept record, where everything that went into it is the same."""
    namespace = objects.get(*namespace_key(route.namespace))
    own = tuple(parent_of(ref, route, parents) for ref, _ in parent_refs(route, parents))
    same = kept is not None and kept.route is route and kept.parents == own and kept.namespace is namespace
    if same and kept is not None and kept.winners == winners:
        answers = [clusters.answer(ref) == answer for ref, answer in kept.answers]  # all of them: clusters may differ
        if all(answers):
            return kept
    asked: dict[BackendRef, Answer] = {}

    def resolve(ref: BackendRef) -> Answer:
        asked[ref] = clusters.answer(ref)
        return asked[ref]

    wanted = attach(route, parents, namespace.labels if namespace else {})
    attachment = without(wanted, winners)
    compiled = COMPILERS[route.key.kind](route, resolve, attachment) if attachment.outcomes else Unserved()
    if kept is not None:
        compiled = _keep(kept.compiled, compiled)
    status = route_status(route, attachment, compiled.verdicts) if attachment.outcomes else None
    if status is not None and kept is not None and kept.status is not None and _same(kept.status, status):
        status = kept.status
    return RouteRecord(
        route, tuple(asked.items()), compiled, own, namespace, wanted.listeners, winners, attachment, status
    )


def _same(one: Status, other: Status) -> bool:
    return (one.generation, one.body) == (other.generation, other.body)


def _keep(old: CompiledRoute, new: CompiledRoute) -> CompiledRoute:
    """The new route, made of the old objects wherever they are equal: what was compiled from them stays valid."""
    if not (isinstance(old, HttpRules) and isinstance(new, HttpRules)):
        return old if old == new else new
    if old.ranked == new.ranked:
        return old if old.verdicts == new.verdicts else HttpRules(old.ranked, new.verdicts)
    rules: dict[HttpRule, HttpRule] = {rule: rule for _, rule in old.ranked}
    actions: dict[HttpAction, HttpAction] = {rule.action: rule.action for _, rule in old.ranked}
    ranked = tuple(
        (rank, rules.get(rule) or HttpRule(rule.match, actions.get(rule.action, rule.action)))
        for rank, rule in new.ranked
    )
    return HttpRules(ranked, new.verdicts)
