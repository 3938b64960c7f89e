"""The translation of the whole Gateway API: objects and surroundings in, a snapshot and draft statuses out.

A pure function: no clock, no IO, no change to its input, the same answer in whatever order the objects come. The memo
only saves work: with a fresh one the answer is equal, with the last one its unchanged parts are the same objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance.gatewayapi.addresses import wanted_names
from appliance.gatewayapi.attachment import PARENT_KINDS, Parents, changed_parents
from appliance.gatewayapi.binds import BindMemo, bind_keys, make_binds
from appliance.gatewayapi.classes import class_status, own_classes
from appliance.gatewayapi.clusters import Clusters
from appliance.gatewayapi.drafts import Draft, Drafts, Status
from appliance.gatewayapi.gateways import GatewayMemo, GatewayPlans, plan_gateways, replan_sets
from appliance.gatewayapi.listener_drafts import Findings
from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.meshes import mesh_statuses
from appliance.gatewayapi.other_drafts import BackendTable, external_statuses, policy_statuses, stray_statuses
from appliance.gatewayapi.policies.backend_tls import BackendTls
from appliance.gatewayapi.resources import Key, Objects
from appliance.gatewayapi.routes.records import COMPILERS
from appliance.gatewayapi.routes.table import RouteTable
from appliance.gatewayapi.socket_drafts import SocketDrafts
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.trust import ParsedTrust
from proxy.snapshot.clusters import Cluster
from proxy.snapshot.listeners import Bind, BindKey
from proxy.snapshot.model import EMPTY, Snapshot

_FILED = frozenset({*COMPILERS, "Service", "EndpointSlice", "Backend", "XBackend", "ReferenceGrant", "Namespace"})
"""Kinds whose changes concern only routes that are filed under them."""

_UNREAD = frozenset(
    {*COMPILERS, "Service", "EndpointSlice", "Backend", "XBackend", "BackendTLSPolicy", "CustomResourceDefinition"}
)
"""Kinds that a Gateway's plan does not depend on."""


@dataclass(slots=True)
class Memo:
    """What a translation leaves for the next one of the same process.

    seen: the objects of the last one and how far it had read their journal; planned: the plans of the last one,
    what else they were made from, and until when they hold; parents, denied: what else every route depends on.
    """

    gateways: GatewayMemo = field(default_factory=GatewayMemo)
    backends: BackendTable = field(default_factory=BackendTable)
    binds: BindMemo = field(default_factory=BindMemo)
    table: RouteTable = field(default_factory=RouteTable)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    trusts: Cache[ParsedTrust] = field(default_factory=Cache)
    seen: tuple[Objects, int] | None = None
    planned: tuple[GatewayPlans, Surroundings, int | None] | None = None
    parents: Parents = field(default_factory=dict)
    denied: tuple[object, ...] = ()
    snapshot: Snapshot = EMPTY
    bound_since: Mapping[BindKey, int] = field(default_factory=dict)
    others: Mapping[Key, Status] = field(default_factory=dict)
    sockets: SocketDrafts = field(default_factory=SocketDrafts)

    def emptied(self) -> Memo:
        """After a translation that failed on its way: one that knows only which snapshot the proxy has."""
        return Memo(snapshot=replace(self.snapshot, clusters={}), bound_since=self.bound_since)


@dataclass(frozen=True, slots=True)
class Translation:
    """What comes of objects and surroundings.

    snapshot: the one of the translation before, same serial, when nothing has changed for the proxy.
    allocations: addresses from the pool by (namespace, name) of the Gateway, to be given back in the next surroundings.
    names: host names in Gateways' addresses that the next surroundings should resolve.
    next_change_s: the POSIX second at which the passing of time alone changes the answer; None: never.
    """

    snapshot: Snapshot
    drafts: Drafts
    allocations: Mapping[tuple[str, str], str]
    names: frozenset[str]
    next_change_s: int | None


def translate(objects: Objects, surroundings: Surroundings, memo: Memo) -> Translation:
    """Reads `objects` and `surroundings`, changes what is in `memo`."""
    topics = _topics(objects, memo)
    plans, until = _plans(objects, surroundings, topics, memo)
    policies = BackendTls(objects, memo.trusts)
    clusters = Clusters(objects, surroundings, policies, memo.clusters)
    memo.table.update(objects, *_what_routes_see(surroundings, plans, clusters, topics, memo))
    keys = bind_keys(plans.claims, surroundings, memo.binds)
    binds = make_binds(plans.claims, memo.table, memo.binds)
    snapshot = memo.snapshot = _snapshot(binds, clusters, memo)
    memo.bound_since = {bind.key: memo.bound_since.get(bind.key, snapshot.serial) for bind in binds}
    drafts = _drafts(objects, plans, keys, policies, topics, memo)
    memo.trusts.turn()
    return Translation(
        snapshot,
        drafts,
        {(p.gateway.namespace, p.gateway.name): p.addressing.allocated for p in plans.plans if p.addressing.allocated},
        wanted_names(plan.gateway for plan in plans.plans),
        until,
    )


def routes_concerned(objects: Objects, memo: Memo) -> int | None:
    """How many routes the next translation will look at, at most; None: it may be all of them."""
    if memo.seen is None or memo.seen[0] is not objects:
        return None
    topics = objects.topics_since(memo.seen[1])
    if not topics or any(topic.kind not in _FILED for topic in topics):
        return None
    return memo.table.concerned(topics)


