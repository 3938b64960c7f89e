"""HPACK towards us (RFC 7541 sections 3, 4 and 6): a whole header block comes in, its fields go out.

Literals whose meaning does not hang on the table are remembered by their exact bytes, for all connections; those that
must never be indexed only for their own connection, so that nobody can learn by timing what another one sent.
"""

from __future__ import annotations

from typing import Final

from proxy.memo import Memo
from proxy.protocols.h2.errors import Code, ConnectionFault
from proxy.protocols.h2.fields import Field
from proxy.protocols.h2.huffman import decode as decode_huffman
from proxy.protocols.h2.integers import decode_rest
from proxy.protocols.h2.names import NAME_LIMIT_BYTES, Name, named
from proxy.protocols.h2.static_table import ENTRIES

TABLE_SIZE = 4096
"""SETTINGS_HEADER_TABLE_SIZE: the default, which we never change."""

_BASE: Final = 0x80
"""Tables begin with so many places that stand for nothing: so the byte that stands for an index is the place."""
_STATIC: Final = [Field(named(b""), b"")] * (_BASE + 1) + [Field(named(name), value) for name, value in ENTRIES]
_DYNAMIC: Final = len(_STATIC)
_LITERAL_LIMIT_BYTES = 256
_SECRET_LIMIT_BYTES = 1024
_SECRETS_LIMIT = 16
_VALUES_BEFORE_FLUID = 64
_SIZE_OF_MOST = 256

_LITERALS: Memo[bytes, Field] = Memo(4096)
_NAMES: Memo[bytes, Name] = Memo(2048)
"""By the strings that stood for them, with their lengths, Huffman-coded or not."""


def _forms() -> list[tuple[int, int, bool]]:
    """What the first byte of a literal field says (section 6.2): the name's place in a table, 0 when the name follows,
    _BASE for a byte that begins no literal; what the rest of the name's index adds to, or 0; whether it is secret."""
    forms = [(_BASE, 0, False)] * (_BASE + 1)
    for pattern, limit in ((0x00, 0x0F), (0x10, 0x0F), (0x40, 0x3F)):
        secret = pattern == 0x10
        forms[pattern] = 0, 0, secret
        for index in range(1, limit):
            forms[pattern | index] = _BASE + index, 0, secret
        forms[pattern | limit] = _BASE + limit, _BASE + limit, secret
    return forms


_FORMS: Final = _forms()


