"""Between kinds and CustomResourceDefinitions (apiextensions.k8s.io/v1).

A definition says its cross-field rules in CEL, which is not evaluated yet. Where an installed definition states a rule
that a built-in kind carries in Python, known by its message, the Python rule holds, so the official definitions lose
none of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from store.errors import Cause, StatusError
from store.kinds.apiextensions import CUSTOM_RESOURCE_DEFINITION, GROUP
from store.kinds.columns import AGE
from store.kinds.kind import Column, Kind, Version
from store.kinds.registry import BUILT_IN
from store.kinds.standard_channel import STANDARD_RULES
from store.schema.causes import cause
from store.schema.compile import compile_schema, nodes
from store.schema.openapi import from_openapi, openapi
from store.schema.structural import Rule, Schema

BUNDLE_VERSION = "v1.6.1"
CHANNEL = "experimental"
_GATEWAY_GROUPS = ("gateway.networking.k8s.io", "gateway.networking.x-k8s.io")
_APPROVAL = "https://github.com/kubernetes-sigs/gateway-api/pull/4530"
_POLICIES = ("BackendTLSPolicy", "XBackendTrafficPolicy")
_OBJECT_FIELDS = ("apiVersion", "kind", "metadata")


def crd_from_kind(kind: Kind) -> dict[str, Any]:
    """The definition that clients see of a built-in kind: established, and owned by nobody."""
    names = _names(kind)
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": CUSTOM_RESOURCE_DEFINITION.name,
        "metadata": {"name": kind.resource} | _marks(kind),
        "spec": {
            "conversion": {"strategy": "None"},
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [_version_entry(version) for version in kind.versions],
        },
        "status": established(kind),
    }


def established(kind: Kind) -> dict[str, Any]:
    """The status of a definition whose kind is being served."""
    return {
        "acceptedNames": _names(kind),
        "conditions": [
            {
                "type": "NamesAccepted",
                "status": "True",
                "reason": "NoConflicts",
                "message": "no conflicts found",
            },
            {
                "type": "Established",
                "status": "True",
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
        "storedVersions": [kind.storage_version.name],
    }


def _marks(kind: Kind) -> dict[str, Any]:
    if kind.group not in _GATEWAY_GROUPS:
        return {}
    annotations = {
        "api-approved.kubernetes.io": _APPROVAL,
        "gateway.networking.k8s.io/bundle-version": BUNDLE_VERSION,
        "gateway.networking.k8s.io/channel": CHANNEL,
    }
    labels = {"labels": {"gateway.networking.k8s.io/policy": "Direct"}} if kind.name in _POLICIES else {}
    return {"annotations": annotations} | labels


def _names(kind: Kind) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.categories:
        names["categories"] = list(kind.categories)
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    return names


def _version_entry(version: Version) -> dict[str, Any]:
    schema = openapi(version.schema)
    schema["properties"] = {
        "apiVersion": {
            "type": "string",
            "description": "Group and version of the schema that the object is written in.",
        },
        "kind": {"type": "string", "description": "What the object is."},
        "metadata": {"type": "object"},
    } | schema["properties"]
    entry: dict[str, Any] = {"name": version.name, "served": version.served, "storage": version.storage}
    if columns := [_column_entry(column) for column in version.columns if column.path]:
        entry["additionalPrinterColumns"] = columns
    if version.deprecation:
        entry |= {"deprecated": True, "deprecationWarning": version.deprecation}
    entry["schema"] = {"openAPIV3Schema": schema}
    entry["subresources"] = {"status": {}} if version.status else {}
    return entry


def _column_entry(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    for field in ("description", "format", "priority"):
        if value := getattr(column, field):
            entry[field] = value
    return entry


def kind_from_crd(crd: dict[str, Any]) -> Kind:
    """The kind that a definition describes. Raises StatusError 422 for one that cannot be served."""
    compiled = compile_schema(CUSTOM_RESOURCE_DEFINITION.storage_version.schema)
    if wrong := compiled.admit(crd).causes:
        raise _refused(crd, wrong)
    spec, names = crd["spec"], crd["spec"]["names"]
    versions, wrong = [], []
    for index, entry in enumerate(spec["versions"]):
        try:
            versions.append(_version(entry, spec["group"]))
        except ValueError as error:
            where = f"spec.versions[{index}].schema.openAPIV3Schema"
            wrong.append(cause("FieldValueInvalid", where, detail=str(error)))
    if wrong:
        raise _refused(crd, wrong)
    return Kind(
        group=spec["group"],
        name=names["kind"],
        plural=names["plural"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=("status",) if any(version.status for version in versions) else (),
        versions=tuple(versions),
    )


def _version(entry: dict[str, Any], group: str) -> Version:
    node = entry["schema"]["openAPIV3Schema"]
    schema = _with_rules(from_openapi(node), node)
    own = {name: child for name, child in schema.properties.items() if name not in _OBJECT_FIELDS}
    schema = replace(schema, properties=own)
    compile_schema(schema)  # a pattern that RE2 refuses is found here
    columns = tuple(
        Column(
            one["name"],
            one["type"],
            one["jsonPath"],
            one.get("description", ""),
            one.get("format", ""),
            one.get("priority", 0),
        )
        for one in entry.get("additionalPrinterColumns") or ()
    )
    warning = entry.get("deprecationWarning") or f"{group}/{entry['name']} is deprecated"
    return Version(
        name=entry["name"],
        schema=schema,
        columns=columns or (AGE,),
        storage=entry["storage"],
        served=entry["served"],
        status="status" in (entry.get("subresources") or {}),
        deprecation=warning if entry.get("deprecated") else "",
    )


def _with_rules(schema: Schema, node: Mapping[str, Any]) -> Schema:
    """The schema with a Python rule for each stated rule that is known."""
    stated = [rule.get("message", "") for rule in node.get("x-kubernetes-validations") or ()]
    children = node.get("properties") or {}
    additional, inner = schema.additional, node.get("additionalProperties")
    return replace(
        schema,
        rules=tuple(_known_rules()[message] for message in stated if message in _known_rules()),
        properties={name: _with_rules(child, children[name]) for name, child in schema.properties.items()},
        items=_with_rules(schema.items, node["items"]) if schema.items is not None else None,
        additional=_with_rules(additional, inner) if additional is not None and isinstance(inner, dict) else additional,
    )


def unevaluated_rules(crd: Mapping[str, Any]) -> list[str]:
    """Where a definition states CEL that nobody evaluates here: VERSION and path of each rule's node, once."""
    known = _known_rules()

    def walk(node: Mapping[str, Any], path: str) -> Iterator[str]:
        stated = node.get("x-kubernetes-validations") or ()
        if any(rule.get("message", "") not in known for rule in stated):
            yield path
        for name, child in (node.get("properties") or {}).items():
            yield from walk(child, f"{path}.{name}")
        for keyword, suffix in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(inner := node.get(keyword), dict):
                yield from walk(inner, path + suffix)

    versions = (crd.get("spec") or {}).get("versions") or ()
    return [
        place
        for version in versions
        for place in walk((version.get("schema") or {}).get("openAPIV3Schema") or {}, version["name"])
    ]


@cache
def _known_rules() -> dict[str, Rule]:
    """Rules by message: those of all built-in kinds, and those that only the standard channel states."""
    schemas = (version.schema for kind in BUILT_IN for version in kind.versions)
    found = {rule.message: rule for schema in schemas for node in nodes(schema) for rule in node.rules}
    return found | {rule.message: rule for rule in STANDARD_RULES}


def _refused(crd: dict[str, Any], wrong: list[Cause]) -> StatusError:
    name = str((crd.get("metadata") or {}).get("name", ""))
    shown = [f"{one.field}: {one.message}" for one in wrong]
    listed = shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
    kind = CUSTOM_RESOURCE_DEFINITION
    message = f'{kind.name}.{kind.group} "{name}" is invalid: {listed}'
    return StatusError(422, "Invalid", message, group=kind.group, kind=kind.name, name=name, causes=wrong)
