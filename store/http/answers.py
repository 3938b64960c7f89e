"""Answers: encoded objects, lists and Tables as HTTP responses in the form that was negotiated.

Objects as JSON bytes come in, responses go out; large ones are compressed. Bytes that are served unchanged are never
parsed.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from store.http import tables, yaml_text
from store.http.errors import invalid_options, warning
from store.http.negotiation import JSON, YAML, Form, choose_form
from store.http.tables import IncludeObject
from store.http.urls import version_of
from store.verbs import Collection, Page, Target

COMPRESS_ABOVE_BYTES = 128 * 1024
_BY_HAND = ("curl", "Wget", "HTTPie")
ROWS_PER_SLICE = 100  # the control loop is shared: other requests get their turn between slices
_COMPRESSION_LEVEL = 1  # as kube-apiserver: most of the gain at a third of the time


def form_of(request: Request) -> Form:
    """What the client accepts. Raises StatusError 406."""
    return choose_form(request.headers.get("accept", ""))


async def object_answer(
    request: Request, target: Target | Collection, value: bytes, status: int, warnings: Iterable[str] = ()
) -> Response:
    """One object."""
    form = form_of(request)
    if form.view == "Object":
        return await encoded_answer(request, value, status, warnings)
    parsed = orjson.loads(value)
    if form.view == "PartialObjectMetadata":
        return await document_answer(request, tables.partial_object(parsed, form.version), status, warnings)
    metadata = {"resourceVersion": parsed["metadata"].get("resourceVersion", "")}
    document = await _table(request, target, (value,), form, metadata)
    return await document_answer(request, document, status, warnings)


async def list_answer(request: Request, collection: Collection, page: Page) -> Response:
    """A list, whole or one page of it."""
    form = form_of(request)
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.continue_:
        metadata["continue"] = page.continue_
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    if form.view == "Table":
        return await document_answer(request, await _table(request, collection, page.items, form, metadata))
    kind = collection.kind.name
    api_version = collection.kind.api_version(collection.version)
    items: Sequence[bytes] = page.items
    if form.view == "PartialObjectMetadata":
        kind, api_version = form.view, f"meta.k8s.io/{form.version}"
        items = [orjson.dumps(tables.partial_object(orjson.loads(item), form.version)) for item in items]
    head = orjson.dumps({"apiVersion": api_version, "kind": f"{kind}List", "metadata": metadata})
    return await encoded_answer(request, b"".join((head[:-1], b',"items":[', b",".join(items), b"]}")))


async def document_answer(
    request: Request, document: dict[str, Any], status: int = 200, warnings: Iterable[str] = ()
) -> Response:
    """Any other document."""
    return await encoded_answer(request, orjson.dumps(document), status, warnings)


async def encoded_answer(request: Request, body: bytes, status: int = 200, warnings: Iterable[str] = ()) -> Response:
    """JSON bytes, as they are or as YAML, compressed where that is worth it."""
    media = form_of(request).media
    if media == YAML:
        body = await asyncio.to_thread(lambda: yaml_text.dump(orjson.loads(body)))
    elif _pretty(request):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    response = await plain_answer(request, body, media, status)
    for text in warnings:
        response.headers.append("Warning", warning(text))
    return response


async def plain_answer(request: Request, body: bytes, media: str = JSON, status: int = 200) -> Response:
    """Bytes with their media type, without negotiation."""
    headers = {"Cache-Control": "no-cache, private"}
    if len(body) > COMPRESS_ABOVE_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, _COMPRESSION_LEVEL, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    response = Response(body, status, headers)
    response.headers["Content-Type"] = media
    return response


def _pretty(request: Request) -> bool:
    """As asked for; programs that people use by hand get it without asking, as from kube-apiserver."""
    asked = request.query_params.get("pretty")
    if asked is None:
        return request.headers.get("user-agent", "").startswith(_BY_HAND)
    return asked not in ("", "false", "0")


def include_object(request: Request) -> IncludeObject:
    """The includeObject parameter of Tables. Raises StatusError 422."""
    match request.query_params.get("includeObject", ""):
        case "" | "Metadata":
            return "Metadata"
        case "Object":
            return "Object"
        case "None":
            return "None"
        case other:
            problem = f'Invalid value: "{other}": must be "Metadata", "Object", "None", or empty'
            raise invalid_options("TableOptions", "includeObject", problem)


async def _table(
    request: Request, of: Target | Collection, items: Sequence[bytes], form: Form, metadata: dict[str, Any]
) -> dict[str, Any]:
    columns = tables.columns_of(version_of(of).columns)
    include, now_s = include_object(request), time.time()
    rows = []
    for at in range(0, len(items), ROWS_PER_SLICE):
        if at:
            await asyncio.sleep(0)
        rows += [tables.row(columns, item, include, form.version, now_s) for item in items[at : at + ROWS_PER_SLICE]]
    return tables.table(tables.definitions(columns), rows, form.version, metadata)
