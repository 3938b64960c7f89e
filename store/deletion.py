"""Deletion: what a delete request makes of an object now. Pure decisions over `objects.lifecycle`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.kinds.kind import Kind
from store.objects import lifecycle
from store.refusals import conflict, forbidden
from store.verbs import DeleteOptions

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object to be marked (`marked` is its new content) or, with None, to be removed at once."""

    marked: Object | None


def check(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    """Preconditions and protection. Raises StatusError 403 or 409."""
    metadata = obj["metadata"]
    if kind.resource == "namespaces" and metadata["name"] in lifecycle.PROTECTED_NAMESPACES:
        raise forbidden(kind, metadata["name"], "this namespace may not be deleted")
    if options.uid and options.uid != metadata["uid"]:
        raise conflict(
            kind,
            metadata["name"],
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated",
        )
    if options.resource_version and options.resource_version != metadata["resourceVersion"]:
        raise conflict(
            kind,
            metadata["name"],
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({metadata['resourceVersion']}). The object might have been modified",
        )


def doom(kind: Kind, obj: Object, options: DeleteOptions, now: str) -> Doomed:
    """Mark an object for deletion or say that it goes at once; `obj` is changed in place."""
    metadata = obj["metadata"]
    finalizers = lifecycle.finalizers_for_deletion(obj, options.propagation)
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    is_namespace = kind.resource == "namespaces"
    if not finalizers and not (is_namespace and lifecycle.blocks_namespace(obj)):
        return Doomed(None)
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = now
        if not is_namespace:
            metadata["deletionGracePeriodSeconds"] = 0
        if "generation" in metadata:
            metadata["generation"] += 1
    if is_namespace:
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return Doomed(obj)
