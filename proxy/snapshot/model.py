"""The snapshot itself: everything the proxy needs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.snapshot.clusters import Cluster
from proxy.snapshot.listeners import Bind


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One whole configuration.

    serial: grows by one with every snapshot of a process; reports name the serial they speak of.
    binds: sorted by key, one per (address, port, transport).
    clusters: by name; every cluster that a rule names is here.
    """

    serial: int
    binds: tuple[Bind, ...]
    clusters: Mapping[str, Cluster]


EMPTY = Snapshot(serial=0, binds=(), clusters={})
