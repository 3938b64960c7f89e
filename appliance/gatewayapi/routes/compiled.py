"""What a route means by itself, whatever it attaches to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.gatewayapi.clusters import Answer, BackendRef
from appliance.gatewayapi.precedence import Rank
from appliance.gatewayapi.problems import Problem
from proxy.snapshot.routes import Forward, HttpRule

Resolve = Callable[[BackendRef], Answer]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is wrong with a route. unresolved: for ResolvedRefs; invalid: (rule, problem) pairs of rules that cannot
    be carried and answer 500; rules: how many rules there are."""

    rules: int
    unresolved: tuple[Problem, ...] = ()
    invalid: tuple[tuple[str, Problem], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HttpRules:
    """An HTTPRoute or GRPCRoute: its rules, best first, each with its sort key. Compares by identity: it keys what is
    made of it."""

    ranked: tuple[tuple[Rank, HttpRule], ...]
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class Forwarding:
    """A TCPRoute, UDPRoute or TLSRoute: where everything goes."""

    forward: Forward
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class Unserved:
    """A route that names no parent of ours: nobody looks at it."""

    verdicts: Verdicts = Verdicts(0)


CompiledRoute = HttpRules | Forwarding | Unserved
