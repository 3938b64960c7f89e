"""Where routes would go, by the translator's own judgement.

Admitted objects come in; attachments and problems go out. What only a machine can tell (its addresses, its sockets) is
left out, and what other files or the store may hold is said to be missing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from appliance.gatewayapi.attachment import PARENT_KINDS
from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.conditions import Condition
from appliance.gatewayapi.drafts import BackendDraft, Draft, GatewayDraft, ListenerSetDraft, Status
from appliance.gatewayapi.resources import GROUPS, Objects, Resource
from appliance.gatewayapi.resources import Key as ResourceKey
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.translate import Memo, translate
from appliance.manifests.reader import Problem
from proxy.snapshot.model import Snapshot
from store.log.contract import Key

CLASS_NAME = "gatehouse"
# Conditions whose False is the author's to mend; Programmed speaks of sockets, which are not there.
_JUDGED = frozenset({"Accepted", "ResolvedRefs"})
_INVERTED = frozenset({"PartiallyInvalid", "Conflicted"})
_REMEDIES = {
    "NoMatchingParent": "Correct parentRefs: the name, namespace, sectionName or port of a listener that is there.",
    "NotAllowedByListeners": "Let the listener's allowedRoutes admit this namespace and kind, or use another listener.",
    "NoMatchingListenerHostname": "Give the route a hostname that one of the listeners covers.",
    "BackendNotFound": "Add the backend to the files, or correct its name and namespace.",
    "RefNotPermitted": "Add a ReferenceGrant in the namespace that is referred to.",
    "InvalidKind": "Refer to a Service or a Backend.",
    "NotAllowed": "Let the Gateway's allowedListeners admit this namespace, or add to another Gateway.",
    "HostnameConflict": "Use another hostname or port, or remove one of the two.",
    "ProtocolConflict": "Use another port, or remove one of the two.",
    "ParentNotAccepted": "Correct the Gateway that parentRef names, or name another.",
    "InvalidCertificateRef": "Refer to a Secret of type kubernetes.io/tls that is among the files.",
    "InvalidClientCertificateRef": "Refer to a Secret of type kubernetes.io/tls that is among the files.",
    "InvalidCACertificateRef": "Refer to a ConfigMap or Secret with the key ca.crt that is among the files.",
    "NoValidCACertificate": "Refer to a ConfigMap or Secret with the key ca.crt that is among the files.",
    "InvalidCACertificateKind": "Refer to a ConfigMap or Secret.",
    "InvalidBackendTLS": "Correct the BackendTLSPolicy; until then the backend is not reached at all.",
    "Conflicted": "Remove one of the policies, or let them speak of different ports.",
    "TargetNotFound": "Correct targetRefs: the backend, and with sectionName a port of it by its name.",
}
_OTHER_ADDRESS = "Use another address: link-local, multicast and the appliance's own API are never connected to."
# What these miss may be in the store already, applied by somebody else: for `check` it is a doubt, not an error.
_ELSEWHERE = frozenset(
    {
        "BackendNotFound",
        "InvalidBackendTLS",
        "InvalidCACertificateRef",
        "InvalidCertificateRef",
        "InvalidClientCertificateRef",
        "NoValidCACertificate",
        "ParentNotAccepted",
        "RefNotPermitted",
        "TargetNotFound",
    }
)


# Of a Gateway or ListenerSet: they only say that Listeners have problems, each of which is told by itself.
_SUMMARIES = frozenset({"ListenersNotValid", "ListenersNotResolved"})


def _about_absence(message: str) -> bool:
    """Whether an object is missing, and not wrong: the translator's sentences end so, or name the grant that lacks."""
    return "does not exist" in message or "no ReferenceGrant" in message


@dataclass(frozen=True, slots=True)
class Attachment:
    """One parentRef of a route, and what would come of it. refused: "" when the route attaches."""

    route: str
    parent: str
    refused: str


@dataclass(slots=True)
class Judgement:
    """What the translator says. problems, doubts: by the object that has them, without a place yet.

    A doubt is what the files alone cannot settle.
    """

    attachments: list[Attachment] = field(default_factory=list)
    problems: list[tuple[Key, Problem]] = field(default_factory=list)
    doubts: list[tuple[Key, Problem]] = field(default_factory=list)


def attachments(admitted: Mapping[Key, dict[str, Any]], now: int) -> Judgement:
    """Translate the objects, and tell what is not right. now: POSIX seconds, for certificates."""
    objects = Objects()
    keys: dict[ResourceKey, Key] = {}
    for key, value in admitted.items():
        if GROUPS.get(value["kind"]) == value["apiVersion"].rpartition("/")[0]:
            resource = Resource(ResourceKey(value["kind"], key.namespace, key.name), value)
            keys[resource.key] = key
            objects.put(resource)
    for implied in _implied(objects):
        objects.put(implied)
    translation = translate(objects, Surroundings(addresses=("127.0.0.1",), now=now), Memo())
    judgement = Judgement()
    drafts = {**translation.drafts.finished, **translation.drafts.waiting}
    for resource_key, draft in sorted(drafts.items(), key=lambda item: item[0]):
        if (own := keys.get(resource_key)) is not None:
            for problem in _problems(draft):
                doubtful = problem.message.partition(":")[0] in _ELSEWHERE and _about_absence(problem.message)
                (judgement.doubts if doubtful else judgement.problems).append((own, problem))
            judgement.attachments += _attached(resource_key, draft)
    for resource_key, own in sorted(keys.items()):
        doubts = (*_absent_parents(objects, resource_key), *_absent_class(objects, resource_key))
        judgement.doubts += [(own, problem) for problem in doubts]
    empty = dict.fromkeys(
        _without_endpoints(translation.snapshot)
    )  # once, though rules of several protocols lead there
    judgement.doubts += [(keys[key], problem) for key, problem in empty if key in keys]
    return judgement


