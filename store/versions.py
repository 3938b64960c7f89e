"""Served versions: bytes at rest come in, the object as a client of some version asked for it goes out.

All versions of a kind share one meaning: conversion changes apiVersion and, where the schemas differ, adds the defaults
of the asked version. Bytes in the storage version are handed out as they lie.
"""

from __future__ import annotations

import orjson

from store.kinds.kind import Kind, Version
from store.objects import encoding
from store.schema.compile import compile_schema
from store.schema.structural import Schema


def version_of(kind: Kind, name: str) -> Version:
    """The version of a kind by its name."""
    return next(version for version in kind.versions if version.name == name)


class Rendering:
    """How objects of one kind look in one version."""

    def __init__(self, kind: Kind, version: str) -> None:
        self.kind = kind
        self.version = version_of(kind, version)
        self.api_version = kind.api_version(version)
        self._as_stored = self.version is kind.storage_version
        self._same_schema = self._as_stored or _same(self.version.schema, kind.storage_version.schema)

    def __call__(self, value: bytes) -> bytes:
        """The object in this version."""
        if self._as_stored and value.startswith(b'{"apiVersion":"%b"' % self.api_version.encode()):
            return value
        value = encoding.with_api_version(value, self.api_version)
        if self._same_schema:
            return value
        obj = orjson.loads(value)
        revision = obj["metadata"]["resourceVersion"]
        compile_schema(self.version.schema).default(obj)
        return encoding.joined(encoding.encode(obj), revision)


_COMPARED_LIMIT = 1_024
_compared: dict[tuple[int, int], tuple[Schema, Schema, bool]] = {}


def _same(one: Schema, other: Schema) -> bool:
    """Whether two schemas are equal; remembered, because comparing two large ones takes a while."""
    if one is other:
        return True
    known = _compared.get((id(one), id(other)))
    if known is not None and known[0] is one and known[1] is other:
        return known[2]
    if len(_compared) >= _COMPARED_LIMIT:
        _compared.clear()
    same = one == other
    _compared[id(one), id(other)] = (one, other, same)
    return same
