"""HTTPRoutes and GRPCRoutes that want the same hostname of a Listener: it goes to the older route.

"the implementation MUST accept exactly one of these two routes": by age, then by "NAMESPACE/NAME" (Gateway API:
GRPCRouteSpec.hostnames). Routes of one kind share hostnames; those of two kinds never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from appliance.gatewayapi.name_index import NameIndex
from appliance.gatewayapi.resources import Key, Resource

OTHER_KIND: Final = {"HTTPRoute": "GRPCRoute", "GRPCRoute": "HTTPRoute"}

NOBODY: Final[Mapping[str, Key]] = {}


class Candidate(NamedTuple):
    """A route that could attach: to Listeners by their keys, with the hostnames it would serve there."""

    age: tuple[str, str]
    listeners: Mapping[str, tuple[str, ...]]


class Exclusion:
    """All candidates of both kinds. A change costs the routes that are at odds with it, directly or by others."""

    def __init__(self) -> None:
        self._candidates: dict[Key, Candidate] = {}
        self._names: dict[tuple[str, str], NameIndex[Key]] = {}
        self._winners: dict[Key, dict[str, Key]] = {}
        self._stale: set[tuple[str, Key]] = set()

    def winners(self, route: Key) -> Mapping[str, Key]:
        """The routes that stand in the way of one, by listener key, as of the last `settle`."""
        return self._winners.get(route, NOBODY)

    def put(self, route: Resource, listeners: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """What a route would attach to now: nothing, for one that is gone or not acceptable."""
        key, new = route.key, Candidate(route.age, dict(listeners))
        old = self._candidates.get(key)
        if old == new or (old is None and not new.listeners):
            return
        self.drop(key)
        if new.listeners:
            self._candidates[key] = new
            for listener, hostnames in new.listeners.items():
                self._names.setdefault((listener, key.kind), NameIndex()).add(key, hostnames)
                self._stale.add((listener, key))

    def drop(self, key: Key) -> None:
        """Forget a route."""
        old = self._candidates.pop(key, None)
        for listener, hostnames in old.listeners.items() if old is not None else ():
            self._stale.update((listener, rival) for rival in self._rivals(listener, key.kind, hostnames))
            index = self._names[listener, key.kind]
            index.remove(key, hostnames)
            if not index:
                del self._names[listener, key.kind]
            self._stale.add((listener, key))

    def settle(self) -> set[Key]:
        """Decide anew what may have changed; the routes for which something has."""
        changed: set[Key] = set()
        while self._stale:
            listener, key = self._stale.pop()
            group = self._group(listener, key)
            self._stale.difference_update((listener, member) for member in group)
            changed |= self._decide(listener, group | {key})
        return changed

    def _rivals(self, listener: str, kind: str, hostnames: Iterable[str]) -> Iterator[Key]:
        index = self._names.get((listener, OTHER_KIND[kind]))
        return index.overlapping(hostnames) if index is not None else iter(())

    def _group(self, listener: str, key: Key) -> set[Key]:
        """All candidates that are at odds with a route on a Listener, and with those, and so on; with itself."""
        group: set[Key] = set()
        asked: set[tuple[str, tuple[str, ...]]] = set()
        left = [key]
        while left:
            member = left.pop()
            hostnames = self._hostnames(listener, member)
            if member not in group and hostnames:
                group.add(member)
                if (member.kind, hostnames) not in asked:  # those with the same hostnames have the same rivals
                    asked.add((member.kind, hostnames))
                    left += self._rivals(listener, member.kind, hostnames)
        return group

    def _hostnames(self, listener: str, key: Key) -> tuple[str, ...]:
        candidate = self._candidates.get(key)
        return candidate.listeners.get(listener, ()) if candidate is not None else ()

    def _decide(self, listener: str, group: set[Key]) -> set[Key]:
        """The oldest stays, and excludes its rivals; then the oldest of those that are left."""
        winners: dict[Key, Key] = {}
        asked: set[tuple[str, tuple[str, ...]]] = set()
        for _, key in sorted(self._ages(listener, group)):
            hostnames = self._hostnames(listener, key)
            if key not in winners and (key.kind, hostnames) not in asked:
                asked.add((key.kind, hostnames))
                for rival in self._rivals(listener, key.kind, hostnames):
                    winners.setdefault(rival, key)
        changed = set()
        for key in group:
            if winners.get(key) != self.winners(key).get(listener):
                changed.add(key)
                self._note(listener, key, winners.get(key))
        return changed

    def _ages(self, listener: str, group: Iterable[Key]) -> Iterator[tuple[tuple[str, str], Key]]:
        for key in group:
            if self._hostnames(listener, key):
                yield self._candidates[key].age, key

    def _note(self, listener: str, key: Key, winner: Key | None) -> None:
        found = dict(self.winners(key))
        if winner is None:
            found.pop(listener, None)
        else:
            found[listener] = winner
        if found:
            self._winners[key] = found
        else:
            self._winners.pop(key, None)
