"""Hostnames of listeners and routes: exact names, "*.suffix" for one label or more, "" for any."""

from __future__ import annotations


def covers(pattern: str, name: str) -> bool:
    """Whether every host that `name` (exact or a pattern) stands for also matches `pattern`."""
    if not pattern or pattern == name:
        return True
    return pattern.startswith("*.") and name.endswith(pattern[1:]) and name != pattern[1:]


def intersection(one: str, other: str) -> str | None:
    """The hostname that stands for what matches both; None when nothing does."""
    if covers(one, other):
        return other
    return one if covers(other, one) else None


def overlap(one: str, other: str) -> bool:
    """Whether some host matches both."""
    return intersection(one, other) is not None


def route_hostnames(listener: str, route: tuple[str, ...]) -> tuple[str, ...]:
    """The hostnames under which a route serves on a listener, without repetition; empty when they do not meet.

    A route without hostnames takes the listener's (Gateway API: HTTPRouteSpec.hostnames).
    """
    if not route:
        return (listener,)
    meets = (intersection(listener, hostname) for hostname in route)
    return tuple(dict.fromkeys(host for host in meets if host is not None))
