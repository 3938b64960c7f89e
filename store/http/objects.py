"""The verbs on objects over HTTP: list, create, get, replace, patch, delete and deletecollection, and the subresources.

Requests on resource URLs come in; the service's verbs are called; answers in the negotiated form go out. Watches are
`store.http.watch`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from store.auth.authorization import Access, require
from store.errors import StatusError
from store.http import answers, parameters
from store.http.bodies import read_body
from store.http.duplicates import judge
from store.http.errors import bad_request, method_not_allowed, warning
from store.http.negotiation import decode_body, decode_patch, is_json
from store.http.urls import collection_of, target_of, version_of
from store.http.watch import WatchStream, wants_watch
from store.service import Service
from store.verbs import Answer, Collection, Patch, Target, WriteOptions

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
INLINE_LIMIT_BYTES = 64 * 1024
_READER = ThreadPoolExecutor(1, "request-bodies")

T = TypeVar("T")

_OPTIONS_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


class Objects:
    """The handlers of all resource URLs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def collection(self, request: Request) -> Response | WatchStream:
        """.../PLURAL"""
        collection = collection_of(self._service.registry, request.path_params)
        _authorize(request, collection)
        with _warning_of(collection):
            return _deprecated(collection, await self._collection(request, collection))

    async def _collection(self, request: Request, collection: Collection) -> Response | WatchStream:
        match request.method:
            case "GET" if wants_watch(request):
                return self._watch(request, collection)
            case "GET" | "HEAD":
                page = self._service.list(collection, parameters.list_options(request.query_params))
                return await answers.list_answer(request, collection, page)
            case "POST":
                return await self._create(request, collection)
            case "DELETE":
                selection = parameters.selection(request.query_params)
                options = parameters.delete_options(request.query_params, await _delete_body(request), _agent(request))
                page = await self._service.delete_collection(collection, selection, options)
                return await answers.list_answer(request, collection, page)
            case _:
                raise method_not_allowed()

    async def item(self, request: Request) -> Response | WatchStream:
        """.../PLURAL/NAME and .../PLURAL/NAME/SUBRESOURCE"""
        return await self._item(request, target_of(self._service.registry, request.path_params))

    async def namespace(self, request: Request, subresource: str) -> Response | WatchStream:
        """/api/v1/namespaces/NAME/SUBRESOURCE, where NAME is the object and not the place."""
        parts = {**request.path_params, "plural": "namespaces", "subresource": subresource}
        return await self._item(request, target_of(self._service.registry, parts))

    async def _item(self, request: Request, target: Target) -> Response | WatchStream:
        _authorize(request, target)
        with _warning_of(target):
            return _deprecated(target, await self._verb(request, target))

    async def _verb(self, request: Request, target: Target) -> Response | WatchStream:
        match request.method:
            case "GET" if wants_watch(request):
                collection = Collection(target.kind, target.version, target.namespace)
                return self._watch(request, collection, target.name)
            case "GET" | "HEAD":
                return await answers.object_answer(request, target, self._service.get(target), 200)
            case "PUT":
                return await self._replace(request, target)
            case "PATCH":
                return await self._patch(request, target)
            case "DELETE" if not target.subresource:
                return await self._delete(request, target)
            case _:
                raise method_not_allowed()

    def _watch(self, request: Request, collection: Collection, name: str = "") -> WatchStream:
        options = parameters.watch_options(request.query_params, name)
        return WatchStream(
            self._service, collection, options, answers.form_of(request), answers.include_object(request)
        )

    async def _create(self, request: Request, collection: Collection) -> Response:
        if collection.kind.namespaced and not collection.namespace:
            raise method_not_allowed()
        options = parameters.write_options(request.query_params, _agent(request), _OPTIONS_KINDS["POST"])
        obj, warnings = await _object(request, collection, options)
        return await _written(request, collection, await self._service.create(collection, obj, options), warnings)

    async def _replace(self, request: Request, target: Target) -> Response:
        options = parameters.write_options(request.query_params, _agent(request), _OPTIONS_KINDS["PUT"])
        obj, warnings = await _object(request, target, options)
        return await _written(request, target, await self._service.replace(target, obj, options), warnings)

    async def _patch(self, request: Request, target: Target) -> Response:
        options = parameters.write_options(request.query_params, _agent(request), _OPTIONS_KINDS["PATCH"])
        body = await read_body(request)
        content_type, custom = request.headers.get("content-type", ""), target.kind.custom
        patch_type, document = await _aside(body, lambda: decode_patch(content_type, body, custom=custom))
        if patch_type == "apply":
            parameters.require_manager(request.query_params)
            document = fill_in(document, target)
        return await _written(request, target, await self._service.patch(target, Patch(patch_type, document), options))

    async def _delete(self, request: Request, target: Target) -> Response:
        options = parameters.delete_options(request.query_params, await _delete_body(request), _agent(request))
        answer = await self._service.delete(target, options)
        if answer.deleted and not _returns_deleted(target):
            return await answers.document_answer(request, _success(target, answer), 200, answer.warnings)
        return await answers.object_answer(request, target, answer.value, 200, answer.warnings)


