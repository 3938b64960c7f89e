"""ReferenceGrant (gateway.networking.k8s.io): leave to refer to objects of this namespace from others."""

from __future__ import annotations

from store.kinds.columns import AGE
from store.kinds.fields import items, record
from store.kinds.kind import Kind, Version
from store.kinds.names import group, kind, name, namespace
from store.kinds.references import GATEWAY_API

_FROM = record(
    "Objects that may refer.",
    {"group": group(), "kind": kind(), "namespace": namespace("Namespace of the objects that may refer.")},
    required=("group", "kind", "namespace"),
)
_TO = record(
    "Objects that may be referred to.",
    {"group": group(), "kind": kind(), "name": name("The one object that is meant; all of the kind if unset.")},
    required=("group", "kind"),
)
_SCHEMA = record(
    "Leave to refer to objects of this namespace.",
    {
        "spec": record(
            "Who may refer to what.",
            {
                "from": items("Who may refer.", _FROM, at_least=1, at_most=16),
                "to": items("What may be referred to.", _TO, at_least=1, at_most=16),
            },
            required=("from", "to"),
        )
    },
    required=("spec",),
)

REFERENCE_GRANT = Kind(
    group=GATEWAY_API,
    name="ReferenceGrant",
    plural="referencegrants",
    singular="referencegrant",
    short_names=("refgrant",),
    categories=("gateway-api",),
    versions=(
        Version("v1", _SCHEMA, (AGE,), status=False),
        Version("v1beta1", _SCHEMA, (AGE,), storage=True, status=False),
    ),
)