def _absent_class(objects: Objects, key: ResourceKey) -> Iterator[Problem]:
    """The class of a Gateway that is not there: nobody would serve it."""
    resource = objects.get(*key) if key.kind == "Gateway" else None
    if resource is not None and objects.get("GatewayClass", "", name := resource.spec["gatewayClassName"]) is None:
        message = f"GatewayClass {name} is not among the files"
        remedy = f"Write {CLASS_NAME}, which every appliance has, or add the class."
        yield Problem(message, remedy, field="spec.gatewayClassName")


def _without_endpoints(snapshot: Snapshot) -> Iterator[tuple[ResourceKey, Problem]]:
    """Services that routes lead to and that would answer 503."""
    for name, cluster in snapshot.clusters.items():
        kind, namespace, service, *_ = name.split("/")  # a protocol may follow
        if kind == "service" and not cluster.endpoints:
            service, _, port = service.rpartition(":")
            message = f"no EndpointSlice among the files has endpoints for its port {port}"
            remedy = "Add one with the label kubernetes.io/service-name and a port of the same name, or use a Backend."
            yield ResourceKey("Service", namespace, service), Problem(message, remedy, field="spec.ports")


def _absent_parents(objects: Objects, key: ResourceKey) -> Iterator[Problem]:
    """Parents that a route names and that are not there, so that nothing can be said of attaching to them."""
    resource = objects.get(*key)
    for place, ref in enumerate(resource.spec.get("parentRefs") or () if resource else ()):
        parent = ResourceKey(ref.get("kind", "Gateway"), ref.get("namespace") or key.namespace, ref["name"])
        if parent.kind in PARENT_KINDS and objects.get(*parent) is None:
            message = f"{parent} is not among the files, or not valid"
            yield Problem(message, "Check it together with this route.", field=f"spec.parentRefs[{place}]")


def _implied(objects: Objects) -> Iterator[Resource]:
    """What every appliance has: the GatewayClass; and namespaces, which files need not bring."""
    if objects.get("GatewayClass", "", CLASS_NAME) is None:
        body = {"metadata": {"name": CLASS_NAME, "generation": 1}, "spec": {"controllerName": CONTROLLER_NAME}}
        yield Resource(ResourceKey("GatewayClass", "", CLASS_NAME), body)
    used = {key.namespace for kind in GROUPS for key in objects.of(kind) if key.namespace}
    for name in sorted(used):
        if objects.get("Namespace", "", name) is None:
            labels = {"kubernetes.io/metadata.name": name}
            yield Resource(ResourceKey("Namespace", "", name), {"metadata": {"name": name, "labels": labels}})


def _problems(draft: Draft | Status) -> Iterator[Problem]:
    match draft:
        case GatewayDraft() | ListenerSetDraft():
            for condition in draft.conditions:
                if condition.reason not in _SUMMARIES:
                    yield from _judged(condition, "spec")
            for place, listener in enumerate(draft.listeners):
                told = (p for c in listener.conditions for p in _judged(c, f"spec.listeners[{place}]"))
                yield from dict.fromkeys(told)  # a conflict is told by two conditions, in the same words
        case Status():
            for entry in draft.body.get("parents", ()):
                for condition in entry["conditions"]:
                    yield from _judged(_condition(condition), _field(draft.key, condition))
            for entry in draft.body.get("ancestors", ())[:1]:  # a policy's conditions are the same towards them all
                for condition in entry["conditions"]:
                    yield from _judged(_condition(condition), "spec")
            for condition in draft.body.get("conditions", ()):
                yield from _judged(_condition(condition), "spec")
        case BackendDraft():
            if draft.problem is not None:
                yield Problem(draft.problem.message, _REMEDIES.get(draft.problem.reason, "Correct it."), field="spec")
        case _:
            assert_never(draft)


def _attached(key: ResourceKey, draft: Draft | Status) -> Iterator[Attachment]:
    if not isinstance(draft, Status) or not key.kind.endswith("Route"):
        return
    for entry in draft.body.get("parents", ()):
        ref = entry["parentRef"]
        name = f"{ref.get('kind', 'Gateway')} {ref.get('namespace') or key.namespace}/{ref['name']}"
        parts = [name, *(f"{part} {ref[field]}" for part, field in _PARTS if ref.get(field))]
        accepted = next((c for c in entry["conditions"] if c["type"] == "Accepted"), None)
        good = accepted is None or accepted["status"] == "True"
        yield Attachment(str(key), ", ".join(parts), "" if good or accepted is None else accepted["message"])


_PARTS = (("listener", "sectionName"), ("port", "port"))


def _field(key: ResourceKey, condition: Mapping[str, Any]) -> str:
    """What a condition of one parent is about."""
    if not key.kind.endswith("Route"):
        return "spec"
    return "spec.parentRefs" if condition["type"] == "Accepted" else "spec.rules"


def _condition(body: Mapping[str, Any]) -> Condition:
    return Condition(body["type"], body["status"], body["reason"], body["message"])


def _judged(condition: Condition, field: str) -> Iterator[Problem]:
    wrong = condition.status == "False" if condition.type in _JUDGED else condition.status == "True"
    if wrong and condition.type in _JUDGED | _INVERTED:
        message = f"{condition.reason}: {condition.message}" if condition.message else condition.reason
        remedy = _REMEDIES.get(condition.reason, "Correct it, or add what it needs to the files.")
        yield Problem(message, _OTHER_ADDRESS if "are denied on this appliance" in message else remedy, field=field)
