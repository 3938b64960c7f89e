"""/livez, /readyz and /metrics as routes, for the API's application and for the plain one of --metrics-bind; and
/debug/snapshot and /debug/endpoints for the API's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from appliance.admin.checks import Check, report
from proxy.snapshot.encoding import encode
from proxy.snapshot.model import Snapshot


def routes(live: Sequence[Check], ready: Sequence[Check], registry: CollectorRegistry) -> list[BaseRoute]:
    """The three endpoints. ?verbose lists the checks also when all is well."""

    def health(title: str, checks: Sequence[Check], request: Request) -> Response:
        healthy, text = report(title, checks, verbose="verbose" in request.query_params)
        return PlainTextResponse(text, 200 if healthy else 500, {"Cache-Control": "no-store"})

    async def livez(request: Request) -> Response:
        return health("livez", live, request)

    async def readyz(request: Request) -> Response:
        return health("readyz", ready, request)

    async def metrics(request: Request) -> Response:
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def snapshot_route(read: Callable[[], Snapshot]) -> BaseRoute:
    """/debug/snapshot: what the proxy was last told, in canonical form and without keys; for users of the API only."""

    async def snapshot(request: Request) -> Response:
        text = await run_in_threadpool(encode, read())
        return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})

    return Route("/debug/snapshot", snapshot)


def endpoints_route(down: Callable[[], list[dict[str, str]]], read: Callable[[], Snapshot]) -> BaseRoute:
    """/debug/endpoints: the endpoints that refuse connections now, and the clusters that have none at all.

    For users of the API only.
    """

    async def endpoints(request: Request) -> Response:
        empty = sorted(name for name, cluster in read().clusters.items() if not cluster.endpoints)
        return JSONResponse({"down": down(), "empty": empty}, headers={"Cache-Control": "no-store"})

    return Route("/debug/endpoints", endpoints)


def plain_app(endpoints: Sequence[BaseRoute]) -> ASGIApp:
    """An application of nothing but these; it tells states and figures, and takes no input."""
    return Router(endpoints, redirect_slashes=False)
