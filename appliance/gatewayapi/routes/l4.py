"""TCPRoute, UDPRoute and TLSRoute: one rule, a weighted choice of backends."""

from __future__ import annotations

from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Resource
from appliance.gatewayapi.routes.backends import weighted_backends
from appliance.gatewayapi.routes.compiled import Forwarding, Resolve, Verdicts
from proxy.snapshot.routes import Forward


def compile_l4(route: Resource, resolve: Resolve, *, relayed: bool = False) -> Forwarding:
    """The forward of the first rule; further rules have no match of their own and could never be chosen.

    relayed: clients' TLS is passed on as it is, so that nothing travels in plain text.
    """
    rules = route.spec.get("rules") or [{}]
    label = rules[0].get("name") or "0"
    backends, unresolved, _ = weighted_backends(
        route, label, rules[0].get("backendRefs") or (), resolve, relayed=relayed
    )
    message = f"{route.key.kind} rules have no matches: only the first is used"
    invalid = tuple(
        (rule.get("name") or str(index), Problem("UnsupportedValue", message))
        for index, rule in enumerate(rules[1:], start=1)
    )
    forward = Forward(f"{route.namespace}/{route.name}", label, backends)
    return Forwarding(forward, Verdicts(len(rules), tuple(unresolved), invalid))
