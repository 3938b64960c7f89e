"""Discovery: which groups, versions and resources there are (kubernetes.io: "Kubernetes API", "API discovery").

The registry's content goes out in the legacy form (one document per group version) and in the aggregated form (two
documents for everything, with ETags). It follows the registry: a CRD that was installed appears at the next request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from store.http.answers import document_answer, plain_answer
from store.http.errors import UnknownPathError
from store.http.negotiation import JSON, parse_accept
from store.http.served import SUBRESOURCE_VERBS, GroupVersion, Resource, by_group, group_versions
from store.kinds.registry import Registry

Root = Literal["api", "apis"]

_AGGREGATED_VERSIONS = ("v2", "v2beta1")


class Discovery:
    """The handlers of /api, /apis and what lies directly below."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: tuple[int, tuple[GroupVersion, ...]] = (-1, ())
        self._aggregated: dict[tuple[int, Root, str], bytes] = {}

    def group_versions(self) -> tuple[GroupVersion, ...]:
        """What is served now."""
        version = self._registry.version
        if self._known[0] != version:
            self._known = (version, group_versions(self._registry))
            self._aggregated.clear()
        return self._known[1]

    async def core(self, request: Request) -> Response:
        """/api"""
        if aggregated := aggregated_version(request.headers.get("accept", "")):
            return await self._aggregated_answer(request, "api", aggregated)
        host = request.headers.get("host", "")
        addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
        versions = [gv.version for gv in self.group_versions() if not gv.group]
        document = {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses}
        return _vary(await document_answer(request, document))

    async def groups(self, request: Request) -> Response:
        """/apis"""
        if aggregated := aggregated_version(request.headers.get("accept", "")):
            return await self._aggregated_answer(request, "apis", aggregated)
        groups = [_group(name, versions) for name, versions in by_group(self.group_versions()).items() if name]
        return _vary(await document_answer(request, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))

    async def group(self, request: Request) -> Response:
        """/apis/GROUP"""
        name = request.path_params["group"]
        versions = by_group(self.group_versions()).get(name)
        if not versions or not name:
            raise UnknownPathError
        return await document_answer(request, {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, versions))

    async def resources(self, request: Request) -> Response:
        """/api/v1 and /apis/GROUP/VERSION"""
        wanted = (request.path_params.get("group", ""), request.path_params["version"])
        for group_version in self.group_versions():
            if (group_version.group, group_version.version) == wanted:
                return await document_answer(request, resource_list(group_version))
        raise UnknownPathError

    async def _aggregated_answer(self, request: Request, root: Root, version: str) -> Response:
        group_versions = self.group_versions()
        key = (self._registry.version, root, version)
        body = self._aggregated.get(key)
        if body is None:
            chosen = [gv for gv in group_versions if bool(gv.group) == (root == "apis")]
            body = self._aggregated[key] = orjson.dumps(aggregate(chosen, version))
        etag = f'"{hashlib.sha256(body).hexdigest().upper()}"'
        if request.headers.get("if-none-match", "") == etag:
            response = Response(status_code=304)
        else:
            media = f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            response = await plain_answer(request, body, media)
        response.headers["ETag"] = etag
        return _vary(response)


def aggregated_version(accept: str) -> str | None:
    """The version of the aggregated form that the client likes best; None: it prefers the legacy form."""
    for wanted in parse_accept(accept):
        parameters = wanted.parameters
        if wanted.media in (JSON, "*/*", "application/*") and "as" not in parameters:
            return None
        if (
            wanted.media == JSON
            and parameters.get("as") == "APIGroupDiscoveryList"
            and parameters.get("g") == "apidiscovery.k8s.io"
            and parameters.get("v") in _AGGREGATED_VERSIONS
        ):
            return parameters["v"]
    return None


def aggregate(chosen: Iterable[GroupVersion], version: str) -> dict[str, Any]:
    """An APIGroupDiscoveryList; version: of apidiscovery.k8s.io."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [
                {"version": gv.version, "resources": [_aggregated(gv, r) for r in gv.resources], "freshness": "Current"}
                for gv in versions
            ],
        }
        for group, versions in by_group(chosen).items()
    ]
    api_version = f"apidiscovery.k8s.io/{version}"
    return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}


def resource_list(group_version: GroupVersion) -> dict[str, Any]:
    """An APIResourceList."""
    entries: list[Mapping[str, Any]] = []
    for resource in group_version.resources:
        entry = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": resource.verbs,
        }
        entries.append(entry | _names(resource))
        entries += [
            {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": resource.kind,
                "verbs": SUBRESOURCE_VERBS,
            }
            for name in resource.subresources
        ]
    document = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version.name}
    return document | {"resources": entries}


def _aggregated(group_version: GroupVersion, resource: Resource) -> dict[str, Any]:
    response_kind = {"group": group_version.group, "version": group_version.version, "kind": resource.kind}
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": response_kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    }
    if resource.subresources:
        entry["subresources"] = [
            {"subresource": name, "responseKind": response_kind, "verbs": SUBRESOURCE_VERBS}
            for name in resource.subresources
        ]
    return entry | _names(resource)


def _names(resource: Resource) -> dict[str, Any]:
    names = {"shortNames": resource.short_names, "categories": resource.categories}
    return {key: value for key, value in names.items() if value}


def _group(name: str, versions: list[GroupVersion]) -> dict[str, Any]:
    listed = [{"groupVersion": gv.name, "version": gv.version} for gv in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _vary(response: Response) -> Response:
    response.headers.add_vary_header("Accept")
    return response
