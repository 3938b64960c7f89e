"""The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B): coded bytes come in, plain ones go out.

Short strings walk one row of 256 entries per coded byte; an entry is the row to go on with and what the byte completed.
Long ones are inflated: up to 15 bits the code is one that DEFLATE can have (RFC 1951 section 3.2.2), for both count
their codes up by length, then by byte. All longer codes begin with 15 ones, which stand for DEFLATE's end of block. So
that many ones behind a string end it, together with its padding, and what ended earlier is walked.
"""

from __future__ import annotations

import zlib
from typing import Final

from proxy.protocols.h2.errors import Code, ConnectionFault

SYMBOLS: Final[dict[int, bytes]] = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: b"\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
    21: b"\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
    22: b"\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9",
    23: b"\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf"
    b"\xc5\xe7\xef",
    24: b"\t\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
    25: b"\xc7\xcf\xea\xeb",
    26: b"\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
    27: b"\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
    28: b"\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    b"\x7f\xdc\xf9",
    30: b"\n\r\x16",
}
"""The bytes that have a code of so many bits. The code is canonical: codes count up by length, then by byte; the last
one, 30 ones, is the end-of-string symbol, which may stand nowhere."""

Row = list[tuple["Row", bytes]]
_Step = tuple[int, bytes]
_ROOT: Final = 0
_DEAD: Final = -1


def codes() -> dict[int, tuple[int, int]]:
    """Byte to (code, its length in bits)."""
    found: dict[int, tuple[int, int]] = {}
    code = length = 0
    for bits, symbols in SYMBOLS.items():
        code <<= bits - length
        length = bits
        for symbol in symbols:
            found[symbol] = (code, bits)
            code += 1
    return found


def _tree() -> list[list[_Step]]:
    """Inner nodes of the code's tree, each with the step that a 0 and a 1 take from it."""
    nodes: list[list[_Step]] = [[(_DEAD, b""), (_DEAD, b"")]]
    for symbol, (code, length) in codes().items():
        at = _ROOT
        for place in range(length - 1, 0, -1):
            bit = code >> place & 1
            if nodes[at][bit][0] == _DEAD:
                nodes.append([(_DEAD, b""), (_DEAD, b"")])
                nodes[at][bit] = (len(nodes) - 1, b"")
            at = nodes[at][bit][0]
        nodes[at][code & 1] = (_ROOT, bytes((symbol,)))
    return nodes


def _chunk(step: _Step, steps: list[list[_Step]]) -> list[_Step]:
    """What follows a step, for each value of the next bits."""
    at, out = step
    if at == _DEAD:
        return [step] * len(steps[_ROOT])
    return [(after, out + more) for after, more in steps[at]] if out else steps[at]


def _wider(steps: list[list[_Step]]) -> list[list[_Step]]:
    """From steps on n bits, steps on 2n bits."""
    return [[wide for step in row for wide in _chunk(step, steps)] for row in steps]


def _rows() -> tuple[Row, frozenset[int]]:
    """The row to begin with, and the identities of those where a string may end."""
    tree = _tree()
    nibbles = _wider(_wider(tree))
    rows: list[Row] = [[] for _ in nibbles]
    dead: Row = []
    dead += [(dead, b"")] * 256
    halves: dict[_Step, Row] = {}
    for row, steps in zip(rows, nibbles, strict=True):
        for step in steps:
            half = halves.get(step)
            if half is None:
                chunk = _chunk(step, nibbles)
                half = halves[step] = [(dead if at == _DEAD else rows[at], out) for at, out in chunk]
            row += half
    ends, at = [_ROOT], _ROOT
    for _ in range(7):  # padding is fewer than eight bits, all ones
        at = tree[at][1][0]
        ends.append(at)
    return rows[_ROOT], frozenset(id(rows[at]) for at in ends)


_START, _ENDS = _rows()


_INFLATED_BITS: Final = 15
_END_OF_BLOCK: Final = 256
_END: Final = b"\xff\x7f"
"""As DEFLATE reads it: 15 ones and a zero, so that one bit too many in the string before does not end it either."""
_ONES: Final = 0xFF
_SHORT_BYTES = 12
"""Where inflating, which costs the same for any short string, becomes cheaper than walking."""

_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""DEFLATE fills bytes from their lowest bit on, HPACK from their highest."""
_LENGTHS: Final = bytes(codes()[byte][1] for byte in range(256))


def _deflated() -> bytes:
    """The beginning of a DEFLATE stream whose block has our code, and a letter for it to end with a byte."""
    inflated = {byte: code for byte, code in codes().items() if code[1] <= _INFLATED_BITS}
    lengths = [inflated[byte][1] if byte in inflated else 0 for byte in range(_END_OF_BLOCK)]
    lengths += [_INFLATED_BITS, 0]  # the end of the block; no code for distances
    bits = "1" + "01"  # the last block, with codes of its own, lowest bit first
    bits += "00000" + "00000" + "1111"  # so many lengths of literals, of distances, and of lengths' codes
    bits += "000" * 3 + "001" * 16  # of four bits each, but for the repetitions 16 to 18, which come first
    bits += "".join(format(length, "04b") for length in lengths)
    bits += next(f"{code:0{length}b}" for code, length in inflated.values() if (len(bits) + length) % 8 == 0)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


_PRIMED: Final = zlib.decompressobj(-8)  # no window to speak of: nothing is repeated
_PRIMED.decompress(_deflated())
_copy = _PRIMED.copy


def decode(coded: bytes) -> bytes:
    """The plain bytes. Raises ConnectionFault for the end-of-string symbol and for padding that is not all ones or
    longer than seven bits."""
    if len(coded) >= _SHORT_BYTES:
        inflater = _copy()
        plain = inflater.decompress(coded.translate(_MIRRORED) + _END)
        # 15 ones within the string, or padding of more than seven, have a whole byte of ones
        if inflater.eof and (_ONES not in coded or 0 <= 8 * len(coded) - _bits(plain) <= 7):
            return plain
    return _walk(coded)


def _bits(plain: bytes) -> int:
    """The length of what stands for the bytes."""
    return sum(plain.translate(_LENGTHS))


def _walk(coded: bytes) -> bytes:
    row = _START
    pieces: list[bytes] = []
    append = pieces.append
    for byte in coded:
        row, piece = row[byte]
        append(piece)
    if id(row) not in _ENDS:
        raise ConnectionFault(Code.COMPRESSION_ERROR, "a Huffman-coded string that does not end as it must")
    return b"".join(pieces)
