"""ReferenceGrants: who may refer to what."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.gatewayapi.references import Referent, Referrer, allowed
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key, Resource

ROUTE = Referrer(GATEWAY_GROUP, "HTTPRoute", "apps")
SERVICE = Referent("", "Service", "data", "db")
FROM = {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": "apps"}
TO = {"group": "", "kind": "Service"}


def grant(namespace: str, source: list[dict[str, Any]], target: list[dict[str, Any]]) -> Resource:
    body = {"metadata": {"name": "grant", "namespace": namespace}, "spec": {"from": source, "to": target}}
    return Resource(Key("ReferenceGrant", namespace, "grant"), body)


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], False),
        ([grant("data", [FROM], [TO])], True),
        ([grant("data", [FROM], [{**TO, "name": "db"}])], True),
        ([grant("data", [FROM], [{**TO, "name": "other"}])], False),
        ([grant("data", [{**FROM, "namespace": "else"}], [TO])], False),
        ([grant("data", [{**FROM, "kind": "TCPRoute"}], [TO])], False),
        ([grant("data", [{**FROM, "group": ""}], [TO])], False),
        ([grant("data", [FROM], [{"group": "", "kind": "Secret"}])], False),
        ([grant("apps", [FROM], [TO])], False),
        ([grant("data", [{**FROM, "kind": "TCPRoute"}, FROM], [{"group": "", "kind": "Secret"}, TO])], True),
    ],
)
def test_allowed(grants: list[Resource], expected: bool) -> None:
    assert allowed(ROUTE, SERVICE, grants) is expected


def test_one_namespace_needs_no_grant() -> None:
    assert allowed(ROUTE, SERVICE._replace(namespace="apps"), ())
