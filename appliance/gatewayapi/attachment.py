"""Which Listeners a route attaches to, and why not (Gateway API: ParentReference, AllowedRoutes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from appliance.gatewayapi.hostnames import route_hostnames
from appliance.gatewayapi.listeners import Admission
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import GATEWAY_GROUP, Json, Key, Resource
from appliance.gatewayapi.selectors import selects

PARENT_KINDS: Final = ("Gateway", "ListenerSet")
WITH_HOSTNAMES: Final = frozenset({"HTTPRoute", "TLSRoute", "GRPCRoute"})


@dataclass(frozen=True, slots=True)
class Parent:
    """A Gateway of ours, or a ListenerSet that adds to one, as routes see it.

    gateway: whose traffic it is; default_scope: which routes attach that ask for default Gateways; refused: why its
    Gateway does not take it, so that nothing can attach.
    """

    key: Key
    gateway: Key
    listeners: tuple[Admission, ...]
    default_scope: str = "None"
    refused: Problem | None = None


Parents = Mapping[Key, Parent]


@dataclass(frozen=True, slots=True)
class ParentOutcome:
    """One parentRef: as the status repeats it, with its defaults; problem: why the route is not accepted there.

    defaulted: the route did not name it, but asked for default Gateways; listeners: keys of those attached to.
    """

    ref: Mapping[str, Any]
    problem: Problem | None
    defaulted: bool = False
    listeners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """outcomes: one per parentRef to a parent of ours; listeners: keys, with the hostnames served there.

    relayed: every one of the listeners passes TLS on as it is.
    """

    outcomes: tuple[ParentOutcome, ...]
    listeners: tuple[tuple[str, tuple[str, ...]], ...]
    relayed: bool = False


DEFAULT_GATEWAYS: Final = Key("Gateway", "", "")
"""What changes when a default Gateway does."""


def parent_topics(route: Resource) -> set[Key]:
    """The parents that a route depends on, whether they are there or not."""
    found = {DEFAULT_GATEWAYS} if (route.spec.get("useDefaultGateways") or "None") != "None" else set()
    for ref in route.spec.get("parentRefs") or ():
        if ref.get("group", GATEWAY_GROUP) == GATEWAY_GROUP and (kind := ref.get("kind", "Gateway")) in PARENT_KINDS:
            found.add(Key(kind, ref.get("namespace") or route.namespace, ref["name"]))
    return found


def changed_parents(old: Parents, new: Parents) -> set[Key]:
    """The topics of what routes see otherwise than before."""
    if old is new:
        return set()
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    if any(parent and parent.default_scope != "None" for key in changed for parent in (old.get(key), new.get(key))):
        changed.add(DEFAULT_GATEWAYS)
    return changed


def parent_of(ref: Json, route: Resource, parents: Parents) -> Parent | None:
    """The Gateway or ListenerSet of ours that a parentRef names."""
    group, kind = ref.get("group", GATEWAY_GROUP), ref.get("kind", "Gateway")
    if group != GATEWAY_GROUP or kind not in PARENT_KINDS:
        return None
    return parents.get(Key(kind, ref.get("namespace") or route.namespace, ref["name"]))


def parent_refs(route: Resource, parents: Parents) -> list[tuple[Json, bool]]:
    """What the route names, and then the default Gateways where it asks for them (GEP-3793), each once; with whether
    it is such a default."""
    refs: list[tuple[Json, bool]] = [(ref, False) for ref in route.spec.get("parentRefs") or ()]
    if (scope := route.spec.get("useDefaultGateways") or "None") == "None":
        return refs
    named = [parent_of(ref, route, parents) for ref, _ in refs]
    defaults = [parent for _, parent in sorted(parents.items()) if parent.default_scope == scope]
    return refs + [({"namespace": p.key.namespace, "name": p.key.name}, True) for p in defaults if p not in named]


def attach(route: Resource, parents: Parents, labels: Mapping[str, str]) -> Attachment:
    """labels: of the route's namespace."""
    outcomes: list[ParentOutcome] = []
    listeners: dict[str, tuple[str, ...]] = {}
    for ref, defaulted in parent_refs(route, parents):
        parent = parent_of(ref, route, parents)
        if parent is None:
            continue
        attached = _listeners(ref, parent, route, labels)
        problem = attached if isinstance(attached, Problem) else None
        found = {} if isinstance(attached, Problem) else attached
        named = {"group": GATEWAY_GROUP, "kind": "Gateway", **ref}
        outcomes.append(ParentOutcome(named, problem, defaulted, tuple(found)))
        listeners.update(found)
    relayed = route.key.kind == "TLSRoute" and _all_relay(listeners, route, parents)
    return Attachment(tuple(outcomes), tuple(listeners.items()), relayed)


