"""The coordination group: Lease."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.columns import AGE
from store.kinds.fields import int32, record, string, time
from store.kinds.kind import Column, Kind, Version
from store.schema.causes import cause


def _judge(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    spec = value.get("spec") or {}
    if (seconds := spec.get("leaseDurationSeconds")) is not None and seconds <= 0:
        yield cause("FieldValueInvalid", "spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if (transitions := spec.get("leaseTransitions")) is not None and transitions < 0:
        detail = "must be greater than or equal to 0"
        yield cause("FieldValueInvalid", "spec.leaseTransitions", transitions, detail)


_SCHEMA = replace(
    record(
        "A claim on something that several processes want and one may have.",
        {
            "spec": record(
                "The claim.",
                {
                    "acquireTime": time("When the holder got the lease.", format_="micro-time"),
                    "holderIdentity": string("Who holds the lease."),
                    "leaseDurationSeconds": int32("Seconds after the last renewal for which others must wait."),
                    "leaseTransitions": int32("How often the lease has changed hands."),
                    "preferredHolder": string("Who should hold the lease next."),
                    "renewTime": time("When the holder last renewed the lease.", format_="micro-time"),
                    "strategy": string("How the holder is chosen."),
                },
            )
        },
    ),
    judge=_judge,
)

LEASE = Kind(
    group="coordination.k8s.io",
    name="Lease",
    plural="leases",
    singular="lease",
    custom=False,
    versions=(
        Version(
            "v1",
            _SCHEMA,
            # A lease without a holder prints an empty cell, not <none>.
            (Column("Holder", "string", cell=lambda v: (v.get("spec") or {}).get("holderIdentity") or ""), AGE),
            storage=True,
            status=False,
        ),
    ),
)
