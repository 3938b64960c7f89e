"""The live state of all clusters: snapshots' clusters come in, peers to connect to go out.

An upstream outlives the snapshots that name it, with the health of its peers; it refuses to know protocols and pools.
All of it belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from certs.bundle import Bundle
from proxy.balancing.round_robin import RoundRobin
from proxy.balancing.session_tokens import SessionTokens
from proxy.options import ProxyOptions
from proxy.snapshot.clusters import Cluster
from proxy.snapshot.report import EndpointReport, Report
from proxy.upstreams.assignment import Address, assign
from proxy.upstreams.denials import Denials
from proxy.upstreams.peer import Peer
from proxy.upstreams.resolve import Lookup, Resolver
from proxy.upstreams.retry_budget import LiveBudget
from proxy.upstreams.security import ClusterSecurities, Securities, Security


class Registry:
    """Upstreams by cluster name."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: ProxyOptions,
        report: Callable[[Report], None],
        lookup: Lookup | None = None,
    ) -> None:
        """`report` is called on the loop. `lookup` replaces the system's name resolution."""
        self.loop = loop
        self.denials = Denials(options.deny_backends, options.own_addresses)
        self.report = report
        self.securities = Securities()
        self.resolver = Resolver(loop, report, lookup)
        self.tokens = SessionTokens(options.session_key)
        self._upstreams: dict[str, Upstream] = {}
        self._clusters: Mapping[str, Cluster] = {}

    @property
    def serial(self) -> int:
        """The snapshot in force."""
        return self.resolver.serial

    def apply(self, serial: int, clusters: Mapping[str, Cluster]) -> None:
        """Make these the clusters. What is unchanged is not touched; peers whose address stays keep their health."""
        self.extend(serial, self.stale(clusters))
        self.retire(clusters)

    def stale(self, clusters: Mapping[str, Cluster]) -> dict[str, Cluster]:
        """Those of these clusters that are not in force as the same objects."""
        known = self._clusters
        if clusters is known:
            return {}
        return {name: cluster for name, cluster in clusters.items() if known.get(name) is not cluster}

    def extend(self, serial: int, clusters: Mapping[str, Cluster]) -> None:
        """The first half of `apply`, whole or in parts; nothing goes yet, so rules old and new find their clusters."""
        self.resolver.serial = serial
        upstreams = self._upstreams
        for name, cluster in clusters.items():
            upstream = upstreams.get(name)
            if upstream is None:
                upstreams[name] = Upstream(self, cluster)
            elif upstream.cluster is not cluster and upstream.cluster != cluster:
                upstream.update(cluster)

    def retire(self, clusters: Mapping[str, Cluster]) -> None:
        """The second half: clusters that are not among these go. Whoever holds their upstream may go on picking."""
        if clusters is not self._clusters:
            for name in self._upstreams.keys() - clusters.keys():
                self._upstreams.pop(name).retire()
            self._clusters = clusters

    def get(self, name: str) -> Upstream | None:
        """The upstream of a cluster; None when the snapshot in force has no such cluster."""
        return self._upstreams.get(name)

    def close(self) -> None:
        """Stop all timers and tasks."""
        for upstream in self._upstreams.values():
            upstream.close()
        self._upstreams.clear()
        self.resolver.close()


