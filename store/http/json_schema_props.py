"""What `kubectl explain crd.spec.versions.schema` shows: the vocabulary of schemas in definitions, in our words.

Nothing comes in but the prefix of the components' names; nobody validates with these.
"""

from __future__ import annotations

from typing import Any

from store.http.meta_schemas import ref

_STRINGS = {
    "$ref": "Reference to another schema; not allowed in definitions.",
    "$schema": "Dialect of the schema.",
    "description": "What the value is for.",
    "format": "Further form of a text or number, such as date-time.",
    "id": "Name of the schema.",
    "pattern": "Regular expression that a text must match.",
    "title": "Title of the schema.",
    "type": "object, array, string, integer, number or boolean.",
    "x-kubernetes-list-type": "atomic, set or map: how lists merge.",
    "x-kubernetes-map-type": "granular or atomic: how objects merge.",
}
_BOOLEANS = {
    "exclusiveMaximum": "Whether maximum itself is too much.",
    "exclusiveMinimum": "Whether minimum itself is too little.",
    "nullable": "Whether null is a value.",
    "uniqueItems": "Whether items must differ; not allowed in definitions.",
    "x-kubernetes-embedded-resource": "Whether the value is an object with apiVersion, kind and metadata.",
    "x-kubernetes-int-or-string": "Whether the value is a number or a text.",
    "x-kubernetes-preserve-unknown-fields": "Whether fields that the schema lacks are kept.",
}
_INTEGERS = {
    "maxItems": "Most items of a list.",
    "maxLength": "Most characters of a text.",
    "maxProperties": "Most fields of an object.",
    "minItems": "Fewest items of a list.",
    "minLength": "Fewest characters of a text.",
    "minProperties": "Fewest fields of an object.",
}
_NUMBERS = {"maximum": "Largest number.", "minimum": "Smallest number.", "multipleOf": "What numbers are multiples of."}
_TEXT_LISTS = {
    "required": "Fields that must be there.",
    "x-kubernetes-list-map-keys": "Fields that tell items of a map-like list apart.",
}
_ANYTHING = {"default": "Value where none is given.", "example": "A value to look at."}
_SCHEMAS = {"not": "What must not match."}
_SCHEMA_LISTS = {"allOf": "All must match.", "anyOf": "One at least must match.", "oneOf": "Exactly one must match."}
_SCHEMA_MAPS = {
    "definitions": "Schemas to refer to; not allowed in definitions.",
    "patternProperties": "Fields by patterns of their names; not allowed in definitions.",
    "properties": "The fields of an object.",
}
_OR_BOOLEAN = {
    "additionalItems": "Items beyond the listed ones; not allowed in definitions.",
    "additionalProperties": "Schema of the values of free keys.",
}
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def components(prefix: str) -> dict[str, dict[str, Any]]:
    """The schemas of schemas by component name."""
    return {
        prefix + "JSONSchemaProps": _schema_of_schemas(prefix),
        prefix + "ExternalDocumentation": _record(
            "Where more is written.", {"description": _text("What is there."), "url": _text("Where it is.")}
        ),
        prefix + "ValidationRule": _validation_rule(),
        prefix + "JSON": {"description": "Any JSON value."},
        prefix + "JSONSchemaPropsOrArray": {"description": "A schema, or a list of schemas."},
        prefix + "JSONSchemaPropsOrBool": {"description": "A schema, or true or false."},
        prefix + "JSONSchemaPropsOrStringArray": {"description": "A schema, or a list of names."},
    }


def _schema_of_schemas(prefix: str) -> dict[str, Any]:
    def named(name: str) -> dict[str, Any]:
        return {"allOf": [ref(prefix + name)]}

    def listed(items: dict[str, Any], description: str) -> dict[str, Any]:
        return {"type": "array", "items": items, "description": description}

    def mapped(values: dict[str, Any], description: str) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": values, "description": description}

    schema = named("JSONSchemaProps")
    fields = {name: _text(text) for name, text in _STRINGS.items()}
    for type_, described in (("boolean", _BOOLEANS), ("integer", _INTEGERS), ("number", _NUMBERS)):
        fields |= {name: {"type": type_, "description": text} for name, text in described.items()}
    fields |= {name: listed(_text(), text) for name, text in _TEXT_LISTS.items()}
    fields |= {name: named("JSON") | {"description": text} for name, text in _ANYTHING.items()}
    fields |= {name: schema | {"description": text} for name, text in _SCHEMAS.items()}
    fields |= {name: listed(schema, text) for name, text in _SCHEMA_LISTS.items()}
    fields |= {name: mapped(schema, text) for name, text in _SCHEMA_MAPS.items()}
    fields |= {name: named("JSONSchemaPropsOrBool") | {"description": text} for name, text in _OR_BOOLEAN.items()}
    fields |= {
        "dependencies": mapped(named("JSONSchemaPropsOrStringArray"), "Not allowed in definitions."),
        "enum": listed(named("JSON"), "The values that there are."),
        "externalDocs": named("ExternalDocumentation") | {"description": "Where more is written."},
        "items": named("JSONSchemaPropsOrArray") | {"description": "Schema of the items of a list."},
        "x-kubernetes-validations": listed(named("ValidationRule"), "Rules in CEL."),
    }
    return _record("A schema: what values look like.", dict(sorted(fields.items())))


def _validation_rule() -> dict[str, Any]:
    fields = {
        "fieldPath": _text("Field that a violation is blamed on."),
        "message": _text("What is said of a violation."),
        "messageExpression": _text("CEL expression of what is said."),
        "optionalOldSelf": {"type": "boolean", "description": "Whether oldSelf may be absent."},
        "reason": _text("Reason in the refusal.") | {"enum": list(_REASONS)},
        "rule": _text("CEL expression that must be true."),
    }
    return _record("A rule in CEL.", fields) | {"required": ["rule"]}


def _record(description: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": fields}


def _text(description: str = "") -> dict[str, Any]:
    return {"type": "string", "description": description}
