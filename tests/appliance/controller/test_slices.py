"""Selectors, ports and states of Pods, as EndpointSlices."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.controller.slices import ENDPOINTS_LIMIT, assign, selects, slices

Json = dict[str, Any]


def service(ports: list[Json] | None = None, **spec: Any) -> Json:
    body = {"selector": {"app": "web"}, "ports": ports or [{"port": 80, "targetPort": 3000, "protocol": "TCP"}]}
    return {"metadata": {"name": "web", "namespace": "default", "uid": "u1"}, "spec": body | spec}


def pod(number: int, *, ready: bool = True, port_name: str = "", port: int = 0, **metadata: Any) -> Json:
    ports = [{"name": port_name, "containerPort": port, "protocol": "TCP"}] if port_name else []
    address = f"10.0.{number // 250}.{number % 250 + 1}"
    return {
        "metadata": {"name": f"web-{number:04}", "namespace": "default", "uid": f"p{number}", "labels": {"app": "web"}}
        | metadata,
        "spec": {"containers": [{"name": "web", "ports": ports}]},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


@pytest.mark.parametrize(
    ("spec", "labels", "expected"),
    [
        ({}, {"app": "web", "tier": "a"}, True),
        ({}, {"app": "other"}, False),
        ({}, {}, False),
        ({"selector": {}}, {"app": "web"}, False),
        ({"selector": None}, {"app": "web"}, False),
        ({"selector": {"app": "web", "tier": "a"}}, {"app": "web"}, False),
        ({"type": "ExternalName"}, {"app": "web"}, False),
    ],
)
def test_selection(spec: Json, labels: Json, expected: bool) -> None:
    assert selects(service(**spec), pod(1, labels=labels)) is expected


def test_a_slice_says_whose_it_is() -> None:
    (piece,) = slices(service(clusterIP="None"), [pod(1)])
    assert piece["metadata"]["generateName"] == "web-"
    assert piece["metadata"]["labels"] == {
        "endpointslice.kubernetes.io/managed-by": "gatehouse-endpoints",
        "kubernetes.io/service-name": "web",
        "service.kubernetes.io/headless": "",
    }
    assert piece["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert piece["ports"] == [{"name": "", "port": 3000, "protocol": "TCP"}]
    assert piece["endpoints"][0]["addresses"] == ["10.0.0.2"]


@pytest.mark.parametrize(
    ("given", "spec", "conditions"),
    [
        (pod(1), {}, {"ready": True, "serving": True, "terminating": False}),
        (pod(1, ready=False), {}, {"ready": False, "serving": False, "terminating": False}),
        (pod(1, deletionTimestamp="now"), {}, {"ready": False, "serving": True, "terminating": True}),
        (
            pod(1, ready=False),
            {"publishNotReadyAddresses": True},
            {"ready": True, "serving": True, "terminating": False},
        ),
    ],
)
def test_states(given: Json, spec: Json, conditions: Json) -> None:
    (piece,) = slices(service(**spec), [given])
    assert piece["endpoints"][0]["conditions"] == conditions


def test_a_name_may_mean_another_number_in_each_pod() -> None:
    named = service([{"name": "http", "port": 80, "targetPort": "web", "appProtocol": "kubernetes.io/h2c"}])
    pods = [pod(1, port_name="web", port=3000), pod(2, port_name="web", port=4000), pod(3)]
    found = {tuple(port["port"] for port in piece["ports"]): piece for piece in slices(named, pods)}
    assert set(found) == {(3000,), (4000,), ()}
    assert found[3000,]["ports"][0]["appProtocol"] == "kubernetes.io/h2c"


def test_pods_without_address_or_at_their_end_are_no_endpoints() -> None:
    waiting, over, nowhere = pod(1), pod(2), pod(3)
    nowhere["status"]["podIPs"] = [{"ip": "somewhere"}]
    waiting["status"] = {"phase": "Pending"}
    over["status"]["phase"] = "Succeeded"
    assert slices(service(), [waiting, over, nowhere]) == []


def test_both_families_have_slices_of_their_own() -> None:
    both = pod(1)
    both["status"]["podIPs"] = [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]
    assert [piece["addressType"] for piece in slices(service(), [both])] == ["IPv4", "IPv6"]


def test_many_pods_fill_several_slices() -> None:
    found = slices(service(), [pod(number) for number in range(2 * ENDPOINTS_LIMIT + 1)])
    assert [len(piece["endpoints"]) for piece in found] == [ENDPOINTS_LIMIT, ENDPOINTS_LIMIT, 1]


def test_what_is_right_stays_and_names_are_used_again() -> None:
    def stored(name: str, piece: Json) -> Json:
        return {**piece, "metadata": {**piece["metadata"], "name": name}}

    (one,), (two,) = slices(service(), [pod(1)]), slices(service(), [pod(2)])
    assert assign([stored("a", one)], [one]) == ([], [], [])
    assert assign([stored("a", one)], [two]) == ([(stored("a", one), two)], [], [])
    assert assign([], [one]) == ([], [one], [])
    assert assign([stored("a", one)], []) == ([], [], [stored("a", one)])
    assert assign([stored("a", one)], [{**one, "addressType": "IPv6"}])[1:] == (
        [{**one, "addressType": "IPv6"}],
        [stored("a", one)],
    )
