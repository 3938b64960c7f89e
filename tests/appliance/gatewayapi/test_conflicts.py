"""Who gets which socket where there are too many to read in a golden case."""

from __future__ import annotations

from typing import Any

from appliance.gatewayapi.gateways import LISTENERS_LIMIT, GatewayMemo, plan_gateways
from appliance.gatewayapi.resources import Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings

PER_SET = 64


def resource(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    return Resource(Key(kind, "default", name), {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def test_a_gateway_has_a_bound_for_the_listeners_that_sets_add() -> None:
    spec = {"controllerName": "gatehouse.dev/gateway-controller"}
    objects = Objects(
        [Resource(Key("GatewayClass", "", "gatehouse"), {"metadata": {"name": "gatehouse"}, "spec": spec})]
    )
    own = [{"name": "own", "port": 80, "protocol": "HTTP"}]
    allowed = {"namespaces": {"from": "Same"}}
    gateway = {"gatewayClassName": "gatehouse", "listeners": own, "allowedListeners": allowed}
    objects.put(resource("Gateway", "web", gateway))
    for number in range(LISTENERS_LIMIT // PER_SET):
        hostnames = [f"h{index}.s{number}.example.com" for index in range(PER_SET)]
        listeners = [
            {"name": f"l{index}", "port": 80, "protocol": "HTTP", "hostname": hostname}
            for index, hostname in enumerate(hostnames)
        ]
        objects.put(resource("ListenerSet", f"s{number:03}", {"parentRef": {"name": "web"}, "listeners": listeners}))
    plans = plan_gateways(objects, Surroundings(addresses=("192.0.2.1",)), GatewayMemo())
    assert len(plans.claims) == LISTENERS_LIMIT
    assert [problem.reason for problem in plans.problems.values()] == ["TooManyListeners"]
    assert list(plans.problems) == [f"default/web/l{PER_SET - 1}@default/s{LISTENERS_LIMIT // PER_SET - 1:03}"]
