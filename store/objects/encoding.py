"""How an object lies in the log: JSON with apiVersion, kind and metadata.resourceVersion in front, in that order.

So the log can put the revision in without parsing, another served version is another first field, and a deletion event
is the old bytes with a new revision. Everything here is bytes in, bytes out.
"""

from __future__ import annotations

from typing import Any

import orjson

_REVISION = b'"metadata":{"resourceVersion":"'


def encode(obj: dict[str, Any]) -> tuple[bytes, bytes]:
    """The two pieces of an object around its revision; a resourceVersion that it carries is left out."""
    metadata = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
    rest = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind", "metadata")}
    head = b'{"apiVersion":%b,"kind":%b,%b' % (orjson.dumps(obj["apiVersion"]), orjson.dumps(obj["kind"]), _REVISION)
    tail = b'",%b' % orjson.dumps(metadata)[1:]
    return head, tail + (b"," + orjson.dumps(rest)[1:] if rest else b"}")


def joined(pieces: tuple[bytes, bytes], revision: int | str) -> bytes:
    """The whole object with a revision ("" for one that was never written)."""
    return pieces[0] + str(revision).encode() + pieces[1]


def with_revision(value: bytes, revision: int) -> bytes:
    """The object with another revision in it."""
    start = value.index(_REVISION) + len(_REVISION)
    return b"%b%d%b" % (value[:start], revision, value[value.index(b'"', start) :])


def with_api_version(value: bytes, api_version: str) -> bytes:
    """The object under another apiVersion."""
    return b'{"apiVersion":%b%b' % (orjson.dumps(api_version), value[value.index(b',"kind":') :])
