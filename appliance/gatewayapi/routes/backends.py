"""The weighted backendRefs of a rule, for every kind of route."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from appliance.gatewayapi.clusters import Answer, BackendRef
from appliance.gatewayapi.filters.chain import ON_BACKENDS, filter_chain
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.routes.compiled import Resolve
from appliance.gatewayapi.sessions import shared
from proxy.snapshot.routes import Refusal, WeightedBackend


class Backends(NamedTuple):
    """backends in their order; unresolved: the problems of references; invalid: why a filter cannot be honoured."""

    backends: tuple[WeightedBackend, ...]
    unresolved: list[Problem]
    invalid: Problem | None


def weighted_backends(
    route: Resource,
    label: str,
    refs: Sequence[Json],
    resolve: Resolve,
    *,
    filters: Iterable[str] = ON_BACKENDS,
    relayed: bool = False,
) -> Backends:
    """The backendRefs of the rule `label`. filters: the types that they may have.

    A backend that does not resolve keeps its share, and what falls to it is refused (Gateway API: BackendRefs).
    """
    backends: list[WeightedBackend] = []
    unresolved: list[Problem] = []
    invalid: Problem | None = None

    def refer(ref: Json, speaks: str) -> Answer:
        return resolve(BackendRef.read(ref, route.key.kind, route.namespace, relayed=False, speaks=speaks))

    for ref in refs:
        answer = resolve(BackendRef.read(ref, route.key.kind, route.namespace, relayed=relayed))
        if answer.problem is not None:
            unresolved.append(answer.problem)
        chain = filter_chain(ref.get("filters") or (), refer, only=filters)
        unresolved += chain.unresolved
        target = answer.target
        if chain.invalid is not None:
            invalid = invalid or chain.invalid
            target = Refusal(500, "unsupported_filter")
        weight = ref.get("weight")
        session = answer.session and shared(answer.session, f"{route.key}/{label}")
        backends.append(WeightedBackend(1 if weight is None else weight, target, chain.filters, session))
    return Backends(tuple(backends), unresolved, invalid)
