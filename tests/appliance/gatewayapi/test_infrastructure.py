"""The Service that stands for a Gateway: its name, what it carries, where it says the Gateway is."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from appliance.gatewayapi.infrastructure import (
    CLASS_NAME,
    GATEWAY_NAME,
    gateway_service,
    ingress,
    manifest,
    service_name,
)
from appliance.gatewayapi.resources import Key, Resource
from proxy.snapshot.listeners import BindKey

SOCKETS = (BindKey("", 80, "tcp"), BindKey("192.0.2.1", 53, "udp"), BindKey("192.0.2.2", 53, "udp"))


def gateway(name: str = "web", infrastructure: dict[str, Any] | None = None) -> Resource:
    spec = {"gatewayClassName": "gatehouse", "infrastructure": infrastructure or {}}
    return Resource(Key("Gateway", "default", name), {"metadata": {"name": name, "uid": "u"}, "spec": spec})


def test_it_has_the_ports_of_the_listeners_once_and_what_the_gateway_asks_for() -> None:
    asked = {"labels": {"team": "blue", GATEWAY_NAME: "forged"}, "annotations": {"note": "text"}}
    service = gateway_service(gateway(infrastructure=asked), SOCKETS)
    assert service is not None
    body = manifest(service)
    assert body["metadata"]["name"] == "web-gatehouse"
    labels = body["metadata"]["labels"]
    assert (labels["team"], labels[GATEWAY_NAME], labels[CLASS_NAME]) == ("blue", "web", "gatehouse")
    assert body["metadata"]["annotations"] == {"note": "text"}
    assert [(p["protocol"], p["port"]) for p in body["spec"]["ports"]] == [("TCP", 80), ("UDP", 53)]
    assert [(o["kind"], o["name"], o["uid"]) for o in body["metadata"]["ownerReferences"]] == [("Gateway", "web", "u")]


def test_a_gateway_that_listens_nowhere_has_none() -> None:
    assert gateway_service(gateway(), ()) is None


def test_addresses_are_told_once_the_sockets_listen() -> None:
    addresses = [{"type": "IPAddress", "value": "192.0.2.1"}, {"type": "Hostname", "value": "gw.example.com"}]
    status = {"addresses": addresses, "conditions": [{"type": "Programmed", "status": "Unknown"}]}
    assert ingress(status) == []
    status["conditions"][0]["status"] = "True"
    assert ingress(status) == [{"ip": "192.0.2.1"}, {"hostname": "gw.example.com"}]


@given(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,100}[a-z0-9])?", fullmatch=True))
def test_any_name_of_a_gateway_gives_a_name_of_a_service_and_a_label(name: str) -> None:
    service = service_name(name, "gatehouse")
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", service)
    assert len(service) <= 63
    wanted = gateway_service(gateway(name), SOCKETS)
    assert wanted is not None
    label = dict(wanted.labels)[GATEWAY_NAME]
    assert len(label) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", label)


def test_names_that_are_alike_do_not_become_one() -> None:
    assert len({service_name(name, "gatehouse") for name in ("a.b", "a-b", "a..b")}) == 3
