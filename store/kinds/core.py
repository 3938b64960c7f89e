"""The core group: Namespace, ConfigMap and Secret. Service and Event have files of their own.

What these kinds do to their objects on the way in (stringData, the name label, immutability) is in store.strategies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.columns import AGE
from store.kinds.conditions import CONDITION
from store.kinds.fields import boolean, items, keyed, mapping, record, string, time
from store.kinds.kind import Column, Kind, Version
from store.kinds.spellings import complaints, data_key_errors
from store.schema.causes import cause, required

_DATA_LIMIT_BYTES = 1 << 20


CONDITIONS = keyed("State of the object.", CONDITION, "type", merge_key="type")

# Namespace


_NAMESPACE_CONDITION = record(
    "How the deletion of the namespace goes on.",
    {
        "lastTransitionTime": time("When the condition last changed its status."),
        "message": string("What happened, for people."),
        "reason": string("What happened, in one word for programs."),
        "status": string("True, False or Unknown."),
        "type": string("What the condition is about."),
    },
    stated_required=("type", "status"),
)
_NAMESPACE_SCHEMA = record(
    "A room for names: objects in different namespaces may be called alike.",
    {
        "spec": record(
            "The namespace as wanted.",
            {"finalizers": items("Who must be done before the namespace is gone.", string())},
        ),
        "status": record(
            "What became of the namespace.",
            {
                "conditions": keyed("State of its deletion.", _NAMESPACE_CONDITION, "type", merge_key="type"),
                "phase": string(
                    "Active, or Terminating while it is being deleted.",
                    stated_one_of=("Active", "Terminating"),
                    default="Active",
                ),
            },
            default={"phase": "Active"},
        ),
    },
)
NAMESPACE = Kind(
    group="",
    name="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    custom=False,
    short_names=("ns",),
    subresources=("status", "finalize"),
    versions=(Version("v1", _NAMESPACE_SCHEMA, (Column("Status", "string", ".status.phase"), AGE), storage=True),),
)


# ConfigMap and Secret


def _bad_keys(field: str, data: Mapping[str, str]) -> Iterator[Cause]:
    for key in data:
        yield from complaints(f"{field}[{key}]", key, data_key_errors(key))


def _judge_config_map(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    data, binary = value.get("data") or {}, value.get("binaryData") or {}
    yield from _bad_keys("data", data)
    for key in data.keys() & binary.keys():
        yield cause("FieldValueInvalid", f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from _bad_keys("binaryData", binary)
    size = sum(len(text.encode()) for text in data.values()) + sum(len(text) * 3 // 4 for text in binary.values())
    if size > _DATA_LIMIT_BYTES:
        yield cause("FieldValueTooLong", "", detail=f"may not be more than {_DATA_LIMIT_BYTES} bytes")


def _count(*fields: str) -> Column:
    return Column("Data", "string", cell=lambda value: sum(len(value.get(field) or {}) for field in fields))


_CONFIG_MAP_SCHEMA = replace(
    record(
        "Configuration as keys and values.",
        {
            "binaryData": mapping("Values that are not text, in base64.", string(format_="byte")),
            "data": mapping("Values that are text.", string()),
            "immutable": boolean("Whether the data can never change again."),
        },
    ),
    judge=_judge_config_map,
)
CONFIG_MAP = Kind(
    group="",
    name="ConfigMap",
    plural="configmaps",
    singular="configmap",
    custom=False,
    short_names=("cm",),
    versions=(Version("v1", _CONFIG_MAP_SCHEMA, (_count("data", "binaryData"), AGE), storage=True, status=False),),
)


# Type of a Secret -> the keys that it must have.
_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _judge_secret(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    type_, data = value.get("type", ""), value.get("data") or {}
    yield from _bad_keys("data", data)
    if sum(len(text) * 3 // 4 for text in data.values()) > _DATA_LIMIT_BYTES:
        yield cause("FieldValueTooLong", "data", detail=f"may not be more than {_DATA_LIMIT_BYTES} bytes")
    for key in _SECRET_KEYS.get(type_, ()):
        if key not in data:
            yield required(f"data[{key}]")
    if type_ == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        yield required("data[username]")
        yield required("data[password]")
    account = "kubernetes.io/service-account.name"
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    if type_ == "kubernetes.io/service-account-token" and not annotations.get(account):
        yield required(f"metadata.annotations[{account}]")


_SECRET_SCHEMA = replace(
    record(
        "Confidential data: keys, certificates, passwords.",
        {
            "data": mapping("The data, in base64.", string(format_="byte")),
            "immutable": boolean("Whether the data can never change again."),
            "stringData": mapping("The data as text; for writing only.", string()),
            "type": string("What the data is, and so which keys it must have.", default="Opaque"),
        },
    ),
    judge=_judge_secret,
)
SECRET = Kind(
    group="",
    name="Secret",
    plural="secrets",
    singular="secret",
    custom=False,
    versions=(
        Version(
            "v1", _SECRET_SCHEMA, (Column("Type", "string", ".type"), _count("data"), AGE), storage=True, status=False
        ),
    ),
)
