"""The canonical form of a snapshot: equal configurations encode to equal bytes, whatever they were made from.

Without the serial, and without key material: certificates appear by their fingerprint.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import orjson

from certs.bundle import Bundle
from certs.trust import Trust
from proxy.snapshot.model import Snapshot


def encode(snapshot: Snapshot) -> bytes:
    """Deterministic JSON (sorted keys, UTF-8) of the whole snapshot."""
    return orjson.dumps(plain(snapshot), option=orjson.OPT_SORT_KEYS)


def plain(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON values; every variant of a union says which it is in "is"."""
    return {
        "binds": [_plain(bind) for bind in snapshot.binds],
        "clusters": {name: _plain(cluster) for name, cluster in sorted(snapshot.clusters.items())},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Bundle):
        return {"is": "Bundle", "fingerprint": value.fingerprint, "names": list(value.names)}
    if isinstance(value, Trust):
        return {"is": "Trust", "fingerprint": value.fingerprint}
    if is_dataclass(value):
        return {"is": type(value).__name__} | {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
