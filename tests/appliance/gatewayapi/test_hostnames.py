"""Hostnames of listeners and routes."""

from __future__ import annotations

import pytest

from appliance.gatewayapi.hostnames import intersection, route_hostnames


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("", "", ""),
        ("", "a.com", "a.com"),
        ("a.com", "a.com", "a.com"),
        ("a.com", "b.com", None),
        ("*.com", "a.com", "a.com"),
        ("*.a.com", "a.com", None),
        ("*.a.com", "b.a.com", "b.a.com"),
        ("*.a.com", "c.b.a.com", "c.b.a.com"),
        ("*.a.com", "*.b.a.com", "*.b.a.com"),
        ("*.a.com", "*.a.com", "*.a.com"),
        ("*.a.com", "xa.com", None),
        ("*.a.com", "*.b.com", None),
    ],
)
def test_intersection(one: str, other: str, both: str | None) -> None:
    assert intersection(one, other) == both
    assert intersection(other, one) == both


def test_a_route_without_hostnames_takes_the_listeners() -> None:
    assert route_hostnames("*.a.com", ()) == ("*.a.com",)


def test_hostnames_that_meet_at_the_same_are_one() -> None:
    assert route_hostnames("b.a.com", ("*.a.com", "b.a.com", "c.com")) == ("b.a.com",)
