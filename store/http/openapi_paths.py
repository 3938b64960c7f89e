"""The operations of a resource in an OpenAPI v3 document.

A resource comes in, path items go out. kubectl looks in them for the kind behind a URL
(x-kubernetes-group-version-kind), the verb (x-kubernetes-action) and the parameters that a PATCH takes.
"""

from __future__ import annotations

from typing import Any

from store.http.meta_schemas import PREFIX, ref
from store.http.served import GroupVersion, Resource


def _query(name: str, description: str, type_: str = "string") -> dict[str, Any]:
    schema = {"type": type_, "uniqueItems": True}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


_PRETTY = _query("pretty", "true: write the answer indented.")
_NAMESPACE = _path("namespace", "The namespace of the object.")
_NAME = _path("name", "The name of the object.")
_DRY_RUN = _query("dryRun", "All: judge the request and change nothing.")
_WRITE = [
    _DRY_RUN,
    _query("fieldManager", "Who writes, for managedFields; by default the User-Agent up to its first slash."),
    _query(
        "fieldValidation", "Unknown fields are an error (Strict), a warning (Warn, the default) or dropped (Ignore)."
    ),
]
_FORCE = _query("force", "Take fields that other managers own.", "boolean")
_SELECTORS = [
    _query("labelSelector", "Only objects with these labels."),
    _query("fieldSelector", "Only objects with these fields."),
]
_LIST = [
    *_SELECTORS,
    _query("limit", "At most so many items; the rest can be had with continue.", "integer"),
    _query("continue", "Where the last page ended."),
    _query("resourceVersion", "The revision that the answer must have, or at least have."),
    _query("resourceVersionMatch", "NotOlderThan or Exact."),
    _query("watch", "Answer with a stream of changes.", "boolean"),
    _query("allowWatchBookmarks", "Send a bookmark now and then.", "boolean"),
    _query("sendInitialEvents", "Begin a watch with what there is.", "boolean"),
    _query("timeoutSeconds", "How long a watch may last.", "integer"),
]
_DELETE = [
    _DRY_RUN,
    _query("gracePeriodSeconds", "Seconds to let the object end.", "integer"),
    _query("propagationPolicy", "Orphan, Background or Foreground."),
    _query("orphanDependents", "The old form of propagationPolicy.", "boolean"),
]
_PATCH_MEDIA = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


def paths(group_version: GroupVersion, resource: Resource, component: str) -> dict[str, Any]:
    """Path items of a resource; component: name of its schema."""
    prefix = f"/apis/{group_version.name}" if group_version.group else f"/api/{group_version.name}"
    build = _Operations(group_version, resource)
    whole = f"{prefix}/{resource.plural}"
    if resource.stored is None:
        return {whole: {"post": build("create", "post", _WRITE, component, sends=component), "parameters": [_PRETTY]}}
    scope = [_NAMESPACE, _PRETTY] if resource.namespaced else [_PRETTY]
    place = f"{prefix}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else whole
    found: dict[str, Any] = {}
    if resource.namespaced:
        found[whole] = {
            "get": build("list", "list", _LIST, f"{component}List", "ForAllNamespaces"),
            "parameters": [_PRETTY],
        }
    found[place] = {
        "get": build("list", "list", _LIST, f"{component}List"),
        "post": build("create", "post", _WRITE, component, sends=component),
        "delete": build("deleteCollection", "deletecollection", [*_SELECTORS, *_DELETE], PREFIX + "Status"),
        "parameters": scope,
    }
    found[f"{place}/{{name}}"] = _object(build, component) | {
        "delete": build("delete", "delete", _DELETE, PREFIX + "Status", sends=PREFIX + "DeleteOptions"),
        "parameters": [_NAME, *scope],
    }
    for subresource in resource.subresources:
        operations = _object(build, component, subresource.capitalize())
        found[f"{place}/{{name}}/{subresource}"] = operations | {"parameters": [_NAME, *scope]}
    return found


class _Operations:
    """Builds the operations of one resource, called with id prefix, action, parameters and schemas."""

    def __init__(self, group_version: GroupVersion, resource: Resource) -> None:
        group, version = group_version.group, group_version.version
        self._custom = resource.stored is not None and resource.stored.custom
        self._kind = {"group": group, "version": version, "kind": resource.kind}
        self._scope = "Namespaced" if resource.namespaced else ""
        title = "".join(
            part.capitalize() for part in (group.removesuffix(".k8s.io") or "core").replace("-", ".").split(".")
        )
        self._tag = f"{title[:1].lower()}{title[1:]}_{version}"
        self._name = f"{title}{version.capitalize()}{{scope}}{resource.kind}"

    def __call__(
        self,
        prefix: str,
        action: str,
        parameters: list[dict[str, Any]],
        answers: str,
        suffix: str = "",
        sends: str = "",
    ) -> dict[str, Any]:
        scope = "" if suffix == "ForAllNamespaces" else self._scope
        answer = {"description": "OK", "content": {"application/json": {"schema": ref(answers)}}}
        operation: dict[str, Any] = {
            "tags": [self._tag],
            "operationId": f"{prefix}{self._name.format(scope=scope)}{suffix}",
            "parameters": parameters,
            "responses": {"200": answer, "401": {"description": "Unauthorized"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self._kind,
        }
        if sends:
            media = (
                [m for m in _PATCH_MEDIA if not (self._custom and "strategic" in m)] if action == "patch" else ["*/*"]
            )
            operation["requestBody"] = {
                "content": {m: {"schema": ref(sends)} for m in media},
                "required": action != "delete",
            }
        return operation


def _object(build: _Operations, component: str, suffix: str = "") -> dict[str, Any]:
    return {
        "get": build("read", "get", [], component, suffix),
        "put": build("replace", "put", _WRITE, component, suffix, sends=component),
        "patch": build("patch", "patch", [*_WRITE, _FORCE], component, suffix, sends=PREFIX + "Patch"),
    }
