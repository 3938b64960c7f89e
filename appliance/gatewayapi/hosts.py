"""The rules of a hostname and the virtual hosts of a Listener, kept sorted, so that a change of one costs one."""

from __future__ import annotations

from bisect import bisect_left

from appliance.gatewayapi.precedence import Rank
from appliance.gatewayapi.routes.compiled import HttpRules
from proxy.snapshot.routes import HttpRule, VirtualHost


class Rules:
    """The rules of all routes on one hostname of a Listener, in their order of precedence. Ranks are never equal."""

    def __init__(self) -> None:
        self._routes = 0
        self._ranks: list[Rank] = []
        self._rules: list[HttpRule] = []

    def __bool__(self) -> bool:
        """Whether a route is there, be it one without rules."""
        return bool(self._routes)

    def add(self, route: HttpRules) -> None:
        """A route comes."""
        self._routes += 1
        for rank, rule in route.ranked:
            index = bisect_left(self._ranks, rank)
            self._ranks.insert(index, rank)
            self._rules.insert(index, rule)

    def remove(self, route: HttpRules) -> None:
        """A route that was added goes."""
        self._routes -= 1
        for rank, _ in route.ranked:
            index = bisect_left(self._ranks, rank)
            del self._ranks[index]
            del self._rules[index]

    def sorted(self) -> tuple[HttpRule, ...]:
        """All rules, the most important first."""
        return tuple(self._rules)


class Hosts:
    """By hostname. `sorted` is the same tuple until one of them changes."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._hosts: list[VirtualHost] = []
        self._sorted: tuple[VirtualHost, ...] | None = ()

    def __bool__(self) -> bool:
        return bool(self._names)

    def put(self, host: VirtualHost) -> None:
        """Add a host, or take it in place of the one with its hostname."""
        index = bisect_left(self._names, host.hostname)
        if self._has(index, host.hostname):
            self._hosts[index] = host
        else:
            self._names.insert(index, host.hostname)
            self._hosts.insert(index, host)
        self._sorted = None

    def drop(self, hostname: str) -> None:
        """Remove a host, if it is there."""
        index = bisect_left(self._names, hostname)
        if self._has(index, hostname):
            del self._names[index]
            del self._hosts[index]
            self._sorted = None

    def sorted(self) -> tuple[VirtualHost, ...]:
        """All of them, by hostname."""
        if self._sorted is None:
            self._sorted = tuple(self._hosts)
        return self._sorted

    def _has(self, index: int, hostname: str) -> bool:
        return index < len(self._names) and self._names[index] == hostname
