"""One record per request, whatever becomes of it, and never what is in a body or a credential."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import httpx
import pytest

from store.auth.authentication import Authenticator, User
from store.http.app import create_app
from store.kinds.registry import builtin
from store.log.database import open_log
from store.service import Service
from tests.store.http.running import TOKEN

GROUPS = ["system:masters", "system:authenticated"]
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the sink was given for the requests of `_ask`."""
    found: list[dict[str, Any]] = []

    async def run() -> None:
        service = await Service.open(open_log(tmp_path_factory.mktemp("log") / "log.db"), builtin())
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        authenticator = Authenticator({digest: User("admin", ("system:masters",))})
        app = create_app(service, authenticator=authenticator, hosts=("api.test",), audit=found.append)
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as client:
            await _ask(client)
        await service.close()

    asyncio.run(run())
    return found


async def _ask(client: httpx.AsyncClient) -> None:
    known = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "tester/1"}
    await client.post(CONFIGMAPS, json={"metadata": {"name": "a"}, "data": {"x": "hidden"}}, headers=known)
    await client.get(f"{CONFIGMAPS}/nothing?pretty=true", headers=known)
    await client.get(CONFIGMAPS, headers={"Authorization": "Bearer wrong"})
    await client.get("/nowhere", headers=known)


def test_every_request_leaves_one_record(records: list[dict[str, Any]]) -> None:
    shown = [(one["user"], one["method"], one["path"], one["query"], one["code"]) for one in records]
    assert shown == [
        ("admin", "POST", CONFIGMAPS, "", 201),
        ("admin", "GET", f"{CONFIGMAPS}/nothing", "pretty=true", 404),
        ("", "GET", CONFIGMAPS, "", 401),
        ("admin", "GET", "/nowhere", "", 404),
    ]


def test_who_and_how_long(records: list[dict[str, Any]]) -> None:
    first = records[0]
    assert (first["groups"], first["client"], first["agent"]) == (GROUPS, "192.0.2.7", "tester/1")
    assert first["duration_ms"] > 0


def test_no_secrets(records: list[dict[str, Any]]) -> None:
    text = repr(records)
    assert "hidden" not in text
    assert TOKEN not in text
    assert "wrong" not in text
