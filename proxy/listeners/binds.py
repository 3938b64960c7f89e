"""What a new snapshot changes about the sockets: old and new binds come in, what to close, open and update goes out.

Pure. Keys decide: a bind whose key stays keeps its socket whatever its listeners become.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from proxy.snapshot.listeners import Bind, BindKey


@dataclass(frozen=True, slots=True)
class Changes:
    """close happens before open, so that an address may move between "" and a single one on the same port."""

    close: tuple[BindKey, ...]
    open: tuple[Bind, ...]
    update: tuple[Bind, ...]


def changes(live: Collection[BindKey], wanted: Iterable[Bind]) -> Changes:
    """live: keys of the binds that exist, listening or not. `update` holds every bind that stays, changed or not."""
    by_key = {bind.key: bind for bind in wanted}
    return Changes(
        close=tuple(sorted(key for key in live if key not in by_key)),
        open=tuple(bind for key, bind in by_key.items() if key not in live),
        update=tuple(bind for key, bind in by_key.items() if key in live),
    )
