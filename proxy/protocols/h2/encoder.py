"""HPACK from us (RFC 7541 section 6): header lines come in, a block goes out that needs no table.

Nothing is ever inserted into the peer's table, so a line's encoding is the same on every connection and is remembered
under the line. The first block of a connection says so to the peer: table size 0. Lines that must never be indexed are
encoded anew each time: a shared memory of them could be asked by timing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proxy.memo import Memo
from proxy.protocols.h2.fields import SecretLine
from proxy.protocols.h2.literals import NEVER_INDEXED, literal_name, string
from proxy.protocols.h2.names import ALWAYS_SECRET
from proxy.protocols.h2.static_table import WHOLE

TABLE_SIZE_0: Final = b"\x20"
_NOT_CARRIED: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"te", b"host")
)
"""Fields that HTTP/2 does not have (RFC 9113 section 8.2.2), or says in another way."""
_LINE_LIMIT_BYTES = 512
_VALUES_BEFORE_FLUID = 64


class _Name:
    """What lines of one spelling of a name have in common. literal: the encoded name."""

    __slots__ = ("carried", "literal", "secret", "values", "wholes")

    def __init__(self, spelling: bytes) -> None:
        name = spelling.lower()
        self.carried = name not in _NOT_CARRIED
        self.literal = literal_name(name)
        self.secret = name in ALWAYS_SECRET
        self.values = 0
        self.wholes = {value: whole for (other, value), whole in WHOLE.items() if other == name}


_LINES: Memo[bytes, bytes] = Memo(8192)
_NAMES: Memo[bytes, _Name] = Memo(2048)


def field(line: bytes) -> bytes:
    """The encoding of a field line `name: value`; nothing for a field that HTTP/2 does not carry as one."""
    known = _LINES.young.get(line)
    if known is None:
        known = _LINES.recall(line)
        if known is None:
            known = _encode(line)
    return known


def secret_field(line: bytes) -> bytes:
    """The encoding of a field line as never indexed (section 6.2.3)."""
    spelling, _, value = line.partition(b":")
    return literal_name(spelling.lower(), NEVER_INDEXED) + string(value.strip(b" \t"))


def block(lines: Sequence[bytes]) -> bytes:
    """The encodings of field lines, joined; of SecretLines as never indexed."""
    young = _LINES.young
    return b"".join([young.get(line) or field(line) for line in lines])


def _name(spelling: bytes) -> _Name:
    name = _NAMES.young.get(spelling) or _NAMES.recall(spelling)
    if name is None:
        name = _Name(spelling)
        if len(spelling) <= _LINE_LIMIT_BYTES:
            _NAMES.remember(spelling, name)
    return name


def _encode(line: bytes) -> bytes:
    spelling, _, value = line.partition(b":")
    name = _name(spelling)
    if not name.carried:
        return b""
    if name.secret or isinstance(line, SecretLine):
        return secret_field(line)
    value = value.strip(b" \t")
    encoded = name.wholes.get(value) if name.wholes else None
    if encoded is None:
        encoded = name.literal + string(value)
    if name.values < _VALUES_BEFORE_FLUID:  # values that have shown that they do not repeat are not remembered
        name.values += 1
        if len(line) <= _LINE_LIMIT_BYTES:
            _LINES.remember(line, encoded)
    return encoded
