"""Which object of the store a document means. Pure, over the registry of kinds."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from appliance.manifests.reader import Document, Problem, describe, place_of
from store.kinds.registry import Registry, why_not_served
from store.log.contract import Key
from store.verbs import Target

_RANKS = {"customresourcedefinitions.apiextensions.k8s.io": 0, "namespaces": 1}
# What only the server sets; a file that was written by `kubectl get -o yaml` has them, and means nothing by it.
_SERVER_SET = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink")

_IDENTITY = ("apiVersion", "kind", "metadata", "name", "namespace")
# Annotation of an object of which a file sets nothing but the name.
MARK = "gatehouse.dev/from-manifest"


def rank(key: Key) -> tuple[int, Key]:
    """The order of applying: definitions of kinds, then namespaces, then the rest."""
    return _RANKS.get(key.resource, 2), key


def resolve(registry: Registry, document: Document, data: bytes) -> tuple[Key, Target] | Problem:
    """The object that a document means, or why it means none."""
    value = document.value
    group, _, version = value["apiVersion"].rpartition("/")
    kind = registry.by_name(group, value["kind"])
    if kind is None:
        known = sorted({kind.name for kind in registry.kinds()})
        near = difflib.get_close_matches(value["kind"], known, n=1)
        hint = f"Did you mean {near[0]}?" if near and near[0] != value["kind"] else "Correct apiVersion and kind"
        remedy = hint if hint.endswith("?") else f"{hint}, or install its CustomResourceDefinition."
        remedy = why_not_served(group, value["kind"]) or remedy
        return _problem(document, data, f"no kind {value['kind']} in {value['apiVersion']}", "kind", remedy)
    if version not in (served := [entry.name for entry in kind.versions if entry.served]):
        remedy = f"Write {kind.api_version(served[0])}."  # kinds declare the version to use first
        return _problem(document, data, f"{kind.name} is not served as {value['apiVersion']}", "apiVersion", remedy)
    metadata = value["metadata"]
    namespace = metadata.get("namespace") or ""
    if namespace and not kind.namespaced:
        remedy = "Remove metadata.namespace."
        return _problem(document, data, f"a {kind.name} belongs to no namespace", "metadata.namespace", remedy)
    if kind.namespaced and not namespace:
        namespace = "default"
    key = Key(kind.resource, namespace, metadata["name"])
    return key, Target(kind, version, namespace, metadata["name"])


def unknown_key(document: Document) -> Key:
    """A key for a document whose kind is not known (yet): no resource has such a name."""
    metadata = document.value["metadata"]
    resource = f"{document.value['apiVersion']} {document.value['kind']}"
    return Key(resource, metadata.get("namespace") or "", metadata["name"])


def key_of(target: Target) -> Key:
    """The key of a target."""
    return Key(target.kind.resource, target.namespace, target.name)


def target_of(registry: Registry, key: Key) -> Target | None:
    """The target of a key, in the kind's storage version; None when the kind is gone, and its objects with it."""
    plural, _, group = key.resource.partition(".")
    kind = registry.find(group, plural)
    return None if kind is None else Target(kind, kind.storage_version.name, key.namespace, key.name)


def configuration(value: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """What is applied: the document without what only the server or a controller sets, in its namespace.

    A document that sets nothing but the name (a Namespace) gets a mark: with no field of its own the file would leave
    no trace in the object, and nobody could know later whose it is.
    """
    metadata = {name: field for name, field in value["metadata"].items() if name not in _SERVER_SET}
    if target.namespace:
        metadata["namespace"] = target.namespace
    config = {**value, "metadata": metadata}
    if "status" in target.kind.subresources:
        config.pop("status", None)
    if not any(_says(field) for name, field in (config | metadata).items() if name not in _IDENTITY):
        annotations = metadata.get("annotations") or {}
        if isinstance(annotations, dict):  # else the store says what is wrong with them
            metadata["annotations"] = {**annotations, MARK: "true"}
    return config


def _says(value: Any) -> bool:
    """Whether there is any scalar in a value."""
    if isinstance(value, dict | list):
        return any(_says(member) for member in (value.values() if isinstance(value, dict) else value))
    return value is not None


def identity(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration that asks for nothing: applying it gives up every field."""
    metadata = {name: obj["metadata"][name] for name in ("name", "namespace") if name in obj["metadata"]}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}


def _problem(document: Document, data: bytes, message: str, field: str, remedy: str) -> Problem:
    line, column = place_of(document, data, field)
    return Problem(message, remedy, line, column, describe(document.value), field)
