"""ObjectMeta: what a client may send, what only the server sets, and what is wrong with it. Pure.

Texts and order: kubernetes.io, API conventions, "Metadata". Paths in causes start with "metadata.".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from store.errors import Cause
from store.objects import names

ANNOTATIONS_LIMIT_BYTES = 256 * 1024

_TEXTS = ("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "creationTimestamp")
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_TEXTS, str),
    "deletionTimestamp": str,
    "generation": int,
    "deletionGracePeriodSeconds": int,
    "labels": dict,
    "annotations": dict,
    "ownerReferences": list,
    "finalizers": list,
    "managedFields": list,
}
COLLECTIONS = ("labels", "annotations", "ownerReferences", "finalizers")  # not kept when empty
GO_TYPES = {
    "generation": "int64",
    "deletionGracePeriodSeconds": "int64",
    "labels": "map[string]string",
    "annotations": "map[string]string",
    "ownerReferences": "[]v1.OwnerReference",
    "finalizers": "[]string",
    "managedFields": "[]v1.ManagedFieldsEntry",
    "creationTimestamp": "v1.Time",
    "deletionTimestamp": "v1.Time",
}
OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def decode(metadata: Any) -> tuple[dict[str, Any], list[str]]:
    """The metadata without unknown and null fields, and the paths of the unknown ones.

    Raises ValueError with a decoder's sentence for a value of a wrong type.
    """
    if metadata is None:
        return {}, []
    if not isinstance(metadata, dict):
        raise ValueError(_mismatch(metadata, "", "v1.ObjectMeta"))
    known: dict[str, Any] = {}
    unknown = []
    for name, value in metadata.items():
        expected = FIELDS.get(name)
        if expected is None:
            unknown.append(f"metadata.{name}")
        elif value is not None:
            if not isinstance(value, expected) or isinstance(value, bool):
                raise ValueError(_mismatch(value, f".{name}", GO_TYPES.get(name, "string")))
            known[name] = value
    for name in ("labels", "annotations"):
        for value in known.get(name, {}).values():
            if not isinstance(value, str):
                raise ValueError(_mismatch(value, f".{name}", "string"))
    _decode_lists(known, unknown)
    return {name: value for name, value in known.items() if value or name not in COLLECTIONS}, unknown


def _decode_lists(known: dict[str, Any], unknown: list[str]) -> None:
    for value in known.get("finalizers", ()):
        if not isinstance(value, str):
            raise ValueError(_mismatch(value, ".finalizers", "string"))
    for index, owner in enumerate(known.get("ownerReferences", ())):
        if not isinstance(owner, dict):
            raise ValueError(_mismatch(owner, ".ownerReferences", "v1.OwnerReference"))
        for name in [name for name in owner if name not in OWNER_FIELDS]:
            unknown.append(f"metadata.ownerReferences[{index}].{name}")
            del owner[name]
        for name in ("apiVersion", "kind", "name", "uid"):
            if not isinstance(owner.get(name, ""), str):
                raise ValueError(_mismatch(owner[name], f".ownerReferences.{name}", "string"))
    for entry in known.get("managedFields", ()):
        if not isinstance(entry, dict):
            raise ValueError(_mismatch(entry, ".managedFields", "v1.ManagedFieldsEntry"))
        for name in ("manager", "operation", "apiVersion", "time", "fieldsType", "subresource"):
            if not isinstance(entry.get(name), str | None):
                raise ValueError(_mismatch(entry[name], f".managedFields.{name}", "string"))


def _mismatch(value: Any, path: str, wanted: str) -> str:
    found = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    what = found.get(type(value), "null")
    return f"json: cannot unmarshal {what} into Go struct field ObjectMeta.metadata{path} of type {wanted}"


def faults(metadata: Mapping[str, Any], resource: str, namespaced: bool) -> list[Cause]:
    """Everything wrong with the metadata of a new object (or of an updated one)."""
    return [*_name_faults(metadata, resource, namespaced), *_content_faults(metadata)]


def update_faults(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[Cause]:
    """What an update may not do to metadata, beyond `faults`."""
    causes = list(_content_faults(new))
    if "deletionTimestamp" in old:
        added = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
        if added:
            shown = ", ".join(_quoted(name) for name in added)
            why = (
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{shown}}}"
            )
            causes.append(Cause("FieldValueForbidden", f"Forbidden: {why}", "metadata.finalizers"))
    return causes


def _name_faults(metadata: Mapping[str, Any], resource: str, namespaced: bool) -> Iterator[Cause]:
    name, prefix = metadata.get("name", ""), metadata.get("generateName", "")
    if prefix:
        for message in names.prefix_errors(resource, prefix):
            yield _invalid("metadata.generateName", prefix, message)
    if not name:
        yield Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
    else:
        for message in names.name_errors(resource, name):
            yield _invalid("metadata.name", name, message)
    namespace = metadata.get("namespace", "")
    if namespaced:
        for message in names.label_1123_errors(namespace):
            yield _invalid("metadata.namespace", namespace, message)
    elif namespace:
        yield Cause("FieldValueForbidden", "Forbidden: not allowed on this type", "metadata.namespace")


def _content_faults(metadata: Mapping[str, Any]) -> Iterator[Cause]:
    for key, value in (metadata.get("labels") or {}).items():
        for message in names.qualified_name_errors(key):
            yield _invalid("metadata.labels", key, message)
        for message in names.label_value_errors(value):
            yield _invalid("metadata.labels", value, message)
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        for message in names.qualified_name_errors(key.lower()):
            yield _invalid("metadata.annotations", key, message)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_LIMIT_BYTES:
        message = f"Too long: may not be more than {ANNOTATIONS_LIMIT_BYTES} bytes"
        yield Cause("FieldValueTooLong", message, "metadata.annotations")
    yield from _owner_faults(metadata.get("ownerReferences") or ())
    yield from _finalizer_faults(metadata.get("finalizers") or ())


def _owner_faults(owners: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    controller: str | None = None
    for owner in owners:
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                message = "version must not be empty" if name == "apiVersion" else "must not be empty"
                yield _invalid(f"metadata.ownerReferences.{name}", "", message)
        if owner.get("controller"):
            this = f"{owner.get('kind')}/{owner.get('name')}"
            if controller is not None:
                yield _invalid(
                    "metadata.ownerReferences",
                    list(owners),
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}',
                )
                return  # said once: each saying shows them all
            controller = this


def _finalizer_faults(finalizers: Sequence[str]) -> Iterator[Cause]:
    for name in finalizers:
        for message in names.qualified_name_errors(name):
            yield _invalid("metadata.finalizers", name, message)
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        yield _invalid(
            "metadata.finalizers", list(finalizers), "finalizer orphan and foregroundDeletion cannot be both set"
        )


def _invalid(field: str, value: Any, message: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {_quoted(value)}: {message}", field)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()


def deduplicated_owners(metadata: dict[str, Any]) -> str:
    """Drop repeated owner references; the warning that says so, or ""."""
    owners = metadata.get("ownerReferences") or []
    seen: set[str] = set()
    kept = [owner for owner in owners if not (owner["uid"] in seen or seen.add(owner["uid"]))]  # type: ignore[func-returns-value]
    if len(kept) == len(owners):
        return ""
    metadata["ownerReferences"] = kept
    return ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+"