class Decoder:
    """One direction of one connection.

    changed: the last block inserted, evicted or resized: what the same bytes mean next may differ. state: counts the
    blocks that did. oversized: the last
    block held more than the limits allow; its fields are cut off there, but the table has seen all of it.
    """

    __slots__ = ("_count_limit", "_few", "_largest", "_limit_bytes", "_secrets", "_size", "_table", "_table_limit",
                 "changed", "oversized", "state")  # fmt: skip

    def __init__(self, limit_bytes: int, count_limit: int) -> None:
        """limit_bytes: of all fields, each counted with 32 bytes more, as SETTINGS_MAX_HEADER_LIST_SIZE does."""
        self._limit_bytes = limit_bytes
        self._count_limit = count_limit
        self._table = _STATIC.copy()  # the newest entry stands at _DYNAMIC
        self._size = 0
        self._table_limit = TABLE_SIZE
        self._largest = self._few = 0
        self._grow(_SIZE_OF_MOST)
        self._secrets: Memo[bytes, Field] = Memo(_SECRETS_LIMIT)
        self.changed = False
        self.state = 0
        self.oversized = False

    def decode(self, block: bytes) -> list[Field]:
        """The fields in their order. Raises ConnectionFault (COMPRESSION_ERROR), after which nothing can be decoded."""
        self.changed = self.oversized = False
        try:
            fields = self._decode(block, len(block))
        except IndexError:
            raise _fault("an index outside the tables, or a block that ends too soon") from None
        if self.changed:
            self.state += 1
        return fields if len(fields) <= self._few and len(block) <= TABLE_SIZE else self._within_limits(fields)

    def _decode(self, block: bytes, size: int) -> list[Field]:
        """All fields; a loop without calls for what is common. Raises IndexError."""
        fields: list[Field] = []
        append = fields.append
        table = self._table
        at = self._resize(block) if size and block[0] & 0xE0 == 0x20 else 0
        while at < size:
            first = block[at]
            at += 1
            if first > 0x80:
                if first == 0xFF:
                    first, at = decode_rest(block, at, first)
                append(table[first])
                continue
            start = at
            place, rest, secret = _FORMS[first]
            if rest:
                place, at = rest + block[at], at + 1
                if place >= rest + 0x80:
                    place, at = decode_rest(block, at - 1, rest)
            if place > _BASE:
                about = table[place].about
            elif place:
                raise _fault("index 0, or a table size update that is not at the block's start")
            else:
                about, at = _name(block, at)
            mark = block[at]
            at += 1
            length = mark & 0x7F
            if length == 0x7F:
                length, at = decode_rest(block, at, length)
            value = block[at : at + length]
            at += length
            if at > size:
                raise IndexError
            if place < _DYNAMIC and (secret or about.fresh < _VALUES_BEFORE_FLUID):
                memory = self._secrets if secret else _LITERALS
                field = _known(memory, block[start - 1 : at], about, value, mark >= 0x80, secret)
            else:
                field = Field(about, decode_huffman(value) if mark >= 0x80 else value, secret)
            append(field)
            if first >= 0x40:  # it goes into the dynamic table
                self.changed = True
                total = self._size + field.size
                if total > self._table_limit or field.size > self._largest:
                    total = self._make_room(total, field.size)
                if total:
                    self._size = total
                    table.insert(_DYNAMIC, field)
        return fields

    def _within_limits(self, fields: list[Field]) -> list[Field]:
        """The fields before the first that is too much."""
        total = 0
        for count, field in enumerate(fields):
            total += field.size
            if total > self._limit_bytes or count == self._count_limit:
                self.oversized = True
                return fields[:count]
        return fields

    def _grow(self, largest: int) -> None:
        """How large an entry of the table may be has changed, and so how many fields need not be counted: none is
        larger than that, but for what a block of at most TABLE_SIZE says itself, which is less than twice as much."""
        self._largest = largest
        self._few = min((self._limit_bytes - 2 * TABLE_SIZE) // largest, self._count_limit)

    def _make_room(self, total: int, size: int) -> int:
        """Drop the oldest entries until all, with one more of that size, are within the table's limit (section 4.4);
        what the total is then: 0 when that one does not fit into an empty table either."""
        table, limit = self._table, self._table_limit
        if size > limit:
            del table[_DYNAMIC:]
            self._size = 0
            return 0
        while total > limit:
            total -= table.pop().size
        if size > self._largest:
            self._grow(size)
        return total

    def _resize(self, block: bytes) -> int:
        """Table size updates at the block's start (section 6.3); the place behind them."""
        at = 0
        while at < len(block) and block[at] & 0xE0 == 0x20:
            limit, at = block[at] & 0x1F, at + 1
            if limit == 0x1F:
                limit, at = decode_rest(block, at, 0x1F)
            if limit > TABLE_SIZE:
                raise _fault("a table size above our setting")
            self.changed = True
            self._table_limit = limit
            self._size = self._make_room(self._size, 0)
        return at


def _known(memory: Memo[bytes, Field], key: bytes, about: Name, value: bytes, coded: bool, secret: bool) -> Field:
    """The field of a literal that means the same in all blocks, which was seen before, or is from now on."""
    field = memory.young.get(key) or memory.recall(key)
    if field is not None:
        about.fresh = 0
        return field
    field = Field(about, decode_huffman(value) if coded else value, secret)
    if secret:
        if len(key) <= _SECRET_LIMIT_BYTES:
            memory.remember(key, field)
    elif len(key) <= _LITERAL_LIMIT_BYTES:
        about.fresh += 1  # values that do not recur are not remembered any more
        memory.remember(key, field)
    return field


def _string(block: bytes, at: int) -> tuple[int, int, bool]:
    """(start, end, Huffman-coded) of the string literal at `at` (section 5.2)."""
    length = block[at]
    at += 1
    coded = length >= 0x80
    if coded:
        length -= 0x80
    if length == 0x7F:
        length, at = decode_rest(block, at, 0x7F)
    end = at + length
    if end > len(block):
        raise IndexError
    return at, end, coded


def _name(block: bytes, start: int) -> tuple[Name, int]:
    """The name that the string literal at `start` says, and the place behind it."""
    at, end, coded = _string(block, start)
    key = block[start:end]
    known = _NAMES.young.get(key) or _NAMES.recall(key)
    if known is None:
        name = block[at:end]
        known = named(decode_huffman(name) if coded else name)
        if len(key) <= NAME_LIMIT_BYTES:
            _NAMES.remember(key, known)
    return known, end


def _fault(message: str) -> ConnectionFault:
    return ConnectionFault(Code.COMPRESSION_ERROR, message)
