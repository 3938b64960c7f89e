"""The named types of Kubernetes' own kinds, so that `kubectl explain service` says <ServiceSpec> and not <Object>.

An inline schema of such a kind comes in; the same with its parts moved into components goes out. Custom kinds have no
named types and are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.http import json_schema_props, meta_schemas
from store.http.meta_schemas import ref
from store.kinds.type_names import SHARED, TYPE_NAMES

INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


def name_types(schema: dict[str, Any], kind: str, prefix: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The schema with references, and the components they point to.

    prefix: of the components' names, such as "io.k8s.api.core.v1.".
    """
    components: dict[str, dict[str, Any]] = {}

    def walk(node: dict[str, Any], path: str) -> dict[str, Any]:
        built = dict(node)
        if properties := node.get("properties"):
            stem = f"{path}." if path else ""
            built["properties"] = {name: walk(inner, stem + name) for name, inner in properties.items()}
        if isinstance(items := node.get("items"), dict):
            built["items"] = walk(items, f"{path}[]")
        if node.get("x-kubernetes-int-or-string"):
            components[INT_OR_STRING] = {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
            return _pointing(node, INT_OR_STRING)
        name = TYPE_NAMES.get(kind, {}).get(path)
        if name is None or node.get("type") != "object":
            return built
        if name in SHARED:
            return _pointing(node, meta_schemas.PREFIX + name)
        if name == "JSONSchemaProps":
            components.update(json_schema_props.components(prefix))
        components.setdefault(prefix + name, built)
        return _pointing(node, prefix + name)

    return walk(schema, ""), components


def _pointing(node: Mapping[str, Any], component: str) -> dict[str, Any]:
    kept = {key: node[key] for key in ("description", "default") if key in node}
    return kept | {"allOf": [ref(component)]}
