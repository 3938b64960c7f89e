"""Addresses and ports: a pool gives every Gateway its own, a clash names the holder, and who waits takes over."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.backends import http_server
from tests.scenarios.objects import apply, wait_for_condition
from tests.scenarios.waiting import wait_for

GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"


def gateway(name: str, port: int, address: str = "", protocol: str = "HTTP", hostname: str = "") -> str:
    """A Gateway with one listener, perhaps on an address or for a hostname."""
    addresses = f"  addresses: [{{type: IPAddress, value: {address}}}]\n" if address else ""
    host = f', hostname: "{hostname}"' if hostname else ""
    return (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        "spec:\n  gatewayClassName: gatehouse\n"
        f"{addresses}  listeners: [{{name: it, port: {port}, protocol: {protocol}{host}}}]\n---\n"
    )


def route(name: str, parent: str, backend_port: int) -> str:
    """Everything of a Gateway to a backend on loopback."""
    return (
        "apiVersion: gatehouse.dev/v1alpha1\nkind: Backend\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        f"spec: {{endpoints: [{{ip: 127.0.0.1, port: {backend_port}}}]}}\n---\n"
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        f"spec:\n  parentRefs: [{{name: {parent}}}]\n"
        f"  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: {name}}}]}}]\n---\n"
    )


def body(address: str, port: int, host: str = "") -> bytes:
    """Of a GET of /; empty when nobody answers 200."""
    try:
        with closing(http.client.HTTPConnection(address, port, timeout=30)) as client:
            client.request("GET", "/", headers={"Host": host} if host else {})
            answer = client.getresponse()
            return answer.read() if answer.status == 200 else b""
    except OSError:
        return b""


def listener_condition(appliance: Appliance, name: str, kind: str) -> dict[str, Any]:
    """A condition of a Gateway's listener; empty when it is not there yet."""
    listeners = appliance.request("GET", f"{GATEWAYS}/{name}").get("status", {}).get("listeners") or [{}]
    return next((c for c in listeners[0].get("conditions", []) if c["type"] == kind), {})


def address_of(appliance: Appliance, name: str) -> str:
    """The one address in a Gateway's status."""
    wait_for_condition(appliance, f"{GATEWAYS}/{name}", "Programmed")
    (address,) = appliance.request("GET", f"{GATEWAYS}/{name}")["status"]["addresses"]
    return str(address["value"])


def test_a_pool_gives_every_gateway_its_own_address_for_good(tmp_path: Path) -> None:
    """Two Gateways on one port, each with its own routes; a restart changes nothing; an exhausted pool is said."""
    port = free_port()
    appliance = Appliance(tmp_path / "data", "--address-pool", "127.0.0.16/31", "--access-log", "off")
    with http_server(b"one") as one, http_server(b"two") as two, appliance:
        apply(appliance, gateway("one", port) + route("one", "one", one))
        apply(appliance, gateway("two", port) + route("two", "two", two))
        addresses = {name: address_of(appliance, name) for name in ("one", "two")}
        assert set(addresses.values()) == {"127.0.0.16", "127.0.0.17"}
        for name, address in addresses.items():
            wait_for(f"{name} answers at its own address", lambda a=address, n=name: body(a, port) == n.encode())  # type: ignore[misc]
        apply(appliance, gateway("three", port))
        said = wait_for_condition(appliance, f"{GATEWAYS}/three", "Programmed", "False")
        assert said["reason"] in ("AddressNotAssigned", "AddressNotUsable"), said
        appliance.kill()
        appliance.start()
        assert {name: address_of(appliance, name) for name in ("one", "two")} == addresses
        assert body(addresses["two"], port) == b"two"


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Without a pool."""
    with Appliance(tmp_path_factory.mktemp("addresses") / "data", "--access-log", "off") as running:
        yield running


def test_a_clash_names_the_holder_and_ends_when_the_holder_goes(appliance: Appliance) -> None:
    """HTTP and TCP on one port: the older Gateway has it; when it is deleted the younger takes over by itself."""
    port = free_port()
    apply(appliance, gateway("older", port))
    wait_for_condition(appliance, f"{GATEWAYS}/older", "Programmed")
    apply(appliance, gateway("younger", port, protocol="TCP"))

    def refused() -> dict[str, Any]:
        said = listener_condition(appliance, "younger", "Accepted")
        return said if said.get("reason") == "PortUnavailable" else {}

    said = wait_for("PortUnavailable", refused)
    assert (said["status"], "older" in said["message"]) == ("False", True), said
    wait_for_condition(appliance, f"{GATEWAYS}/older", "Programmed")
    appliance.request("DELETE", f"{GATEWAYS}/older")
    wait_for_condition(appliance, f"{GATEWAYS}/younger", "Programmed")
    assert listener_condition(appliance, "younger", "Accepted")["status"] == "True"


def test_distinct_listeners_of_two_gateways_share_a_port(appliance: Appliance) -> None:
    """Each hostname goes to its own Gateway's route, and a change of one leaves the other alone."""
    port = free_port()
    with http_server(b"left") as left, http_server(b"right") as right:
        apply(appliance, gateway("left", port, hostname="left.example.com") + route("left", "left", left))
        apply(appliance, gateway("right", port, hostname="*.right.example.com") + route("right", "right", right))
        wait_for("left", lambda: body("127.0.0.1", port, "left.example.com") == b"left")
        wait_for("right", lambda: body("127.0.0.1", port, "a.right.example.com") == b"right")
        assert body("127.0.0.1", port, "other.example.com") == b""
        appliance.request("DELETE", f"{GATEWAYS}/left")
        wait_for("left is gone", lambda: body("127.0.0.1", port, "left.example.com") == b"")
        assert body("127.0.0.1", port, "a.right.example.com") == b"right"


def test_an_address_beside_all_addresses_on_one_port(appliance: Appliance) -> None:
    """The Gateway that names an address has it; the one without keeps the others: no bind is refused by the kernel."""
    port = free_port()
    with http_server(b"named") as named, http_server(b"all") as everywhere:
        apply(
            appliance, gateway("everywhere", port, hostname="all.example.com") + route("all", "everywhere", everywhere)
        )
        wait_for("all addresses", lambda: body("127.0.0.1", port, "all.example.com") == b"all")
        text = gateway("named", port, address="127.0.0.1", hostname="named.example.com")
        apply(appliance, text + route("named", "named", named))
        wait_for("the named one", lambda: body("127.0.0.1", port, "named.example.com") == b"named")
        wait_for_condition(appliance, f"{GATEWAYS}/everywhere", "Programmed")
        wait_for_condition(appliance, f"{GATEWAYS}/named", "Programmed")
