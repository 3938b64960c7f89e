"""Sessions of random header blocks, encoded in every way that HPACK knows, for our decoder and its referee.

A session is one connection's: blocks insert, evict, resize, name by index, code with Huffman or not, and now and then
one is broken, which ends the session for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import hpack
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

from proxy.protocols.h2.decoder import Decoder
from proxy.protocols.h2.errors import ConnectionFault

_HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
_NAMES = [name for name, _ in HeaderTable.STATIC_TABLE] + [b"x-request-id", b"traceparent", b"grpc-timeout", b"x"]
_VALUES = [b"", b"GET", b"200", b"trailers", b"application/grpc", b"gzip, deflate", b"a" * 60]
LARGE = 1 << 20

Fields = list[tuple[bytes, bytes, bool]]
"""Name, value, never indexed."""


@dataclass
class Writer:
    """Writes blocks as an encoder may; it mirrors only the size of the reader's table, by the referee's."""

    random: Random
    entries: int = 0
    recent: list[tuple[bytes, bytes]] = field(default_factory=list)

    def block(self, size_limit: int) -> bytes:
        """A block for a reader whose dynamic table has `entries` entries."""
        random = self.random
        out = bytearray()
        if random.random() < 0.05:
            for _ in range(random.randint(1, 2)):
                out += _integer(random.choice((0, 64, 200, size_limit)), 5, 0x20)
        for _ in range(random.randint(1, 12)):
            out += self._field()
        if random.random() < 0.004:
            out[random.randrange(len(out))] = random.randrange(256)
        if random.random() < 0.002:
            del out[-1]
        return bytes(out)

    def _field(self) -> bytes:
        random = self.random
        last = 61 + self.entries
        if random.random() < 0.45:
            return _integer(random.randint(1, last), 7, 0x80)
        pattern, bits = random.choice(((0x40, 6), (0x40, 6), (0x00, 4), (0x10, 4)))
        if random.random() < 0.6:
            return _integer(random.randint(1, last), bits, pattern) + self._string(self._value())
        return bytes((pattern,)) + self._string(random.choice(_NAMES)) + self._string(self._value())

    def _value(self) -> bytes:
        random = self.random
        choice = random.random()
        if choice < 0.5:
            return random.choice(_VALUES)
        if choice < 0.9:
            return b"%x" % random.getrandbits(random.choice((8, 32, 128)))
        return random.randbytes(random.choice((1, 20, 200, 600)))

    def _string(self, value: bytes) -> bytes:
        if self.random.random() < 0.5:
            coded = _HUFFMAN.encode(value)
            return _integer(len(coded), 7, 0x80) + coded
        return _integer(len(value), 7, 0) + value


def _integer(value: int, bits: int, pattern: int) -> bytes:
    limit = (1 << bits) - 1
    if value < limit:
        return bytes((pattern | value,))
    out = bytearray((pattern | limit,))
    value -= limit
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes((*out, value))


def ours(decoder: Decoder, block: bytes) -> Fields | None:
    """What our decoder makes of a block; None when it refuses it."""
    try:
        return [(each.name, each.value, type(each.line) is not bytes) for each in decoder.decode(block)]
    except ConnectionFault:
        return None


def referees(decoder: hpack.Decoder, block: bytes) -> Fields | None:
    """What the `hpack` package makes of it."""
    try:
        return [
            (bytes(name), bytes(value), isinstance(each, hpack.NeverIndexedHeaderTuple))
            for each in decoder.decode(block, raw=True)
            for name, value in (each,)
        ]
    except (hpack.HPACKError, IndexError):
        return None


def differences(seed: int, count: int) -> Iterator[tuple[bytes, Fields | None, Fields | None]]:
    """Decode `count` blocks, in sessions, with both; yield those that they do not understand alike."""
    random = Random(seed)
    done = 0
    while done < count:
        writer = Writer(random)
        decoder = Decoder(LARGE, LARGE)
        referee = hpack.Decoder(max_header_list_size=LARGE)
        for _ in range(random.randint(1, 200)):
            writer.entries = len(referee.header_table.dynamic_entries)
            block = writer.block(4096)
            mine, theirs = ours(decoder, block), referees(referee, block)
            done += 1
            if mine != theirs:
                yield block, mine, theirs
                break
            if mine is None or done == count:
                break
