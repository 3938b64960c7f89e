"""All routes: compiled, attached, counted, and laid out by Listener; kept from one translation to the next.

Every route is filed under the topics that it depends on, so that a change touches the routes it concerns and no others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TypeVar

from appliance.gatewayapi.attachment import Parents
from appliance.gatewayapi.clusters import Clusters
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.hosts import Rules
from appliance.gatewayapi.resources import Key, Objects
from appliance.gatewayapi.routes.compiled import Forwarding, HttpRules
from appliance.gatewayapi.routes.exclusion import OTHER_KIND, Exclusion
from appliance.gatewayapi.routes.records import COMPILERS, RouteRecord, record
from proxy.snapshot.routes import Forward

T = TypeVar("T")


class RouteTable:
    """http: by listener key and hostname; attached: accepted routes by listener key; targets: uses of clusters.

    stale_hosts: (listener key, hostname) pairs that changed since somebody last took them; stale_forwards,
    stale_counts: listener keys whose forwards or attached routes did; stale_targets: clusters that came into use or
    went out of it; stale_statuses: routes whose status came, changed or went.
    """

    def __init__(self) -> None:
        self.records: dict[Key, RouteRecord] = {}
        self.statuses: dict[Key, Status] = {}
        self.http: dict[str, dict[str, Rules]] = defaultdict(lambda: defaultdict(Rules))
        self.attached: Counter[str] = Counter()
        self.targets: Counter[str] = Counter()
        self.stale_hosts: set[tuple[str, str]] = set()
        self.stale_forwards: set[str] = set()
        self.stale_counts: set[str] = set()
        self.stale_targets: set[str] = set()
        self.stale_statuses: set[Key] = set()
        self._exclusion = Exclusion()
        self._forwarding: dict[str, set[Key]] = defaultdict(set)
        self._users: dict[Key, set[Key]] = defaultdict(set)

    def update(self, objects: Objects, parents: Parents, clusters: Clusters, topics: Iterable[Key] | None) -> None:
        """Translate again what depends on the topics; None: look at every route."""
        if topics is None:
            keys = {key for kind in COMPILERS for key in objects.of(kind)} | set(self.records)
        else:
            keys = {key for topic in topics for key in self._users.get(topic, ())}
            keys |= {topic for topic in topics if topic.kind in COMPILERS}
        for key in keys:
            self._look_at(key, objects, parents, clusters)
            self._enter(key)
        for key in self._exclusion.settle():
            self._look_at(key, objects, parents, clusters)

    def _look_at(self, key: Key, objects: Objects, parents: Parents, clusters: Clusters) -> None:
        old, route = self.records.get(key), objects.get(*key)
        winners = self._exclusion.winners(key)
        new = record(route, objects, parents, clusters, winners, old) if route is not None else None
        if new is not old:
            self._replace(key, old, new)

    def _enter(self, key: Key) -> None:
        """Say what the route could attach to, if it is of a kind that others can stand in the way of."""
        if key.kind in OTHER_KIND:
            route = self.records.get(key)
            if route is None or not route.accepted:
                self._exclusion.drop(key)
            else:
                self._exclusion.put(route.route, route.candidates)

    def concerned(self, topics: Iterable[Key]) -> int:
        """How many routes `update` would look at, at most."""
        return sum(max(1, len(self._users.get(topic, ()))) for topic in topics)

    def users(self, topic: Key) -> Iterable[RouteRecord]:
        """The routes that depend on an object."""
        return (self.records[key] for key in self._users.get(topic, ()))

    def forwards(self, listener: str) -> list[tuple[str, Forward]]:
        """What the TCP, UDP and TLS routes of a Listener say, oldest first, with the hostname of TLS routes."""
        records = sorted((self.records[key] for key in self._forwarding.get(listener, ())), key=lambda r: r.route.age)
        return [
            (hostname, record.compiled.forward)
            for record in records
            if isinstance(record.compiled, Forwarding)
            for hostname in dict(record.attachment.listeners)[listener]
        ]

    def drop_host(self, listener: str, hostname: str) -> None:
        """Forget a hostname that has no routes left."""
        del self.http[listener][hostname]
        if not self.http[listener]:
            del self.http[listener]

    def _replace(self, key: Key, old: RouteRecord | None, new: RouteRecord | None) -> None:
        if old is not None:
            self._count(old, -1)
            for topic in old.topics():
                _discard(self._users, topic, key)
        if new is None:
            del self.records[key]
            self.statuses.pop(key, None)
        else:
            self.records[key] = new
            self._count(new, 1)
            for topic in new.topics():
                self._users[topic].add(key)
            if new.status is not None:
                self.statuses[key] = new.status
            else:
                self.statuses.pop(key, None)
        if (old and old.status) is not (new and new.status):
            self.stale_statuses.add(key)
        same = old is not None and new is not None and old.compiled is new.compiled and old.route.age == new.route.age
        if not (same and old and new and old.attachment.listeners == new.attachment.listeners):
            self._lay_out(key, old, new)

    def _count(self, record: RouteRecord, step: int) -> None:
        for target in record.targets():
            before = self.targets[target]
            self.targets[target] = before + step
            if not before:
                self.stale_targets.add(target)
            elif not before + step:
                del self.targets[target]
                self.stale_targets.add(target)
        if record.accepted:
            for listener, _ in record.attachment.listeners:
                self.attached[listener] += step
                self.stale_counts.add(listener)
                if not self.attached[listener]:
                    del self.attached[listener]

    def _lay_out(self, key: Key, old: RouteRecord | None, new: RouteRecord | None) -> None:
        if old is not None:
            for listener, hostnames in old.attachment.listeners:
                if isinstance(old.compiled, Forwarding):
                    _discard(self._forwarding, listener, key)
                    self.stale_forwards.add(listener)
                for hostname in hostnames if isinstance(old.compiled, HttpRules) else ():
                    assert isinstance(old.compiled, HttpRules)
                    self.http[listener][hostname].remove(old.compiled)
                    self.stale_hosts.add((listener, hostname))
        if new is not None:
            for listener, hostnames in new.attachment.listeners:
                if isinstance(new.compiled, Forwarding):
                    self._forwarding[listener].add(key)
                    self.stale_forwards.add(listener)
                for hostname in hostnames if isinstance(new.compiled, HttpRules) else ():
                    assert isinstance(new.compiled, HttpRules)
                    self.http[listener][hostname].add(new.compiled)
                    self.stale_hosts.add((listener, hostname))


def _discard(index: dict[T, set[Key]], entry: T, key: Key) -> None:
    """Take a key out of an index, and the entry with the last one. An entry that is gone already is no error."""
    keys = index.get(entry)
    if keys is not None:
        keys.discard(key)
        if not keys:
            del index[entry]