class Upstream:
    """The peers of one cluster, chosen by weighted round robin among those that are not left out."""

    def __init__(self, registry: Registry, cluster: Cluster) -> None:
        self._registry = registry
        self.cluster = cluster
        self._budget: LiveBudget | None = None
        self._by_mark: dict[bytes, Peer] | None = None
        self._peers: dict[Address, Peer] = {}
        self._refused: Mapping[str, str] = {}
        self._choice: tuple[Peer, ...] = ()
        self._rotation = RoundRobin(())
        self._watched: tuple[str, ...] = ()
        self._timers: dict[Peer, asyncio.TimerHandle] = {}
        self._settled: asyncio.Future[None] | None = None
        self._closed = False
        self._securities = ClusterSecurities(registry.securities, cluster)
        self.update(cluster)

    @property
    def peers(self) -> Collection[Peer]:
        """All peers, left out or not."""
        return self._peers.values()

    def update(self, cluster: Cluster) -> None:
        """The cluster's endpoints changed, or how it is spoken with; then the peers are others."""
        if (cluster.tls, cluster.protocol) != (self.cluster.tls, self.cluster.protocol):
            self._securities = ClusterSecurities(self._registry.securities, cluster)
            self._forget_peers()
        self.cluster = cluster
        if (self._budget.budget if self._budget else None) != cluster.retry_budget:
            self._budget = LiveBudget(cluster.retry_budget) if cluster.retry_budget else None
        resolver = self._registry.resolver
        names = tuple(dict.fromkeys(endpoint.host for endpoint in cluster.endpoints if endpoint.kind == "name"))
        before, self._watched = self._watched, names
        for host in names:
            if host not in before:
                resolver.watch(host, self._assign)
        for host in before:
            if host not in names:
                resolver.unwatch(host, self._assign)
        self._assign()
        for host in names:
            resolver.repeat(host)

    @property
    def connect_timeout_s(self) -> float:
        """How long connecting to one peer may take."""
        return self.cluster.connect_timeout_s

    def security(self, certificate: Bundle | None) -> Security | None:
        """See Peer.security."""
        return self._securities.find(certificate)

    def pick(self, avoid: Collection[object] = ()) -> Peer | None:
        """The next peer by weight that is not in `avoid`; None when there is none.

        Peers that are left out are skipped, unless all are: then trying is better than refusing.
        """
        if self._budget is not None:
            self._budget.attempted(self._registry.loop.time())
        choice = self._choice
        if len(choice) == 1 and not avoid:
            return choice[0]
        place = self._rotation.choose()
        if place is None:
            return None
        peer = choice[place]
        if peer not in avoid:
            return peer
        for other in choice:
            if other not in avoid:
                return other
        for other in self._peers.values():
            if other not in avoid:
                return other
        return None

    def marked(self, mark: bytes) -> Peer | None:
        """The peer of a session, if it is still one and not left out; chosen instead of by `pick`."""
        if self._by_mark is None:
            self._by_mark = {peer.mark: peer for peer in self._peers.values()}
        peer = self._by_mark.get(mark)
        if peer is None or peer in self._timers:
            return None
        if self._budget is not None:
            self._budget.attempted(self._registry.loop.time())
        return peer

    def may_retry(self) -> bool:
        """Whether the cluster's budget has room for one more retry, which is then counted."""
        return self._budget is None or self._budget.take(self._registry.loop.time())

    def mark(self, label: str) -> bytes:
        """What session tokens name a peer by."""
        return self._registry.tokens.mark(self.cluster.name, label)

    @property
    def awaits_names(self) -> bool:
        """No address is known, and some name has not been answered yet."""
        return not self._peers and any(not self._registry.resolver.answered(host) for host in self._watched)

    async def resolved(self) -> None:
        """Returns when every name has been answered once, or some address is known; bounded by the resolver."""
        while self.awaits_names:
            if self._settled is None or self._settled.done():
                self._settled = self._registry.loop.create_future()
            await asyncio.shield(self._settled)

    def failed(self, peer: Peer, reason: str) -> None:
        """See Peer.failed."""
        if self._closed or self._peers.get(peer.address) is not peer:
            return
        first = not peer.health.failures
        pause_s = peer.health.failed(self._registry.loop.time())
        if peer not in self._timers:
            self._timers[peer] = self._registry.loop.call_later(pause_s, self._readmit, peer)
            self._choose()
        if first:
            self._tell(peer.label, "down", reason)

    def recovered(self, peer: Peer) -> None:
        """See Peer.succeeded."""
        peer.health.succeeded()
        if self._closed or self._peers.get(peer.address) is not peer:
            return
        self._readmit(peer)
        self._tell(peer.label, "up", "")

    def retire(self) -> None:
        """The cluster is gone, and what was down of it. Its peers stay for requests that are under way."""
        self._take_back(self._peers.values())
        self._tell_refusals({})
        self.close()

    def close(self) -> None:
        """Stop all timers, and learn of no more names."""
        self._closed = True
        for host in self._watched:
            self._registry.resolver.unwatch(host, self._assign)
        self._watched = ()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._choose()
        self._wake()

    def _forget_peers(self) -> None:
        """Whoever remembers one of them remembers how it was reached, too. What was down is not known to be."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._take_back(self._peers.values())
        self._peers.clear()

    def _take_back(self, peers: Iterable[Peer]) -> None:
        """Of these that were told to be down, that is not known any more."""
        for peer in peers:
            if peer.health.failures:
                self._tell(peer.label, "up", "")

    def _assign(self) -> None:
        resolver = self._registry.resolver
        resolved = {host: resolver.addresses(host) for host in self._watched}
        assignment = assign(self.cluster.endpoints, resolved, self._registry.denials)
        before, self._peers = self._peers, {}
        for place in assignment.places:
            peer = before.get(place.address) or Peer(self, place.address, place.label)
            peer.weight = place.weight
            self._peers[place.address] = peer
        gone = [peer for address, peer in before.items() if address not in self._peers]
        for peer in gone:
            if timer := self._timers.pop(peer, None):
                timer.cancel()
        self._take_back(gone)
        self._by_mark = None
        self._choose()
        self._tell_refusals(assignment.refused)
        self._wake()

    def _choose(self) -> None:
        peers = tuple(self._peers.values())
        self._choice = tuple(peer for peer in peers if peer not in self._timers) or peers
        self._rotation = RoundRobin([peer.weight for peer in self._choice])

    def _readmit(self, peer: Peer) -> None:
        timer = self._timers.pop(peer, None)
        if timer is not None:
            timer.cancel()
            self._choose()

    def _tell_refusals(self, refused: Mapping[str, str]) -> None:
        before, self._refused = self._refused, refused
        for label in before.keys() - refused.keys():
            self._tell(label, "up", "")
        for label, reason in refused.items():
            if before.get(label) != reason:
                self._tell(label, "down", reason)

    def _tell(self, label: str, state: Literal["up", "down"], error: str) -> None:
        registry = self._registry
        registry.report(EndpointReport(registry.serial, self.cluster.name, label, state, error))

    def _wake(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
