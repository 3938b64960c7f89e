"""What a terminating Namespace says about its content: the five conditions of Kubernetes' namespace controller. Pure.

How many objects of which resources remain, and which finalizers hold them, come in; conditions go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Object = dict[str, Any]

# Reading and deleting never fail for a reason of their own here, so these say always the same.
_CONSTANT = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


def conditions(
    before: Iterable[Mapping[str, Any]], resources: Mapping[str, int], finalizers: Mapping[str, int], now: str
) -> Sequence[Object]:
    """status.conditions. before: those of now; resources, finalizers: how many remaining objects have which."""
    found = [(type_, False, reason, message) for type_, reason, message in _CONSTANT]
    remaining = _listed({_qualified(name): count for name, count in resources.items()}, "has")
    holding = _listed(finalizers, "in")
    found += [
        (
            "NamespaceContentRemaining",
            bool(resources),
            "SomeResourcesRemain" if resources else "ContentRemoved",
            f"Some resources are remaining: {remaining}" if resources else "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            bool(finalizers),
            "SomeFinalizersRemain" if finalizers else "ContentHasNoFinalizers",
            f"Some content in the namespace has finalizers remaining: {holding}"
            if finalizers
            else "All content-preserving finalizers finished",
        ),
    ]
    since = {(c.get("type"), c.get("status")): c.get("lastTransitionTime", now) for c in before}
    made: list[Object] = []
    for type_, holds, reason, message in found:
        status = "True" if holds else "False"
        time = since.get((type_, status), now)
        made.append({"type": type_, "status": status, "lastTransitionTime": time, "reason": reason, "message": message})
    ours = {condition["type"] for condition in made}
    return [*(dict(c) for c in before if c.get("type") not in ours), *made]


def _listed(counts: Mapping[str, int], verb: str) -> str:
    return ", ".join(f"{name} {verb} {counts[name]} resource instances" for name in sorted(counts))


def _qualified(resource: str) -> str:
    """PLURAL.GROUP as Kubernetes writes it here, with a dot even where the group is empty."""
    return resource if "." in resource else f"{resource}."
