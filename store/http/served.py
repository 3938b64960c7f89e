"""What is served, as one flat description from which both discovery forms and the OpenAPI documents are written.

The registry comes in, groups with their versions and resources go out, the preferred ones first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from store.http.urls import subresources
from store.kinds.kind import Kind
from store.kinds.registry import Registry
from store.verbs import Collection

OBJECT_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
SUBRESOURCE_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a group version. stored: None for questions that are answered at once and never kept."""

    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    stored: Kind | None = None


@dataclass(frozen=True, slots=True)
class GroupVersion:
    """A version of a group, with its resources."""

    group: str
    version: str
    resources: tuple[Resource, ...]

    @property
    def name(self) -> str:
        """GROUP/VERSION, or VERSION in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


REVIEWS: tuple[tuple[str, str, Resource], ...] = (
    (
        "authentication.k8s.io",
        "v1",
        Resource("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", False, ("create",)),
    ),
    (
        "authorization.k8s.io",
        "v1",
        Resource("selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview", False, ("create",)),
    ),
    (
        "authorization.k8s.io",
        "v1",
        Resource("selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview", False, ("create",)),
    ),
)


def group_versions(registry: Registry) -> tuple[GroupVersion, ...]:
    """Everything that is served: the core group first, then groups by name, the preferred version of each first."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for kind in registry.kinds():
        for version in kind.versions:
            if version.served:
                found.setdefault((kind.group, version.name), []).append(_resource(kind, version.name))
    for group, version_name, resource in REVIEWS:
        found.setdefault((group, version_name), []).append(resource)
    ordered = sorted(found, key=lambda gv: (gv[0], version_rank(gv[1])))
    return tuple(
        GroupVersion(group, version_name, tuple(sorted(found[group, version_name], key=lambda r: r.plural)))
        for group, version_name in ordered
    )


def by_group(all_versions: Iterable[GroupVersion]) -> dict[str, list[GroupVersion]]:
    """Versions of each group, the preferred one first."""
    groups: dict[str, list[GroupVersion]] = {}
    for group_version in all_versions:
        groups.setdefault(group_version.group, []).append(group_version)
    return groups


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v2, v1, v1beta2, v1beta1, v1alpha1, then anything else by name."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return 3, 0, 0, version
    stability = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return stability, -int(match[1]), -int(match[3] or 0), ""


def _resource(kind: Kind, version_name: str) -> Resource:
    return Resource(
        plural=kind.plural,
        singular=kind.singular,
        kind=kind.name,
        namespaced=kind.namespaced,
        verbs=OBJECT_VERBS,
        short_names=kind.short_names,
        categories=kind.categories,
        subresources=subresources(Collection(kind, version_name)),
        stored=kind,
    )
