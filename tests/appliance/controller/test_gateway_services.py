"""Services that stand for Gateways: what is decided about one, and a store in which others write too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.controller.gateway_services import Json, Step, decide
from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.infrastructure import GatewayService, manifest
from appliance.gatewayapi.resources import Key
from store.errors import StatusError
from store.verbs import DeleteOptions, Patch
from tests.appliance.controller.test_controller import ME, Bench, bench, listener

KEY = Key("Service", "default", "web-gatehouse")
LABELS = (("app.kubernetes.io/managed-by", "gatehouse"), ("team", "blue"))
WANTED = GatewayService(KEY, Key("Gateway", "default", "web"), "u1", LABELS, (), (("tcp", 80),))
OTHER_PORT = GatewayService(KEY, Key("Gateway", "default", "web"), "u1", LABELS, (), (("tcp", 81),))
NEXT_GATEWAY = GatewayService(KEY, Key("Gateway", "default", "web"), "u2", LABELS, (), (("tcp", 80),))
FOREIGN: Json = {"metadata": {"name": "web-gatehouse"}, "spec": {}}
DYING: Json = {"metadata": {**manifest(WANTED)["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
LABELLED: Json = manifest(WANTED) | {"status": {}}


@pytest.mark.parametrize(
    ("current", "wanted", "applied", "step"),
    [
        (None, None, None, "nothing"),
        (None, WANTED, WANTED, "create"),
        (manifest(WANTED), None, WANTED, "delete"),
        (FOREIGN, None, None, "nothing"),
        (FOREIGN, WANTED, None, "foreign"),
        (LABELLED, WANTED, None, "nothing"),
        (manifest(OTHER_PORT), WANTED, None, "apply"),
        (manifest(OTHER_PORT), WANTED, OTHER_PORT, "apply"),
        (manifest(OTHER_PORT), WANTED, WANTED, "nothing"),  # somebody wants it so
        (manifest(WANTED), NEXT_GATEWAY, None, "delete"),
        (DYING, WANTED, None, "nothing"),
    ],
)
def test_what_is_done_about_a_service(
    current: Json | None, wanted: GatewayService | None, applied: GatewayService | None, step: Step
) -> None:
    assert decide(current, wanted, applied) == step


def service(bench: Bench, name: str = KEY.name) -> dict[str, Any] | None:
    try:
        return bench.get("Service", name)
    except StatusError as error:
        assert error.code == 404
        return None


def ports(bench: Bench, name: str = KEY.name) -> list[int]:
    found = service(bench, name)
    return [port["port"] for port in found["spec"]["ports"]] if found else []


def test_a_service_has_what_its_gateway_asks_for(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        infrastructure = {"labels": {"team": "blue"}, "annotations": {"note": "text"}}
        await bench.create("Gateway", "web", {**listener(), "infrastructure": infrastructure})
        await bench.until(lambda: bool((service(bench) or {}).get("status", {}).get("loadBalancer")))
        found = bench.get("Service", KEY.name)
        assert found["metadata"]["labels"]["team"] == "blue"
        assert found["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] == "web"
        assert found["metadata"]["annotations"] == {"note": "text"}
        addresses = [a["value"] for a in bench.get("Gateway", "web")["status"]["addresses"]]
        assert [point["ip"] for point in found["status"]["loadBalancer"]["ingress"]] == addresses
        spec = {"spec": {**listener(81), "infrastructure": {"labels": {"team": "red"}}}}
        await bench.service.patch(bench.target("Gateway", "web"), Patch("merge", spec), ME)
        await bench.until(lambda: ports(bench) == [81])
        labels = bench.get("Service", KEY.name)["metadata"]["labels"]
        assert labels["team"] == "red"

    bench(tmp_path, story)


def test_it_goes_with_its_gateway_and_comes_back_when_it_alone_is_deleted(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await bench.until(lambda: service(bench) is not None)
        first = bench.get("Service", KEY.name)["metadata"]["uid"]
        await bench.service.delete(bench.target("Service", KEY.name), DeleteOptions())
        await bench.until(lambda: (found := service(bench)) is not None and found["metadata"]["uid"] != first)
        await bench.service.delete(bench.target("Gateway", "web"), DeleteOptions())
        await bench.until(lambda: service(bench) is None)
        await bench.quiet()
        assert service(bench) is None

    bench(tmp_path, story)


def test_what_others_write_stays(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Gateway", "web", listener())
        await bench.until(lambda: bool((service(bench) or {}).get("status", {}).get("loadBalancer")))
        edited = bench.get("Service", KEY.name)
        edited["metadata"]["labels"] |= {"mine": "yes", "app.kubernetes.io/managed-by": "me"}
        await bench.service.replace(bench.target("Service", KEY.name), json.loads(json.dumps(edited)), ME)
        await bench.quiet()
        labels = bench.get("Service", KEY.name)["metadata"]["labels"]
        assert (labels["mine"], labels["app.kubernetes.io/managed-by"]) == ("yes", "me")
        spec = {"spec": {**listener(81), "infrastructure": {"labels": {"mine": "no", "new": "yes"}}}}
        await bench.service.patch(bench.target("Gateway", "web"), Patch("merge", spec), ME)
        await bench.until(lambda: ports(bench) == [81])
        labels = bench.get("Service", KEY.name)["metadata"]["labels"]
        assert (labels["mine"], labels["app.kubernetes.io/managed-by"], labels["new"]) == ("yes", "me", "yes")

    bench(tmp_path, story)


def test_a_service_of_somebody_else_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("Service", KEY.name, {"ports": [{"port": 5432}]})
        await bench.create("Gateway", "web", listener())
        await bench.until(lambda: "has the name of one that would stand for a Gateway" in caplog.text)
        await bench.service.delete(bench.target("Gateway", "web"), DeleteOptions())
        await bench.quiet()
        assert ports(bench) == [5432]

    bench(tmp_path, story)


def test_two_gateways_whose_services_would_have_one_name_do_not_fight(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        await bench.create("GatewayClass", "b-gatehouse", {"controllerName": CONTROLLER_NAME})
        await bench.create("Gateway", "a-b", listener(80))
        await bench.until(lambda: service(bench, "a-b-gatehouse") is not None)
        await bench.create("Gateway", "a", {**listener(81), "gatewayClassName": "b-gatehouse"})
        await bench.until(lambda: bench.conditions("Gateway", "a").get("Programmed") == "True Programmed")
        await bench.quiet()
        assert ports(bench, "a-b-gatehouse") == [80]
        await bench.service.delete(bench.target("Gateway", "a-b"), DeleteOptions())
        await bench.until(lambda: ports(bench, "a-b-gatehouse") == [81])

    bench(tmp_path, story)