def fill_in(obj: dict[str, Any], of: Target | Collection) -> dict[str, Any]:
    """The object with apiVersion and kind of its URL where it has none. Raises StatusError 400 where they differ."""
    api_version, kind = of.kind.api_version(of.version), of.kind.name
    filled = {"apiVersion": obj.get("apiVersion") or api_version, "kind": obj.get("kind") or kind}
    if filled["apiVersion"] != api_version:
        raise bad_request(
            "the API version in the data "
            f"({filled['apiVersion']}) does not match the expected API version ({api_version})"
        )
    if filled["kind"] != kind:
        group_version = api_version if of.kind.group else f"/{api_version}"
        raise bad_request(
            f'{filled["kind"]} in version "{of.version}" cannot be handled as a {kind} of {group_version}'
        )
    return filled | {key: value for key, value in obj.items() if key not in filled}


async def _object(
    request: Request, of: Target | Collection, options: WriteOptions
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object in the body, and what to warn of."""
    body = await read_body(request)
    content_type = request.headers.get("content-type", "")
    obj = await _aside(body, lambda: decode_body(content_type, body, of.kind.name))
    warnings = judge(body, obj, of.kind.name, of.version, options.validation) if is_json(content_type) else ()
    return fill_in(obj, of), warnings


async def _aside(body: bytes, decode: Callable[[], T]) -> T:
    """Decode a body; one that takes long, on a thread, where others get their turn between its events.

    One at a time: each that parses takes a share of the interpreter from everything else in this process.
    """
    if len(body) <= INLINE_LIMIT_BYTES:
        return decode()
    return await asyncio.get_running_loop().run_in_executor(_READER, decode)


async def _delete_body(request: Request) -> Mapping[str, Any]:
    body = await read_body(request)
    return decode_body(request.headers.get("content-type", ""), body, "DeleteOptions") if body else {}


async def _written(
    request: Request, of: Target | Collection, answer: Answer, warnings: tuple[str, ...] = ()
) -> Response:
    code = 201 if answer.created else 200
    return await answers.object_answer(request, of, answer.value, code, (*warnings, *answer.warnings))


def _returns_deleted(target: Target) -> bool:
    """Services are the one kind of ours that Kubernetes answers with the object rather than with a Status."""
    return not target.kind.group and target.kind.plural == "services"


def _deprecated(of: Target | Collection, answer: Response | WatchStream) -> Response | WatchStream:
    """The answer, with the warning of a deprecated version."""
    if text := version_of(of).deprecation:
        header = warning(text)
        if header not in answer.headers.getlist("Warning"):
            answer.headers.append("Warning", header)
    return answer


@contextmanager
def _warning_of(of: Target | Collection) -> Iterator[None]:
    """Refusals carry the warning of a deprecated version as well."""
    try:
        yield
    except StatusError as error:
        if text := version_of(of).deprecation:
            error.warnings = (*error.warnings, text)
        raise


def _authorize(request: Request, of: Target | Collection) -> None:
    """Raises StatusError 403."""
    name, subresource = (of.name, of.subresource) if isinstance(of, Target) else ("", "")
    verb = _VERBS.get(request.method, "")
    if verb == "get" and wants_watch(request):
        verb = "watch"
    elif not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    access = Access(verb, of.kind.group, of.kind.plural, subresource, of.namespace, name)
    require(request.scope["user"], access)


def _success(target: Target, answer: Answer) -> dict[str, Any]:
    details = {"name": target.name, "group": target.kind.group, "kind": target.kind.plural}
    details["uid"] = orjson.loads(answer.value)["metadata"].get("uid", "")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
