"""The parts of literal fields as we write them (RFC 7541 sections 5.2 and 6.2): names and values in, bytes out."""

from __future__ import annotations

from typing import Final

from proxy.protocols.h2.integers import encode as encode_integer
from proxy.protocols.h2.static_table import NAME_INDEX

NEVER_INDEXED: Final = 0x10
LENGTHS: Final = [bytes((length,)) for length in range(127)]
"""How a string of so many bytes begins, when it is not coded."""


def literal_name(name: bytes, pattern: int = 0) -> bytes:
    """A lower-case name as a literal field begins; pattern: 0, or the bit for never indexed."""
    index = NAME_INDEX.get(name, 0)
    if index:
        return encode_integer(index, 4, pattern)
    return bytes((pattern,)) + string(name)


def string(value: bytes) -> bytes:
    """A string literal, as it is: what Huffman coding would save on the wire costs more than it is worth here."""
    length = len(value)
    return (LENGTHS[length] if length < 127 else encode_integer(length, 7, 0)) + value
