"""A thin front of the API that answers pods/log; all else goes through as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.conformance.workloads.runner import Runner

_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_front(client: httpx.AsyncClient, runner: Runner) -> Starlette:
    """client: of the API behind. What it adds to requests (its token) is added to everybody's."""

    async def log(request: Request) -> Response:
        parts, query = request.path_params, request.query_params
        since = query.get("sinceTime")
        since_s = datetime.fromisoformat(since).timestamp() if since else 0.0
        text = runner.log(parts["namespace"], parts["name"], query.get("container", ""), since_s)
        if text is None:
            message = f'pods "{parts["name"]}" has no such container that runs'
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            return JSONResponse({**status, "message": message}, 404)
        return PlainTextResponse(text)

    async def through(request: Request) -> Response:
        headers = [(k, v) for k, v in request.headers.items() if k not in _OF_THE_CONNECTION]
        url = httpx.URL(path="/").copy_with(raw_path=request.scope["raw_path"] + _query(request))
        onward = client.build_request(request.method, url, headers=headers, content=await request.body(), timeout=None)
        try:
            answer = await client.send(onward, stream=True)
        except httpx.TransportError as error:
            return PlainTextResponse(f"the API does not answer: {error}", 502)
        response = StreamingResponse(_raw(answer), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = [(k, v) for k, v in answer.headers.raw if k.lower().decode() not in _OF_THE_CONNECTION]
        return response

    log_path = "/api/v1/namespaces/{namespace}/pods/{name}/log"
    return Starlette(routes=[Route(log_path, log), Route("/{path:path}", through, methods=_METHODS)])


def _query(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return b"?" + query if query else b""


async def _raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_raw():
        yield chunk
