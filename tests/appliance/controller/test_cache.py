"""What the controller's cache lets through to the translator."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from itertools import count
from typing import Any

import orjson

from appliance.controller.cache import Cache, resource_name
from appliance.gatewayapi.resources import GROUPS, Key, Resource
from store.kinds import registry
from store.log import contract
from tests.scenarios.certificates import Pair, TestAuthority

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


def test_a_secret_remembers_its_last_usable_pair_until_it_has_another_or_is_gone() -> None:
    cache, secret = Cache(), Key("Secret", "default", "r")
    numbers = count(1)

    def put(certificate: Pair | None, key: Pair | None) -> Resource | None:
        pair = {"tls.crt": certificate and certificate.certificate, "tls.key": key and key.key}
        data = {name: b64encode(pem).decode() for name, pem in pair.items() if pem}
        number = next(numbers)
        cache.apply([change(number, value(number, data=data), "secrets")])
        return cache.objects.get(*secret)

    authority = TestAuthority()
    one, two = authority.issue("one.test"), authority.issue("two.test")
    assert (first := put(one, one)) is not None and first.before is None
    assert (mixed := put(one, two)) is not None and mixed.before is first
    assert (empty := put(None, two)) is not None and empty.before is first
    assert (second := put(two, two)) is not None and second.before is None
    cache.apply([change(next(numbers), None, "secrets")])
    assert (late := put(one, two)) is not None and late.before is None


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
