"""/openapi: one OpenAPI v3 document per group version, an index with their hashes, and the older v2 form.

The registry and the CustomResourceDefinitions in the store come in, documents go out. Where somebody has installed a
definition of his own, his descriptions are shown. `kubectl explain` and every validating write of kubectl read these.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from store.errors import StatusError
from store.http import meta_schemas, native_types, openapi_v2
from store.http.answers import plain_answer
from store.http.discovery import Discovery
from store.http.errors import UnknownPathError
from store.http.negotiation import JSON, not_acceptable, parse_accept
from store.http.openapi_paths import paths
from store.http.served import GroupVersion, Resource
from store.http.version import own_version
from store.schema.openapi import openapi
from store.service import Service
from store.verbs import Target

DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Document:
    """One encoded document. hash: of its content; made_from: of what it was written from."""

    body: bytes
    hash: str
    made_from: int


class OpenApi:
    """The handlers below /openapi."""

    def __init__(self, service: Service, discovery: Discovery) -> None:
        self._service = service
        self._discovery = discovery
        self._documents: dict[str, Document] = {}

    async def index(self, request: Request) -> Response:
        """/openapi/v3: where the documents are, with hashes by which clients keep them."""
        found = {}
        for group_version in self._discovery.group_versions():
            where = _where(group_version)
            document = self._document(group_version)
            found[where] = {"serverRelativeURL": f"/openapi/v3/{where}?hash={document.hash}"}
            await asyncio.sleep(0)  # writing one document takes milliseconds, and the loop is shared
        self._documents = {name: known for name, known in self._documents.items() if name in found}
        return await plain_answer(request, orjson.dumps({"paths": found}))

    async def document(self, request: Request) -> Response:
        """/openapi/v3/api/v1 and /openapi/v3/apis/GROUP/VERSION"""
        wanted = (request.path_params.get("group", ""), request.path_params["version"])
        for group_version in self._discovery.group_versions():
            if (group_version.group, group_version.version) == wanted:
                return await _hashed(request, self._document(group_version))
        raise UnknownPathError

    async def v2(self, request: Request) -> Response:
        """/openapi/v2: everything as JSON; as protobuf, which kubectl prefers, a document that says nothing."""
        wanted = [r.media for r in parse_accept(request.headers.get("accept", ""))]
        if openapi_v2.PROTOBUF in wanted:
            return await plain_answer(request, openapi_v2.EMPTY_PROTOBUF, openapi_v2.PROTOBUF_ANSWER)
        if not {JSON, "*/*", "application/*"} & set(wanted):
            raise not_acceptable(JSON)
        documents = []
        for group_version in self._discovery.group_versions():
            documents.append(orjson.loads(self._document(group_version).body))
            await asyncio.sleep(0)
        return await plain_answer(request, orjson.dumps(openapi_v2.convert(documents)))

    def _document(self, group_version: GroupVersion) -> Document:
        definitions = {r.plural: self._definition(group_version, r) for r in group_version.resources}
        # The bytes of an unchanged object stay the same object, whose hash Python computes once.
        made_from = hash((self._service.registry.version, tuple(definitions.values())))
        known = self._documents.get(group_version.name)
        if known is None or known.made_from != made_from:
            body = orjson.dumps(_write(group_version, definitions))
            known = Document(body, hashlib.sha256(body).hexdigest().upper(), made_from)
            self._documents[group_version.name] = known
        return known

    def _definition(self, group_version: GroupVersion, resource: Resource) -> bytes | None:
        """The CustomResourceDefinition of this resource, where there is one."""
        kind = self._service.registry.find(*DEFINITIONS)
        if kind is None or not group_version.group:
            return None
        name = f"{resource.plural}.{group_version.group}"
        try:
            return self._service.get(Target(kind, kind.storage_version.name, "", name))
        except StatusError:  # 404: a kind of ours that no definition describes
            return None


def _write(group_version: GroupVersion, definitions: dict[str, bytes | None]) -> dict[str, Any]:
    schemas = dict(meta_schemas.SCHEMAS)
    found: dict[str, Any] = {}
    for resource in group_version.resources:
        component = component_name(group_version, resource.kind)
        schema = _schema(group_version, resource, definitions[resource.plural])
        if resource.stored is not None and not resource.stored.custom:
            prefix = component.removesuffix(resource.kind)
            schema, named = native_types.name_types(schema, resource.kind, prefix)
            schemas |= named
        schemas[component] = _whole(schema, group_version, resource.kind)
        if resource.stored is not None:
            schemas[f"{component}List"] = _list(group_version, resource.kind, component)
        found |= paths(group_version, resource, component)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Gatehouse", "version": own_version()},
        "paths": found,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}},
        },
    }


def _schema(group_version: GroupVersion, resource: Resource, definition: bytes | None) -> dict[str, Any]:
    if definition is not None:
        for version in orjson.loads(definition)["spec"]["versions"]:
            schema: dict[str, Any] = (version.get("schema") or {}).get("openAPIV3Schema") or {}
            if version["name"] == group_version.version and schema:
                return schema
    if resource.stored is None:
        return {"type": "object"}
    return openapi(next(v.schema for v in resource.stored.versions if v.name == group_version.version))


def _whole(schema: dict[str, Any], group_version: GroupVersion, kind: str) -> dict[str, Any]:
    """The schema of a kind with what all kinds share."""
    shared = {
        "apiVersion": meta_schemas.API_VERSION,
        "kind": meta_schemas.KIND,
        "metadata": meta_schemas.meta_ref("ObjectMeta", meta_schemas.METADATA),
    }
    properties = dict(sorted(((schema.get("properties") or {}) | shared).items()))
    gvk = [{"group": group_version.group, "kind": kind, "version": group_version.version}]
    return {**schema, "type": "object", "properties": properties, "x-kubernetes-group-version-kind": gvk}


def _list(group_version: GroupVersion, kind: str, component: str) -> dict[str, Any]:
    properties = {
        "apiVersion": meta_schemas.API_VERSION,
        "items": {"type": "array", "items": meta_schemas.ref(component), "description": f"The {kind} objects."},
        "kind": meta_schemas.KIND,
        "metadata": meta_schemas.meta_ref("ListMeta", "Revision and continuation of the list."),
    }
    schema = {"type": "object", "description": f"A list of {kind}.", "required": ["items"], "properties": properties}
    gvk = [{"group": group_version.group, "kind": f"{kind}List", "version": group_version.version}]
    return schema | {"x-kubernetes-group-version-kind": gvk}


def component_name(group_version: GroupVersion, kind: str) -> str:
    """As Kubernetes names them: io.k8s.api.core.v1.Service, io.k8s.networking.gateway.v1.HTTPRoute."""
    if not group_version.group:
        return f"io.k8s.api.core.{group_version.version}.{kind}"
    reversed_group = ".".join(reversed(group_version.group.split(".")))
    return f"{reversed_group}.{group_version.version}.{kind}"


def _where(group_version: GroupVersion) -> str:
    return f"apis/{group_version.name}" if group_version.group else f"api/{group_version.name}"


async def _hashed(request: Request, document: Document) -> Response:
    etag = f'"{document.hash}"'
    if request.headers.get("if-none-match", "") == etag:
        response = Response(status_code=304)
    else:
        response = await plain_answer(request, document.body)
    response.headers["ETag"] = etag
    if request.query_params.get("hash", "") == document.hash:
        response.headers["Cache-Control"] = _FOREVER
    response.headers.add_vary_header("Accept")
    return response
