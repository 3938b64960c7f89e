"""Integers with a prefix of some bits (RFC 7541 section 5.1)."""

from __future__ import annotations

from proxy.protocols.h2.errors import Code, ConnectionFault

_SHIFT_LIMIT = 21
"""Four bytes may follow the prefix: no length or index here is larger, and none may be so padded that it costs time."""


def decode_rest(block: bytes, at: int, prefix_limit: int) -> tuple[int, int]:
    """(value, place after it) of an integer whose prefix was all ones, which is `prefix_limit`; `at` is behind it.

    Raises ConnectionFault, also for an IndexError's reason: the block ends too soon.
    """
    value, shift = prefix_limit, 0
    while at < len(block) and shift <= _SHIFT_LIMIT:
        byte = block[at]
        at += 1
        value += (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ConnectionFault(Code.COMPRESSION_ERROR, "an integer without an end, or too large")


def encode(value: int, prefix_bits: int, pattern: int) -> bytes:
    """The integer, with `pattern` in the bits before its prefix."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((pattern | value,))
    out = bytearray((pattern | limit,))
    value -= limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
