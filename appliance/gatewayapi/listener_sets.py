"""ListenerSets: which Gateway each adds its Listeners to, and whether that Gateway lets it (GEP-1713)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.gatewayapi.listeners import ListenerPlan
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key, Objects, Resource, namespace_key
from appliance.gatewayapi.selectors import selects


@dataclass(frozen=True, slots=True)
class ListenerSetPlan:
    """A ListenerSet that names a Gateway of ours. refused: why the Gateway does not take it; then it has no Listeners
    as far as anybody is concerned."""

    resource: Resource
    listeners: tuple[ListenerPlan, ...]
    refused: Problem | None


def parent_gateway(listener_set: Resource) -> Key | None:
    """The Gateway that it names; None: it names something else."""
    ref = listener_set.spec.get("parentRef") or {}
    if (ref.get("group", GATEWAY_GROUP), ref.get("kind", "Gateway")) != (GATEWAY_GROUP, "Gateway"):
        return None
    return Key("Gateway", ref.get("namespace") or listener_set.namespace, ref.get("name", ""))


def by_gateway(listener_sets: Iterable[Resource]) -> Mapping[Key, Sequence[Resource]]:
    """The ListenerSets of each Gateway, in the order in which they come."""
    found: dict[Key, list[Resource]] = defaultdict(list)
    for listener_set in listener_sets:
        if (gateway := parent_gateway(listener_set)) is not None:
            found[gateway].append(listener_set)
    return found


def refusal(listener_set: Resource, gateway: Resource, objects: Objects) -> Problem | None:
    """Why the Gateway does not allow it (AllowedListeners); it allows none unless it says so."""
    namespaces = (gateway.spec.get("allowedListeners") or {}).get("namespaces") or {}
    match namespaces.get("from") or "None":
        case "All":
            return None
        case "Same" if listener_set.namespace == gateway.namespace:
            return None
        case "Selector":
            namespace = objects.get(*namespace_key(listener_set.namespace))
            if selects(namespaces.get("selector") or {}, namespace.labels if namespace else {}):
                return None
    message = f"{gateway.key} allows no ListenerSets from namespace {listener_set.namespace}"
    return Problem("NotAllowed", message)
