"""What is told of endpoints that refuse connections."""

from __future__ import annotations

import pytest

from appliance.admin.endpoint_health import ENDPOINTS_LIMIT, EndpointHealth
from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.report import EndpointReport

NAME = "backend/default/app"


def down(address: str, cluster: str = NAME) -> EndpointReport:
    return EndpointReport(1, cluster, address, "down", "Connection refused")


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (Endpoint("ip", "127.0.0.1", 80), "127.0.0.1:80"),
        (Endpoint("ip", "::1", 80), "[::1]:80"),
        (Endpoint("unix", "/run/a.sock", 0), "unix:/run/a.sock"),
        (Endpoint("name", "app.example.com", 80), "192.0.2.1:80"),
    ],
)
def test_an_endpoint_is_down_until_it_is_up_or_gone(endpoint: Endpoint, address: str) -> None:
    health = EndpointHealth()
    clusters = {NAME: Cluster(NAME, "http", (endpoint,))}
    health.note(down(address))
    assert health.down(clusters) == [{"cluster": NAME, "address": address, "error": "Connection refused"}]
    assert health.down({NAME: Cluster(NAME, "http", (Endpoint("ip", "192.0.2.9", 9),))}) == []
    assert health.down({}) == []
    health.note(EndpointReport(2, NAME, address, "up"))
    assert health.down(clusters) == []


def test_reports_do_not_pile_up() -> None:
    health = EndpointHealth()
    for number in range(ENDPOINTS_LIMIT + 5):
        health.note(down(f"192.0.2.1:{number}"))
    clusters = {NAME: Cluster(NAME, "http", (Endpoint("name", "app.example.com", 80),))}
    assert len(health.down(clusters)) == ENDPOINTS_LIMIT
