"""From the parts of a URL to the kind, version, namespace and name that they mean.

Path parameters come in, a Collection or a Target goes out, or UnknownPathError. Query parameters are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping

from store.errors import StatusError
from store.http.errors import UnknownPathError
from store.kinds.kind import Version
from store.kinds.registry import Registry, why_not_served
from store.verbs import Collection, Target


def collection_of(registry: Registry, parts: Mapping[str, str]) -> Collection:
    """The collection at .../PLURAL, in a namespace or over all of them.

    Raises UnknownPathError, or StatusError 404 for a kind that is known and not served.
    """
    kind = registry.find(parts.get("group", ""), parts["plural"])
    if kind is None and (reason := why_not_served(parts.get("group", ""), parts["plural"])):
        raise StatusError(404, "NotFound", reason)
    if kind is None or (not kind.namespaced and "namespace" in parts):
        raise UnknownPathError
    version = next((v.name for v in kind.versions if v.name == parts["version"] and v.served), None)
    if version is None:
        raise UnknownPathError
    return Collection(kind, version, parts.get("namespace", ""))


def target_of(registry: Registry, parts: Mapping[str, str]) -> Target:
    """The object at .../PLURAL/NAME, or its subresource at .../PLURAL/NAME/SUBRESOURCE.

    Raises UnknownPathError, or StatusError 404 where only the subresource is unknown.
    """
    collection = collection_of(registry, parts)
    if collection.kind.namespaced and not collection.namespace:
        raise UnknownPathError
    subresource = parts.get("subresource", "")
    if subresource and subresource not in subresources(collection):
        raise StatusError(404, "NotFound", "the server could not find the requested resource")
    return collection.object(parts["name"], subresource=subresource)


def version_of(collection: Collection | Target) -> Version:
    """The declaration of the version that was asked for."""
    return next(v for v in collection.kind.versions if v.name == collection.version)


def subresources(collection: Collection) -> tuple[str, ...]:
    """The subresources that this version serves."""
    status = ("status",) if version_of(collection).status else ()
    return tuple(dict.fromkeys((*status, *(s for s in collection.kind.subresources if s != "status"))))
