"""How metadata merges: the same for every kind, whatever its own schema says of it (meta/v1 ObjectMeta)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.schema.structural import Schema

_STRING = Schema(type="string")
_STRINGS = Schema(type="object", additional=_STRING)
_OWNER = Schema(
    type="object",
    map_type="atomic",
    properties={
        "apiVersion": _STRING,
        "kind": _STRING,
        "name": _STRING,
        "uid": _STRING,
        "controller": Schema(type="boolean"),
        "blockOwnerDeletion": Schema(type="boolean"),
    },
)

OBJECT_META = Schema(
    type="object",
    properties={
        "name": _STRING,
        "generateName": _STRING,
        "namespace": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
        "resourceVersion": _STRING,
        "generation": Schema(type="integer"),
        "creationTimestamp": Schema(type="string", format="date-time", nullable=True),
        "deletionTimestamp": Schema(type="string", format="date-time", nullable=True),
        "deletionGracePeriodSeconds": Schema(type="integer"),
        "labels": _STRINGS,
        "annotations": _STRINGS,
        "ownerReferences": Schema(
            type="array",
            items=_OWNER,
            list_type="map",
            list_map_keys=("uid",),
            patch_strategy="merge",
            patch_merge_key="uid",
        ),
        "finalizers": Schema(type="array", items=_STRING, list_type="set", patch_strategy="merge"),
        "managedFields": Schema(type="array", items=Schema(type="object", preserve_unknown=True)),
    },
)

_ROOTS_LIMIT = 256
_roots: dict[int, tuple[Schema, Schema]] = {}


def object_schema(schema: Schema) -> Schema:
    """The schema of whole objects, with the metadata, apiVersion and kind that all have. Cached by identity."""
    known = _roots.get(id(schema))
    if known is not None and known[0] is schema:
        return known[1]
    shared: dict[str, Any] = {"apiVersion": _STRING, "kind": _STRING, "metadata": OBJECT_META}
    root = replace(schema, properties={**schema.properties, **shared})
    while len(_roots) >= _ROOTS_LIMIT:
        _roots.pop(next(iter(_roots)))
    _roots[id(schema)] = schema, root
    return root