def without(attachment: Attachment, winners: Mapping[str, Key]) -> Attachment:
    """What is left where other routes stand in the way, by listener key (see `routes.exclusion`)."""
    if not winners:
        return attachment
    outcomes = [_without(outcome, winners) for outcome in attachment.outcomes]
    listeners = tuple((key, hosts) for key, hosts in attachment.listeners if key not in winners)
    return Attachment(tuple(outcomes), listeners, attachment.relayed)


def _without(outcome: ParentOutcome, winners: Mapping[str, Key]) -> ParentOutcome:
    left = tuple(key for key in outcome.listeners if key not in winners)
    if left or not outcome.listeners:
        return replace(outcome, listeners=left)
    names = ", ".join(str(key) for key in sorted({winners[key] for key in outcome.listeners}))
    message = (
        f"{names} is older and has the same hostname; HTTPRoutes and GRPCRoutes cannot share a listener's hostname"
    )
    return replace(outcome, listeners=(), problem=Problem("HostnameConflict", message))


def _all_relay(listeners: Mapping[str, tuple[str, ...]], route: Resource, parents: Parents) -> bool:
    found = (parent_of(ref, route, parents) for ref, _ in parent_refs(route, parents))
    admissions = [listener for parent in found if parent for listener in parent.listeners]
    return all(listener.passthrough for listener in admissions if listener.key in listeners)


def _listeners(
    ref: Json, parent: Parent, route: Resource, labels: Mapping[str, str]
) -> dict[str, tuple[str, ...]] | Problem:
    named = str(parent.key)
    if parent.refused is not None:
        return Problem("NoMatchingParent", f"{named} is not accepted: {parent.refused.message}")
    section, port = ref.get("sectionName"), ref.get("port")
    chosen = [
        listener
        for listener in parent.listeners
        if (not section or listener.name == section) and (not port or listener.port == port)
    ]
    if not chosen:
        wanted = " and ".join(filter(None, (f"name {section}" if section else "", f"port {port}" if port else "")))
        return Problem("NoMatchingParent", f"{named} has no listener with {wanted}")
    allowing = [listener for listener in chosen if _allows(listener, parent, route, labels)]
    if not allowing:
        names = ", ".join(listener.name for listener in chosen)
        message = f"no listener of {named} ({names}) allows {route.key.kind}s from namespace {route.namespace}"
        return Problem("NotAllowedByListeners", message)
    if route.key.kind not in WITH_HOSTNAMES:
        return {listener.key: ("",) for listener in allowing}
    hostnames = tuple(hostname.lower() for hostname in route.spec.get("hostnames") or ())
    meeting = {listener.key: route_hostnames(listener.hostname, hostnames) for listener in allowing}
    found = {key: hosts for key, hosts in meeting.items() if hosts}
    if not found:
        names = ", ".join(f"{listener.name} ({listener.hostname})" for listener in allowing)
        message = f"none of the route's hostnames matches that of a listener of {named}: {names}"
        return Problem("NoMatchingListenerHostname", message)
    return found


def _allows(listener: Admission, parent: Parent, route: Resource, labels: Mapping[str, str]) -> bool:
    if route.key.kind not in listener.kinds:
        return False
    match listener.namespaces:
        case "All":
            return True
        case "Same":
            return route.namespace == parent.key.namespace
        case "Selector":
            return selects(listener.selector or {}, labels)
        case _:
            return False
