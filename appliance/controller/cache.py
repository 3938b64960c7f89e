"""Parsed objects for the translator, kept in step with the store.

Changes of the store come in; `Objects` for the translator and the latest bytes for the status writer go out. A change
that touches only status or managedFields leaves the translator's objects alone, or the loop would feed itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from appliance.gatewayapi.certificates import last_pair
from appliance.gatewayapi.resources import GROUPS, Key, Objects, Resource
from store.log import contract

_PLURALS: Final = {
    "GatewayClass": "gatewayclasses",
    "BackendTLSPolicy": "backendtlspolicies",
    "XBackendTrafficPolicy": "xbackendtrafficpolicies",
    "EndpointSlice": "endpointslices",
    "XMesh": "xmeshes",
}
_READ: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Secret": {"data": ("tls.crt", "tls.key", "ca.crt")},
    "ConfigMap": {"data": ("ca.crt",), "binaryData": ("ca.crt",)},
}
"""The keys that are read of kinds that may hold much else."""

_SLICE: Final = 100
"""Objects parsed before others get their turn on the loop."""


def resource_name(kind: str) -> str:
    """The store's name of a kind: PLURAL.GROUP, or PLURAL in the core group."""
    plural = _PLURALS.get(kind, kind.lower() + "s")
    return f"{plural}.{GROUPS[kind]}" if GROUPS[kind] else plural


_KINDS: Final[Mapping[str, str]] = {resource_name(kind): kind for kind in GROUPS}


class Cache:
    """objects: for the translator. latest: the whole object as last seen, by key."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.latest: dict[Key, bytes] = {}

    async def load(self, items: Iterable[tuple[contract.Key, bytes]]) -> None:
        """Start from everything there is."""
        for count, (key, value) in enumerate(items):
            if kind := _KINDS.get(key.resource):
                self._put(Key(kind, key.namespace, key.name), value)
            if count % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    def apply(self, changes: Sequence[contract.Change]) -> tuple[bool, set[Key]]:
        """Take changes in. Returns whether the translator's objects changed, and which objects did in any way."""
        changed = False
        touched: set[Key] = set()
        for change in changes:
            kind = _KINDS.get(change.key.resource)
            if kind is None:
                continue
            key = Key(kind, change.key.namespace, change.key.name)
            touched.add(key)
            if change.value is None:
                changed = True
                self.objects.remove(key)
                self.latest.pop(key, None)
            else:
                changed |= self._put(key, change.value)
        return changed, touched

    def _put(self, key: Key, value: bytes) -> bool:
        self.latest[key] = value
        body = content(key.kind, orjson.loads(value))
        old = self.objects.get(*key)
        if old is not None and old.body == body:
            return False
        made = Resource(key, body)
        if key.kind == "Secret" and old is not None:
            made.before = last_pair(made, old)
        self.objects.put(made)
        return True


def content(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What of an object can matter to a translation; of Secrets, ConfigMaps and definitions the little that is read."""
    metadata = body["metadata"]
    for field in ("managedFields", "resourceVersion"):
        metadata.pop(field, None)
    if kind == "CustomResourceDefinition":
        return {"metadata": metadata}
    if kind in _READ:
        read = {
            field: {name: body[field][name] for name in names if name in (body.get(field) or {})}
            for field, names in _READ[kind].items()
        }
        return {"metadata": metadata, **read}
    body.pop("status", None)
    return body
