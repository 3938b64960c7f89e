"""From client-side to server-side apply: the annotation in which `kubectl apply` keeps what it sent last.

Only the manager named "kubectl" is treated so; other names opt out (apimachinery: managedfields, lastappliedmanager).
"""

from __future__ import annotations

from typing import Any

import orjson

from store.patch.comparison import compare
from store.patch.object_meta import object_schema
from store.patch.typed_values import fields_of
from store.schema.structural import Schema

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"


def excused_fields(live: dict[str, Any], schema: Schema, manager: str, api_version: str) -> frozenset[str]:
    """Paths this manager may take without a conflict: client-side apply set them, nobody has changed them since."""
    annotation = _annotations(live).get(ANNOTATION)
    if manager != MANAGER or not annotation:
        return frozenset()
    try:
        config = orjson.loads(annotation)
    except orjson.JSONDecodeError:
        return frozenset()  # whatever wrote it, it proves nothing, and the conflict stands
    if not isinstance(config, dict) or config.get("apiVersion") != api_version:
        return frozenset()
    allowed = fields_of(config, object_schema(schema))
    for changed in compare(config, live, schema):
        allowed = allowed.difference(changed)
    return frozenset(allowed.paths())


def renew(obj: dict[str, Any], config: dict[str, Any], manager: str) -> None:
    """Keep the annotation true on an object that has it, so that client-side apply still finds its base."""
    if manager != MANAGER or not _annotations(obj).get(ANNOTATION):
        return
    metadata = config.get("metadata") or {}
    annotations = {name: value for name, value in _annotations(config).items() if name != ANNOTATION}
    if "annotations" in metadata:
        metadata = metadata | {"annotations": annotations}
    text = orjson.dumps(config | {"metadata": metadata}, option=orjson.OPT_SORT_KEYS).decode()
    obj["metadata"]["annotations"][ANNOTATION] = text + "\n"


def _annotations(obj: dict[str, Any]) -> dict[str, Any]:
    annotations = (obj.get("metadata") or {}).get("annotations")
    return annotations if isinstance(annotations, dict) else {}