def _topics(objects: Objects, memo: Memo) -> frozenset[Key] | None:
    """What has changed since the last translation; None: that is not known."""
    topics = objects.topics_since(memo.seen[1]) if memo.seen is not None and memo.seen[0] is objects else None
    memo.seen = (objects, objects.position)
    return topics


def _plans(
    objects: Objects, surroundings: Surroundings, topics: frozenset[Key] | None, memo: Memo
) -> tuple[GatewayPlans, int | None]:
    """The last ones, where nothing that they depend on has changed; and until when they hold."""
    if topics is not None and memo.planned is not None:
        plans, before, until = memo.planned
        timely = before.now <= surroundings.now and (until is None or surroundings.now < until)
        read = {topic.kind for topic in topics} - _UNREAD
        if timely and replace(surroundings, now=before.now) == before and read <= {"ListenerSet"}:
            if read:
                plans = replan_sets(plans, objects, surroundings)
                memo.planned = (plans, before, _next_change_s(plans, before.now))
            return plans, memo.planned[2]
    plans = plan_gateways(objects, surroundings, memo.gateways)
    memo.gateways.turn()
    until = _next_change_s(plans, surroundings.now)
    memo.planned = (plans, surroundings, until)
    return plans, until


def _what_routes_see(
    surroundings: Surroundings, plans: GatewayPlans, clusters: Clusters, topics: frozenset[Key] | None, memo: Memo
) -> tuple[Parents, Clusters, frozenset[Key] | None]:
    """What the routes depend on, and what of it has changed; None: something that concerns them all."""
    found = plans.parents
    denied = (surroundings.denied_networks, surroundings.denied_endpoints)
    if topics is not None:
        topics = frozenset(topic for topic in topics if topic.kind not in PARENT_KINDS)
        topics = topics | changed_parents(memo.parents, found) if memo.denied == denied else None
    memo.parents, memo.denied = found, denied
    return found, clusters, topics


def _snapshot(binds: tuple[Bind, ...], clusters: Clusters, memo: Memo) -> Snapshot:
    """The old one when it still holds."""
    old, named = memo.snapshot, _named(clusters, memo)
    if old.serial and named is old.clusters and old.binds == binds:
        return old
    return Snapshot(old.serial + 1, binds, named)


def _named(clusters: Clusters, memo: Memo) -> Mapping[str, Cluster]:
    """The clusters that routes use: the old mapping as it is, or with what has changed."""
    old, table = memo.snapshot.clusters, memo.table
    stale = clusters.changed | table.stale_targets
    table.stale_targets.clear()
    if not stale:
        return old
    named = dict(old)
    for name in stale:
        if name in table.targets:
            named[name] = clusters.found[name]
        else:
            named.pop(name, None)
            clusters.found.pop(name, None)
    return named if any(named.get(name) is not old.get(name) for name in stale) else old


def _drafts(
    objects: Objects,
    plans: GatewayPlans,
    keys: Mapping[str, tuple[BindKey, ...]],
    policies: BackendTls,
    topics: frozenset[Key] | None,
    memo: Memo,
) -> Drafts:
    """All statuses; a change of one costs one, but for copies of the mappings."""
    changed = memo.backends.update(objects, topics) | memo.table.stale_statuses
    memo.table.stale_statuses.clear()
    serial, counted = memo.snapshot.serial, memo.table.stale_counts
    changed |= memo.sockets.update(Findings(plans, memo.table.attached, keys), counted, serial)
    counted.clear()
    others = _others(objects, plans, policies, memo)
    changed |= _differing(memo.others, others)
    memo.others = others
    finished = {**memo.table.statuses, **memo.backends.finished, **others}
    waiting: dict[Key, Draft] = {**memo.backends.waiting, **memo.sockets.drafts}
    return Drafts(serial, finished, waiting, frozenset(changed), memo.bound_since)


def _differing(old: Mapping[Key, object], new: Mapping[Key, object]) -> set[Key]:
    return {key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)}


def _others(objects: Objects, plans: GatewayPlans, policies: BackendTls, memo: Memo) -> dict[Key, Status]:
    """The statuses of what waits for no socket, routes and Backends apart; an unchanged one stays the same object."""
    found: dict[Key, Status] = {}
    statuses = (
        *(class_status(gateway_class, objects) for gateway_class in own_classes(objects).values()),
        *stray_statuses(plans),
        *mesh_statuses(objects),
        *policy_statuses(policies, objects, memo.table),
        *external_statuses(policies, objects, memo.table),
    )
    for status in statuses:
        old = memo.others.get(status.key)
        same = old is not None and (old.generation, old.body) == (status.generation, status.body)
        found[status.key] = old if same and old is not None else status
    return found


def _next_change_s(plans: GatewayPlans, now: int) -> int | None:
    """When the next certificate begins or ceases to be valid."""
    moments = [
        moment
        for plan in plans.plans
        for listener in plan.all_listeners
        for bundle in listener.certificates.usable
        for moment in (bundle.not_before, bundle.not_after + 1)
        if moment > now
    ]
    return min(moments, default=None)
