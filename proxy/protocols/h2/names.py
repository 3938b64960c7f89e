"""Names of header fields, judged once: what all fields of a name have in common (RFC 9113 sections 8.2 and 8.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from proxy.memo import Memo
from proxy.protocols.authority import host_name
from proxy.protocols.h2.literals import NEVER_INDEXED, literal_name
from proxy.protocols.h2.static_table import WHOLE
from proxy.protocols.hop_by_hop import CONNECTION_FIELDS, in_disguise

PASS: Final = 0
"""Travels on as it is."""
METHOD, PATH, SCHEME, AUTHORITY, STATUS, ODD_METHOD, ODD_PATH = range(1, 8)
"""Pseudo-header fields; odd: not to be carried, or not before a closer look."""
LAST_PSEUDO: Final = ODD_PATH
LENGTH: Final = 8
TE: Final = 9
HOST: Final = 10
FORWARDED: Final = 11
COOKIE: Final = 12
AGENT: Final = 13
EXPECT: Final = 14
DATE: Final = 15
DROP: Final = 16
"""Belongs to one connection, or pretends with underscores to be a field that frames or routes."""
MALFORMED: Final = 17
TYPE: Final = 18
GRPC_TIMEOUT: Final = 19

ALWAYS_SECRET: Final = frozenset((b"authorization", b"proxy-authorization"))
NAME_LIMIT_BYTES: Final = 256
"""Longer names are judged anew each time."""

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_TARGET = re.compile(rb"/[!\"$-~]*|\*").fullmatch
_PLAIN_TARGET = re.compile(
    rb"(?=/)(?:/[!\"$&-\-0-9:->@-~][!\"$&-.0-9:->@-~]*+)*+/?(?:\?[!\"$-~]*)?"  # a path without "%", "//" and "/."
).fullmatch
_STATUS = re.compile(rb"[1-9][0-9]{2}").fullmatch
_LENGTH = re.compile(rb"[0-9]{1,18}").fullmatch
_MALFORMED_NAMES = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
_KINDS: Final[dict[bytes, int]] = {
    b":method": METHOD,
    b":path": PATH,
    b":scheme": SCHEME,
    b":authority": AUTHORITY,
    b":status": STATUS,
    b"content-length": LENGTH,
    b"te": TE,
    b"host": HOST,
    b"forwarded": FORWARDED,
    b"cookie": COOKIE,
    b"user-agent": AGENT,
    b"expect": EXPECT,
    b"date": DATE,
    b"content-type": TYPE,
    b"grpc-timeout": GRPC_TIMEOUT,
}


def _method(value: bytes) -> int:
    if value in (b"CONNECT", b"TRACE"):
        return ODD_METHOD
    return METHOD if _METHOD(value) else MALFORMED


def _path(value: bytes) -> int:
    if _PLAIN_TARGET(value):
        return PATH
    return ODD_PATH if _TARGET(value) else MALFORMED


_JUDGES: Final[dict[int, Callable[[bytes], int]]] = {
    METHOD: _method,
    PATH: _path,
    SCHEME: lambda value: SCHEME if value in (b"http", b"https") else MALFORMED,
    AUTHORITY: lambda value: AUTHORITY if host_name(value) is not None else MALFORMED,
    STATUS: lambda value: STATUS if _STATUS(value) else MALFORMED,
    LENGTH: lambda value: LENGTH if _LENGTH(value) else MALFORMED,
    TE: lambda value: TE if value.lower() == b"trailers" else MALFORMED,
    HOST: lambda value: HOST if host_name(value) is not None else MALFORMED,
}


_WHOLES: Final = {name: {value: whole for (other, value), whole in WHOLE.items() if other == name} for name, _ in WHOLE}
_NO_WHOLES: Final[dict[bytes, bytes]] = {}


class Name:
    """What fields of one name have in common.

    kind: one of the constants above. judge: what it is with a value, for some: MALFORMED when they cannot have it.
    line: how lines `name: value` begin; an authority's is Host's. size: as tables and limits count, without the value
    (RFC 7541 section 4.1). literal, never_indexed: how their literals begin, the same when they are always never
    indexed. wholes: the values that one byte stands for, together with the name. plain: neither a judge nor
    wholes. fresh: how many values in a row were new, as far as they were remembered at all.
    """

    __slots__ = (
        "fresh",
        "judge",
        "kind",
        "line",
        "literal",
        "name",
        "never_indexed",
        "plain",
        "size",
        "wholes",
    )

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.kind = _kind(name)
        self.judge = _JUDGES.get(self.kind)
        self.line = b"Host: " if self.kind == AUTHORITY else name + b": "
        self.size = len(name) + 32
        self.never_indexed = literal_name(name, NEVER_INDEXED)
        self.literal = self.never_indexed if name in ALWAYS_SECRET else literal_name(name)
        self.wholes = _WHOLES.get(name, _NO_WHOLES)
        self.plain = self.judge is None and not self.wholes
        self.fresh = 0


_NAMES: Memo[bytes, Name] = Memo(2048)


def named(name: bytes) -> Name:
    """What is known of fields of this name."""
    known = _NAMES.recall(name)
    if known is None:
        known = Name(name)
        if len(name) <= NAME_LIMIT_BYTES:
            _NAMES.remember(name, known)
    return known


def _kind(name: bytes) -> int:
    kind = _KINDS.get(name)
    if kind is not None:
        return kind
    if _NAME(name) is None or name in _MALFORMED_NAMES:
        return MALFORMED
    if name in CONNECTION_FIELDS or in_disguise(name):
        return DROP
    return FORWARDED if name.startswith(b"x-forwarded-") else PASS
