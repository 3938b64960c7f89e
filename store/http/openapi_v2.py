"""OpenAPI v3 documents as one v2 document, for old clients: definitions and operations, without what v2 cannot say.

Encoded as JSON. Clients that want v2 in protobuf get a valid document without content: kubectl looks there for kinds
that it has not found in v3, and shall learn that there are none rather than fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
# What is asked for with an @ is answered with a dot, which Go can parse.
PROTOBUF_ANSWER = PROTOBUF.replace("@", ".")
# Fields of gnostic's openapi.v2.Document: 1 is swagger, 2 is info with 1 its title and 2 its version.
EMPTY_PROTOBUF = b"\x0a\x032.0" + b"\x12\x0e" + b"\x0a\x09Gatehouse" + b"\x12\x011"

_METHODS = ("get", "put", "post", "delete", "patch")
_NOT_IN_V2 = ("nullable", "oneOf", "anyOf", "not")


def convert(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A Swagger 2.0 document with the content of all these."""
    definitions: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    info: dict[str, Any] = {}
    for document in documents:
        info = document["info"]
        definitions |= {name: _schema(schema) for name, schema in document["components"]["schemas"].items()}
        paths |= {path: _path_item(item) for path, item in document["paths"].items()}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": definitions}


def _schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(target := schema.get("$ref"), str):
        return {"$ref": target.replace("#/components/schemas/", "#/definitions/")}
    inner = schema.get("allOf")
    if isinstance(inner, list) and len(inner) == 1 and "$ref" in inner[0]:
        return {"description": schema.get("description", "")} | _schema(inner[0])
    return {key: _schema(value) for key, value in schema.items() if key not in _NOT_IN_V2}


def _path_item(item: dict[str, Any]) -> dict[str, Any]:
    converted: dict[str, Any] = {method: _operation(item[method]) for method in _METHODS if method in item}
    return converted | {"parameters": [_parameter(p) for p in item.get("parameters", ())]}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    converted = {key: value for key, value in operation.items() if key != "requestBody"}
    converted["parameters"] = [_parameter(p) for p in operation["parameters"]]
    if body := operation.get("requestBody"):
        media = next(iter(body["content"].values()))
        sent = {
            "name": "body",
            "in": "body",
            "required": body.get("required", False),
            "schema": _schema(media["schema"]),
        }
        converted |= {"consumes": list(body["content"]), "parameters": [sent, *converted["parameters"]]}
    converted["responses"] = {code: _response(response) for code, response in operation["responses"].items()}
    return converted


def _response(response: dict[str, Any]) -> dict[str, Any]:
    converted = {"description": response["description"]}
    for media in response.get("content", {}).values():
        converted["schema"] = _schema(media["schema"])
    return converted


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in parameter.items() if key != "schema"}
    return {**rest, **parameter["schema"]}
