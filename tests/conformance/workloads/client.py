"""A small client of the API: lists, watches and writes as JSON.

A kubeconfig comes in, objects as dicts go out. It knows no kinds, only paths.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is, and how to get in. ca_pem: who signed its certificate; "" for plain HTTP."""

    server: str
    ca_pem: str
    token: str

    @classmethod
    def read(cls, kubeconfig: Path) -> Access:
        """The current cluster and user of a kubeconfig, whose secrets are in the file itself."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        ca_pem = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
        return cls(cluster["server"], ca_pem, user["token"])

    def at(self, server: str) -> str:
        """A kubeconfig that goes to a front of this API, in plain HTTP."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "front", "cluster": {"server": server}}],
            "users": [{"name": "front", "user": {"token": self.token}}],
            "contexts": [{"name": "front", "context": {"cluster": "front", "user": "front"}}],
            "current-context": "front",
        }
        return yaml.safe_dump(document)


def open_client(access: Access) -> httpx.AsyncClient:
    """A client that trusts the API and is trusted by it."""
    context = ssl.create_default_context(cadata=access.ca_pem) if access.ca_pem else True
    return httpx.AsyncClient(
        base_url=access.server,
        verify=context,
        headers={"Authorization": f"Bearer {access.token}", "Accept-Encoding": "identity"},
        timeout=30.0,
        trust_env=False,
        limits=httpx.Limits(max_connections=100),
    )


async def follow(client: httpx.AsyncClient, path: str) -> AsyncIterator[tuple[str, Json]]:
    """Everything in a collection, then its changes, for ever: ("SYNC", {}) before each full listing, (ADDED | MODIFIED
    | DELETED, object), ("SYNCED", {}) after the listing. A watch that breaks begins anew with a listing."""
    while True:
        page = (await client.get(path)).raise_for_status().json()
        yield "SYNC", {}
        for item in page["items"]:
            yield "ADDED", item
        yield "SYNCED", {}
        query = {"watch": "1", "resourceVersion": page["metadata"]["resourceVersion"]}
        try:
            async with client.stream("GET", path, params=query, timeout=None) as answer:
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        break
                    yield event["type"], event["object"]
        except httpx.TransportError:
            pass  # the appliance ended the watch; what changed meanwhile is in the next listing
