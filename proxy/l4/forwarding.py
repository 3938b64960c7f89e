"""Where a connection or session goes: a compiled Forward chooses clusters by weight, then peers of the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Collection

from proxy.reasons import Reason
from proxy.routing.splits import Split
from proxy.snapshot.routes import Forward, Refusal, WeightedBackend
from proxy.upstreams.peer import Peer
from proxy.upstreams.registry import Upstream

Upstreams = Callable[[str], Upstream | None]
"""Finds the upstream of a cluster by name: `Registry.get`."""


class Forwarding:
    """A Forward made ready. It holds the state of its weighted choice: an unchanged Forward keeps its object."""

    __slots__ = ("_find", "_split", "forward")

    def __init__(self, forward: Forward, find: Upstreams) -> None:
        self.forward = forward
        self._find = find
        weighted = [(backend.weight, backend) for backend in forward.backends if backend.weight > 0]
        self._split: Split[WeightedBackend] | None = Split(weighted) if weighted else None

    @property
    def clusters(self) -> frozenset[str]:
        """The clusters that it chooses from."""
        targets = (backend.target for backend in self.forward.backends if backend.weight > 0)
        return frozenset(target for target in targets if isinstance(target, str))

    def choose(self) -> Upstream | str:
        """The upstream for a new connection or session, or the reason why it is refused."""
        if self._split is None:
            return Reason.NO_BACKEND
        target = self._split.choose().target
        if isinstance(target, Refusal):
            return target.reason
        return self._find(target) or Reason.NO_ENDPOINT


async def pick_resolved(upstream: Upstream, avoid: Collection[Peer] = ()) -> Peer | None:
    """A peer of the upstream, after its names have been answered once."""
    peer = upstream.pick(avoid)
    if peer is None and not avoid:
        await upstream.resolved()
        peer = upstream.pick(avoid)
    return peer
