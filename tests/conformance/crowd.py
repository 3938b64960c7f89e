"""Objects that have nothing to do with the suite: Gateways and routes that are there all the while."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx

Json = dict[str, Any]
GATEWAYS, ROUTES = 50, 500
_NAMESPACE = "crowd"
_API = "gateway.networking.k8s.io/v1"
_TOGETHER = 16


def gateways() -> Iterator[Json]:
    """One listener each, on port 80, for routes of the namespace."""
    for number in range(GATEWAYS):
        listener = {"name": "http", "port": 80, "protocol": "HTTP"}
        spec = {"gatewayClassName": "gatehouse", "listeners": [listener]}
        yield {"apiVersion": _API, "kind": "Gateway", "metadata": {"name": f"gateway-{number}"}, "spec": spec}


def routes() -> Iterator[Json]:
    """Spread over the Gateways, with backends that do not exist."""
    for number in range(ROUTES):
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": f"/{number}"}}],
            "backendRefs": [{"name": f"service-{number}", "port": 8080}],
        }
        parent = {"name": f"gateway-{number % GATEWAYS}"}
        spec = {"parentRefs": [parent], "hostnames": [f"h{number}.crowd.example"], "rules": [rule]}
        yield {"apiVersion": _API, "kind": "HTTPRoute", "metadata": {"name": f"route-{number}"}, "spec": spec}


async def gather_crowd(client: httpx.AsyncClient) -> None:
    """Create them all."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    (await client.post("/api/v1/namespaces", json=namespace)).raise_for_status()
    turn = asyncio.Semaphore(_TOGETHER)

    async def create(plural: str, obj: Json) -> None:
        async with turn:
            path = f"/apis/{_API}/namespaces/{_NAMESPACE}/{plural}"
            (await client.post(path, json=obj)).raise_for_status()

    await asyncio.gather(*(create("gateways", obj) for obj in gateways()), *(create("httproutes", o) for o in routes()))
