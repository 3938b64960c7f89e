"""The apiextensions group: CustomResourceDefinition. What a definition means as a kind is in definitions.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.fields import boolean, free_form, int32, integer, items, keyed, record, string, time
from store.kinds.kind import Column, Kind, Version
from store.kinds.schema_nodes import misshapen
from store.kinds.spellings import complaints, dns1035_errors, subdomain_errors
from store.schema.causes import cause, required, unsupported

GROUP = "apiextensions.k8s.io"
_SCOPES = ("Cluster", "Namespaced")


def _prepare(value: dict[str, Any]) -> None:
    """Names that follow from others, and no conversion (Kubernetes: SetDefaults_CustomResourceDefinitionSpec)."""
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    names = spec.get("names")
    if isinstance(names, dict) and isinstance(names.get("kind"), str):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})


def _judge(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    spec = value.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group", "")
    name, wanted = (value.get("metadata") or {}).get("name", ""), f"{names.get('plural', '')}.{group}"
    if name != wanted:
        yield cause("FieldValueInvalid", "metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    yield from _judge_group(group)
    if spec.get("scope", "") not in _SCOPES:
        yield unsupported("spec.scope", spec.get("scope", ""), _SCOPES) if spec.get("scope") else required("spec.scope")
    yield from _judge_versions(spec.get("versions") or [])
    yield from _judge_names(names)
    if spec.get("preserveUnknownFields"):
        detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        yield cause("FieldValueInvalid", "spec.preserveUnknownFields", True, f"{detail}spec.versions[*].schema instead")


def _judge_group(group: str) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
        return
    yield from complaints("spec.group", group, subdomain_errors(group))
    if "." not in group:
        yield cause("FieldValueInvalid", "spec.group", group, "should be a domain with at least one dot")


def _judge_versions(versions: list[dict[str, Any]]) -> Iterator[Cause]:
    seen: set[str] = set()
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    shared = all(schema == schemas[0] for schema in schemas)
    for index, version in enumerate(versions):
        where, name = f"spec.versions[{index}]", version.get("name", "")
        yield from complaints(f"{where}.name", name, dns1035_errors(name))
        if index == 0:
            yield from complaints("spec.version", name, dns1035_errors(name))
        if name in seen:
            yield _versions_cause(versions, "must contain unique version names")
        seen.add(name)
        schema = schemas[index]
        if schema is None:
            yield required(f"{where}.schema.openAPIV3Schema")
        elif not shared or index == 0:
            # Kubernetes names a schema that all versions share by the place that it had before there were versions.
            place = "spec.validation" if shared else f"{where}.schema"
            yield from _judge_root(schema, f"{place}.openAPIV3Schema")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield _versions_cause(versions, "must have exactly one version marked as storage version")
        yield cause("FieldValueInvalid", "status.storedVersions", None, "must have at least one stored version")


def _judge_root(schema: dict[str, Any], where: str) -> Iterator[Cause]:
    wrong = list(misshapen(schema, where))
    if wrong:
        yield from wrong
        return
    if not schema.get("type"):
        yield required(f"{where}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield cause("FieldValueInvalid", f"{where}.type", schema["type"], "must be object at the root")
    yield from _untyped(schema, where)


def _untyped(schema: dict[str, Any], where: str) -> Iterator[Cause]:
    """Every field and item has a type, or says that it may be anything (structural schemas)."""
    places = [(f"{where}.properties[{name}]", child) for name, child in (schema.get("properties") or {}).items()]
    inner = ((keyword, schema.get(keyword)) for keyword in ("items", "additionalProperties"))
    places += [(f"{where}.{keyword}", child) for keyword, child in inner if isinstance(child, dict)]
    for place, child in places:
        free = child.get("x-kubernetes-int-or-string") or child.get("x-kubernetes-preserve-unknown-fields")
        if not child.get("type") and not free:
            what = "array items" if place.endswith(".items") else "object fields"
            yield required(f"{place}.type", f"must not be empty for specified {what}")
        yield from _untyped(child, place)


def _versions_cause(versions: list[dict[str, Any]], detail: str) -> Cause:
    """Kubernetes shows its internal struct; the whole schemas in it would help nobody and are left out here too."""
    shown = [
        {
            "Name": version.get("name", ""),
            "Served": version.get("served", False),
            "Storage": version.get("storage", False),
            "Deprecated": version.get("deprecated", False),
            "DeprecationWarning": version.get("deprecationWarning"),
            "Schema": None,
            "Subresources": None,
            "AdditionalPrinterColumns": None,
            "SelectableFields": None,
        }
        for version in versions
    ]
    text = json.dumps(shown, separators=(",", ":"))
    return Cause("FieldValueInvalid", f"Invalid value: {text}: {detail}", "spec.versions")


def _judge_names(names: dict[str, Any]) -> Iterator[Cause]:
    for field in ("plural", "singular", "kind", "listKind"):
        name = names.get(field, "")
        if not name:
            yield required(f"spec.names.{field}")
            continue
        errors = dns1035_errors(name.lower())
        if wrong := ", ".join(errors):
            suffix = f"may have mixed case, but should otherwise match: {wrong}" if "ind" in field else wrong
            yield cause("FieldValueInvalid", f"spec.names.{field}", name, suffix)
    for index, short in enumerate(names.get("shortNames") or ()):
        yield from complaints(f"spec.names.shortNames[{index}]", short, dns1035_errors(short))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield cause(
            "FieldValueInvalid", "spec.names.listKind", names["listKind"], "kind and listKind may not be the same"
        )


_NAMES_FIELDS = {
    "categories": items("Words that stand for several kinds, such as all.", string()),
    "kind": string("Name of the kind in objects."),
    "listKind": string("Name of the kind in lists."),
    "plural": string("Name of the kind in URLs."),
    "shortNames": items("Short forms for the command line.", string()),
    "singular": string("Name of one object on the command line."),
}
_NAMES = record("What the kind is called.", _NAMES_FIELDS, stated_required=("plural", "kind"))
_COLUMN = record(
    "A column that kubectl prints.",
    {
        "description": string("What it says."),
        "format": string("Format of its type."),
        "jsonPath": string("Where in the object the value is."),
        "name": string("Its title."),
        "priority": int32("0 always shows, more only with -o wide."),
        "type": string("Its type."),
    },
    required=("name", "type", "jsonPath"),
)
_SUBRESOURCES = record(
    "Parts of objects with URLs of their own.",
    {
        "scale": record(
            "A number of replicas.",
            {
                "labelSelectorPath": string("Where the selector is."),
                "specReplicasPath": string("Where the wanted number is."),
                "statusReplicasPath": string("Where the number is."),
            },
            required=("specReplicasPath", "statusReplicasPath"),
        ),
        "status": free_form("The status, which only its own URL changes."),
    },
)
_VERSION = record(
    "A version of the kind.",
    {
        "additionalPrinterColumns": items("Columns that kubectl prints.", _COLUMN),
        "deprecated": boolean("Whether use of the version is warned about."),
        "deprecationWarning": string("What is said then."),
        "name": string("Name of the version."),
        "schema": record("What objects look like.", {"openAPIV3Schema": free_form("An OpenAPI v3 schema.")}),
        "selectableFields": items(
            "Fields that field selectors may name.",
            record("A field.", {"jsonPath": string("Where it is.")}, required=("jsonPath",)),
        ),
        "served": boolean("Whether the version has a URL."),
        "storage": boolean("Whether objects are stored in this version; true for exactly one."),
        "subresources": _SUBRESOURCES,
    },
    required=("name", "served", "storage"),
)
_SERVICE = record(
    "A Service.",
    {
        "name": string("Name."),
        "namespace": string("Namespace."),
        "path": string("Path."),
        "port": int32("Port."),
    },
    required=("namespace", "name"),
)
_WEBHOOK = record(
    "Server that converts.",
    {
        "clientConfig": record(
            "Where it is.",
            {
                "caBundle": string("Certificate authorities, in base64.", format_="byte"),
                "service": _SERVICE,
                "url": string("URL."),
            },
        ),
        "conversionReviewVersions": items("Forms of the question that it understands.", string()),
    },
    required=("conversionReviewVersions",),
)
_SPEC = record(
    "The kind as wanted.",
    {
        "conversion": record(
            "How objects change version.",
            {"strategy": string("None, or Webhook."), "webhook": _WEBHOOK},
            required=("strategy",),
        ),
        "group": string("API group."),
        "names": _NAMES,
        "preserveUnknownFields": boolean("Left from old times; must be false."),
        "scope": string("Cluster or Namespaced."),
        "versions": items("Versions of the kind.", _VERSION),
    },
    stated_required=("group", "names", "scope", "versions"),
)
_CONDITION = record(
    "One thing that is or is not so, and why.",
    {
        "lastTransitionTime": time("When it last changed."),
        "message": string("What happened, for people."),
        "observedGeneration": integer("Generation that this was found out about.", format_="int64"),
        "reason": string("What happened, in one word for programs."),
        "status": string("True, False or Unknown."),
        "type": string("What the condition is about."),
    },
    required=("type", "status"),
)
_STATUS = record(
    "What became of the kind.",
    {
        "acceptedNames": record("Names in use.", _NAMES_FIELDS, stated_required=("plural", "kind")),
        "conditions": keyed("State of the kind.", _CONDITION, "type"),
        "observedGeneration": integer("Generation that this was found out about.", format_="int64"),
        "storedVersions": items("Versions in which objects may be stored.", string()),
    },
)
_SCHEMA = replace(
    record("A kind of objects that somebody adds.", {"spec": _SPEC, "status": _STATUS}, required=("spec",)),
    prepare=_prepare,
    judge=_judge,
)

CUSTOM_RESOURCE_DEFINITION = Kind(
    group=GROUP,
    name="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    custom=False,
    generation=True,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=("status",),
    versions=(Version("v1", _SCHEMA, (Column("Created At", "string", ".metadata.creationTimestamp"),), storage=True),),
)
