"""May an object of one namespace refer to an object of another? The one place that reads ReferenceGrants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from appliance.gatewayapi.resources import Resource


class Referrer(NamedTuple):
    """Who refers."""

    group: str
    kind: str
    namespace: str


class Referent(NamedTuple):
    """What is referred to."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def allowed(source: Referrer, target: Referent, grants: Iterable[Resource]) -> bool:
    """Whether the reference is within one namespace, or granted by one of the grants of the target's namespace.

    A grant allows when one of its `from` names the source's group, kind and namespace, and one of its `to` the
    target's group and kind, with no name or the target's (Gateway API: ReferenceGrantSpec).
    """
    if source.namespace == target.namespace:
        return True
    return any(_permits(grant, source, target) for grant in grants if grant.namespace == target.namespace)


def _permits(grant: Resource, source: Referrer, target: Referent) -> bool:
    comes = any((entry["group"], entry["kind"], entry["namespace"]) == source for entry in grant.spec.get("from") or ())
    return comes and any(
        (entry.get("group", ""), entry["kind"]) == (target.group, target.kind)
        and entry.get("name") in (None, "", target.name)
        for entry in grant.spec.get("to") or ()
    )
