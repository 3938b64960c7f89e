"""What the controller's cache lets through to the translator."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from appliance.controller.cache import Cache, resource_name
from appliance.gatewayapi.resources import GROUPS, Key
from store.kinds import registry
from store.log import contract

ROUTE = Key("HTTPRoute", "default", "r")
ROUTES = "httproutes.gateway.networking.k8s.io"


def value(revision: int, **more: Any) -> bytes:
    metadata = {"name": "r", "namespace": "default", "resourceVersion": str(revision), "managedFields": [revision]}
    return orjson.dumps(
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata} | more
    )


def change(revision: int, new: bytes | None, resource: str = ROUTES) -> contract.Change:
    return contract.Change(revision, contract.Key(resource, "default", "r"), new, None, 0)


def test_status_and_ownership_alone_change_nothing() -> None:
    cache = Cache()
    assert cache.apply([change(1, value(1, spec={"a": 1}))]) == (True, {ROUTE})
    before = cache.objects.get(*ROUTE)
    assert cache.apply([change(2, value(2, spec={"a": 1}, status={"parents": []}))]) == (False, {ROUTE})
    assert cache.objects.get(*ROUTE) is before
    assert b'"parents"' in cache.latest[ROUTE]
    assert cache.apply([change(3, value(3, spec={"a": 2}))]) == (True, {ROUTE})


def test_deletion_and_unknown_kinds() -> None:
    cache = Cache()
    cache.apply([change(1, value(1))])
    assert cache.apply([change(2, b"{}", "leases.coordination.k8s.io")]) == (False, set())
    assert cache.apply([change(3, None)]) == (True, {ROUTE})
    assert cache.objects.get(*ROUTE) is None
    assert ROUTE not in cache.latest


def test_of_secrets_only_certificates_are_kept() -> None:
    cache = Cache()
    body = {"metadata": {"name": "r", "namespace": "default"}, "data": {"tls.crt": "YQ==", "password": "Yg=="}}
    asyncio.run(cache.load([(contract.Key("secrets", "default", "r"), orjson.dumps(body))]))
    secret = cache.objects.get("Secret", "default", "r")
    assert secret is not None
    assert secret.body["data"] == {"tls.crt": "YQ=="}


def test_every_kind_is_one_of_the_store() -> None:
    known = {kind.resource for kind in registry.builtin().kinds()}
    assert {resource_name(kind) for kind in GROUPS} <= known
