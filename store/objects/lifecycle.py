"""Decisions about the end of objects: finalizers, owners, namespaces. Pure: objects in, decisions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
NAMESPACE_CONTENT = "kubernetes"

PROTECTED_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})
FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

Propagation = Literal["Orphan", "Background", "Foreground"]


def finalizers_for_deletion(obj: Mapping[str, Any], propagation: Propagation | None) -> list[str]:
    """The finalizers that a deletion leaves on the object; empty: it can go at once.

    Without a policy the garbage collector's finalizers that are there decide; with one, they are replaced.
    """
    present = list(obj["metadata"].get("finalizers") or ())
    if propagation is None:
        return present
    kept = [name for name in present if name not in (ORPHAN, FOREGROUND)]
    if propagation == "Orphan":
        kept.append(ORPHAN)
    elif propagation == "Foreground":
        kept.append(FOREGROUND)
    return kept


def blocks_namespace(obj: Mapping[str, Any]) -> bool:
    """Whether a Namespace still waits for its content to be deleted."""
    return NAMESPACE_CONTENT in (obj.get("spec", {}).get("finalizers") or ())


def is_finished(obj: Mapping[str, Any], is_namespace: bool) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    return not (is_namespace and blocks_namespace(obj))


@dataclass(frozen=True, slots=True)
class Orphaned:
    """What garbage collection does to a dependent: delete it, or drop these owners from it, or nothing."""

    delete: bool = False
    drop: tuple[str, ...] = ()


def judge_dependent(owners: Sequence[Mapping[str, Any]], exists: Callable[[Mapping[str, Any]], bool]) -> Orphaned:
    """Delete an object all of whose owners are gone; while one exists, only the references to the others go."""
    absent = tuple(owner["uid"] for owner in owners if not exists(owner))
    if not absent:
        return Orphaned()
    if len(absent) == len(owners):
        return Orphaned(delete=True)
    return Orphaned(drop=absent)


def blocking(dependents: Iterable[Mapping[str, Any]], uid: str) -> list[Mapping[str, Any]]:
    """Those dependents that hold up the foreground deletion of their owner."""
    return [
        dependent
        for dependent in dependents
        if any(
            owner["uid"] == uid and owner.get("blockOwnerDeletion")
            for owner in dependent["metadata"].get("ownerReferences") or ()
        )
    ]
