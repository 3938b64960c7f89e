"""Between a Schema and its OpenAPI v3 form, as in a CustomResourceDefinition's openAPIV3Schema.

Rules do not cross: plain Python has no text form, and the CEL of an installed definition stays in the definition.
"""

from __future__ import annotations

from typing import Any, Final

from store.schema.structural import Schema

# (attribute, OpenAPI keyword) of everything that is copied when it is set.
_PLAIN: Final = (
    ("description", "description"),
    ("format", "format"),
    ("nullable", "nullable"),
    ("default", "default"),
    ("min_properties", "minProperties"),
    ("max_properties", "maxProperties"),
    ("min_items", "minItems"),
    ("max_items", "maxItems"),
    ("pattern", "pattern"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("exclusive_minimum", "exclusiveMinimum"),
    ("exclusive_maximum", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"),
    ("preserve_unknown", "x-kubernetes-preserve-unknown-fields"),
    ("embedded_resource", "x-kubernetes-embedded-resource"),
    ("int_or_string", "x-kubernetes-int-or-string"),
    ("patch_merge_key", "x-kubernetes-patch-merge-key"),
    ("patch_strategy", "x-kubernetes-patch-strategy"),
)
_JUNCTORS: Final = (("any_of", "anyOf"), ("one_of", "oneOf"), ("all_of", "allOf"))
_TYPES: Final = ("object", "array", "string", "integer", "number", "boolean")


def openapi(schema: Schema) -> dict[str, Any]:
    """The OpenAPI v3 node of a schema, all its children inside."""
    node: dict[str, Any] = {"type": schema.type} if schema.type else {}
    for attribute, keyword in _PLAIN:
        value = getattr(schema, attribute)
        if value is not None and value is not False and (value != "" or attribute == "default"):
            node[keyword] = value
    if enum := schema.enum or schema.stated_enum:
        node["enum"] = list(enum)
    if required := (*schema.required, *(n for n in schema.stated_required if n not in schema.required)):
        node["required"] = list(required)
    if schema.properties:
        node["properties"] = {name: openapi(child) for name, child in schema.properties.items()}
    if schema.additional is not None:
        node["additionalProperties"] = openapi(schema.additional)
    if schema.map_type == "atomic":
        node["x-kubernetes-map-type"] = "atomic"
    if schema.items is not None:
        node |= {"items": openapi(schema.items), "x-kubernetes-list-type": schema.list_type}
    if schema.list_map_keys:
        node["x-kubernetes-list-map-keys"] = list(schema.list_map_keys)
    for attribute, keyword in _JUNCTORS:
        if branches := getattr(schema, attribute):
            node[keyword] = [openapi(branch) for branch in branches]
    if schema.negated is not None:
        node["not"] = openapi(schema.negated)
    return node


def from_openapi(node: dict[str, Any]) -> Schema:
    """The schema of an OpenAPI v3 node. Raises ValueError, with the keyword, for what a structural schema cannot be."""
    type_ = node.get("type", "")
    if type_ and type_ not in _TYPES:
        raise ValueError(f"type: Unsupported value: {type_!r}")
    plain = {attribute: node[keyword] for attribute, keyword in _PLAIN if node.get(keyword) is not None}
    additional, items = node.get("additionalProperties"), node.get("items")
    if isinstance(items, list):
        raise ValueError("items must be a schema object and not an array")
    # additionalProperties: true says that any value may stand there.
    anything = Schema(type="", preserve_unknown=True) if additional is True else None
    return Schema(
        type=type_,
        enum=tuple(node.get("enum") or ()),
        properties={name: from_openapi(child) for name, child in (node.get("properties") or {}).items()},
        required=tuple(node.get("required") or ()),
        additional=from_openapi(additional) if isinstance(additional, dict) else anything,
        map_type=node.get("x-kubernetes-map-type", "granular"),
        items=from_openapi(items) if items is not None else None,
        list_type=node.get("x-kubernetes-list-type", "atomic"),
        list_map_keys=tuple(node.get("x-kubernetes-list-map-keys") or ()),
        any_of=tuple(from_openapi(branch) for branch in node.get("anyOf") or ()),
        one_of=tuple(from_openapi(branch) for branch in node.get("oneOf") or ()),
        all_of=tuple(from_openapi(branch) for branch in node.get("allOf") or ()),
        negated=from_openapi(node["not"]) if node.get("not") is not None else None,
        **plain,
    )
