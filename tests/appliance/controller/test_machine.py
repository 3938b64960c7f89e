"""The addresses of this machine, as the kernel tells them."""

from __future__ import annotations

from ipaddress import ip_address

from appliance.controller.machine import address_events, machine_addresses


def test_loopback_is_there_and_last() -> None:
    addresses = [ip_address(text) for text in machine_addresses()]
    assert ip_address("127.0.0.1") in addresses
    assert [a.is_loopback for a in addresses] == sorted(a.is_loopback for a in addresses)
    assert not any(a.version == 6 and a.is_link_local for a in addresses)


def test_announcements_can_be_waited_for() -> None:
    with address_events() as events:
        assert not events.getblocking()
