"""The wire format of Protocol Buffers, as far as a few known messages need it: fields in, bytes out, and back.

It refuses to know messages; groups, which nobody writes any more, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_VARINT_LIMIT_BYTES = 10
_FIXED = {FIXED64: 8, FIXED32: 4}

Field = tuple[int, int | bytes]
"""The number of a field, and its value: an int for varints, else its bytes."""


class ProtobufError(ValueError):
    """Bytes that are no message."""


def varint(value: int) -> bytes:
    """A whole number of 64 bits; negative ones as two's complement."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A field of an integer, bool or enum type; nothing for the default."""
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def data(field: int, value: bytes) -> bytes:
    """A field of type string, bytes or message; nothing for the empty value."""
    return varint(field << 3 | BYTES) + varint(len(value)) + value if value else b""


def entry(field: int, key: bytes, value: bytes) -> bytes:
    """An entry of a map from strings to strings."""
    return data(field, data(1, key) + data(2, value))


def fields(message: bytes) -> Iterator[Field]:
    """The fields in their order. Raises ProtobufError."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        field, kind = tag >> 3, tag & 7
        if not field:
            raise ProtobufError("a field has no number")
        if kind == VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if kind == BYTES:
            length, at = _varint(message, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ProtobufError(f"field {field} is of a kind that is not known")
        if length > end - at:
            raise ProtobufError(f"field {field} is not whole")
        yield field, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for place, byte in enumerate(message[at : at + _VARINT_LIMIT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise ProtobufError("a number is not whole")
