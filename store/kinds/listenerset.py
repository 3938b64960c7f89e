"""ListenerSet (gateway.networking.k8s.io): listeners that another namespace adds to a Gateway."""

from __future__ import annotations

from store.kinds.columns import AGE, condition
from store.kinds.conditions import conditions, waiting
from store.kinds.fields import record
from store.kinds.kind import Kind, Version
from store.kinds.listeners import LISTENER_STATUSES, listeners
from store.kinds.names import group, kind, name, namespace
from store.kinds.references import GATEWAY_API

_PARENT = record(
    "Gateway that the listeners are added to.",
    {
        "group": group(default=GATEWAY_API),
        "kind": kind(default="Gateway"),
        "name": name(),
        "namespace": namespace(),
    },
    required=("name",),
)
_SCHEMA = record(
    "Listeners that are added to a Gateway.",
    {
        "spec": record(
            "The listeners as wanted.",
            {"listeners": listeners("Listeners to add."), "parentRef": _PARENT},
            required=("listeners", "parentRef"),
        ),
        "status": record(
            "What became of the listeners.",
            {
                "conditions": conditions("State of the set.", default=waiting("Accepted", "Programmed")),
                "listeners": LISTENER_STATUSES,
            },
            default={"conditions": waiting("Accepted", "Programmed")},
        ),
    },
    required=("spec",),
)

LISTENER_SET = Kind(
    group=GATEWAY_API,
    name="ListenerSet",
    plural="listenersets",
    singular="listenerset",
    short_names=("lset",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(Version("v1", _SCHEMA, (condition("Accepted"), condition("Programmed"), AGE), storage=True),),
)
