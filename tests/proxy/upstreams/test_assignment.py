"""From endpoints to weighted addresses, and which addresses no backend may have."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from proxy.snapshot.clusters import Endpoint
from proxy.upstreams.assignment import Place, assign, label_of
from proxy.upstreams.denials import Denials

ALLOW = Denials()


@pytest.mark.parametrize(
    ("endpoints", "resolved", "weights"),
    [
        ([], {}, {}),
        ([Endpoint("ip", "192.0.2.1", 80)], {}, {"192.0.2.1:80": 1}),
        (
            [Endpoint("ip", "192.0.2.1", 80, 2), Endpoint("ip", "192.0.2.2", 80, 4)],
            {},
            {"192.0.2.1:80": 1, "192.0.2.2:80": 2},
        ),
        ([Endpoint("unix", "/run/a.sock", 0)], {}, {"unix:/run/a.sock": 1}),
        ([Endpoint("name", "b.test", 80)], {}, {}),
        ([Endpoint("name", "b.test", 80)], {"b.test": ("2001:db8::1",)}, {"[2001:db8::1]:80": 1}),
        (
            [Endpoint("name", "b.test", 80, 1), Endpoint("ip", "192.0.2.9", 80, 1)],
            {"b.test": ("192.0.2.1", "192.0.2.2")},
            {"192.0.2.1:80": 1, "192.0.2.2:80": 1, "192.0.2.9:80": 2},
        ),
        (
            [Endpoint("ip", "192.0.2.1", 80, 1), Endpoint("name", "b.test", 80, 1)],
            {"b.test": ("192.0.2.1", "192.0.2.2")},
            {"192.0.2.1:80": 3, "192.0.2.2:80": 1},
        ),
    ],
)
def test_weights_are_spread_over_addresses(
    endpoints: list[Endpoint], resolved: dict[str, tuple[str, ...]], weights: dict[str, int]
) -> None:
    places = assign(endpoints, resolved, ALLOW).places
    assert {place.label: place.weight for place in places} == weights
    assert all(place.label == label_of(place.address) for place in places)


def test_a_name_that_leads_to_a_denied_address_loses_that_one_only() -> None:
    resolved = {"b.test": ("169.254.169.254", "192.0.2.1")}
    assignment = assign([Endpoint("name", "b.test", 80)], resolved, ALLOW)
    assert assignment.places == (Place(("192.0.2.1", 80), 1, "192.0.2.1:80"),)
    assert list(assignment.refused) == ["169.254.169.254:80"]


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", 80, ""),
        ("::1", 80, ""),
        ("192.0.2.1", 80, ""),
        ("169.254.169.254", 80, "link-local"),
        ("::ffff:169.254.169.254", 80, "link-local"),
        ("fe80::1", 80, "link-local"),
        ("fe80::1%eth0", 80, "link-local"),
        ("224.0.0.1", 80, "multicast"),
        ("ff02::1", 80, "multicast"),
        ("0.0.0.0", 80, "unspecified"),
        ("::", 80, "unspecified"),
        ("::ffff:0.0.0.0", 80, "unspecified"),
        ("255.255.255.255", 80, "broadcast"),
        ("127.0.0.1", 6443, "own"),
        ("::ffff:127.0.0.1", 6443, "own"),
        ("127.0.0.9", 9090, "own"),
        ("::1", 9090, "own"),
        ("10.1.2.3", 80, "10.0.0.0/8"),
        ("nonsense", 80, "not an IP address"),
    ],
)
def test_denied_addresses(host: str, port: int, words: str) -> None:
    denials = Denials([ip_network("10.0.0.0/8")], [("127.0.0.1", 6443), ("", 9090)])
    reason = denials.reason(host, port)
    assert words in reason
    assert bool(reason) == bool(words)
