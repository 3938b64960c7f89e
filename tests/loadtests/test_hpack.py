"""Our HPACK in C against the `hpack` package: blocks of random fields, both ways, through changes of the table."""

from __future__ import annotations

import ctypes
import random
import subprocess
from pathlib import Path

import pytest
from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple

from loadtests.compare.programs import SOURCES

pytestmark = pytest.mark.needs("cc")
NAMES = [b":method", b":path", b":status", b"x-a", b"cookie", b"authorization", b"traceparent", b"x-" + b"y" * 40]
ROOM = 1 << 17
KEPT, PLAIN, NEVER = range(3)
Field = tuple[bytes, bytes, int]


class _Field(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("value", ctypes.c_void_p),
        ("name_length", ctypes.c_size_t),
        ("value_length", ctypes.c_size_t),
        ("policy", ctypes.c_int),
    )


class Hpack:
    """The compiled code."""

    def __init__(self, folder: Path) -> None:
        library = folder / "hpack.so"
        sources = [SOURCES / "hpack.c", SOURCES / "huffman.c"]
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, *sources], check=True)
        self.code = ctypes.CDLL(str(library))
        self.code.hpack_encode.restype = ctypes.c_size_t
        self.code.hpack_prepare()

    def table(self) -> ctypes.Array[ctypes.c_char]:
        made = ctypes.create_string_buffer(4096)
        self.code.hpack_new(made)
        return made

    def limit(self, table: ctypes.Array[ctypes.c_char], limit: int) -> None:
        self.code.hpack_limit(table, ctypes.c_size_t(limit))

    def encode(self, table: ctypes.Array[ctypes.c_char], fields: list[Field]) -> bytes:
        kept = [(ctypes.create_string_buffer(n), ctypes.create_string_buffer(v)) for n, v, _ in fields]
        listed = (_Field * len(fields))()
        for entry, (name, value), field in zip(listed, kept, fields, strict=True):
            entry.name, entry.value = ctypes.addressof(name), ctypes.addressof(value)
            entry.name_length, entry.value_length, entry.policy = len(field[0]), len(field[1]), field[2]
        out = ctypes.create_string_buffer(ROOM)
        length = self.code.hpack_encode(table, listed, len(fields), out)
        return out.raw[:length]

    def decode(self, table: ctypes.Array[ctypes.c_char], block: bytes) -> list[tuple[bytes, bytes]] | None:
        found, text = (_Field * 64)(), ctypes.create_string_buffer(ROOM)
        length, room = ctypes.c_size_t(len(block)), ctypes.c_size_t(ROOM)
        count = self.code.hpack_decode(table, block, length, found, 64, text, room)
        if count < 0:
            return None
        return [
            (ctypes.string_at(f.name, f.name_length), ctypes.string_at(f.value, f.value_length)) for f in found[:count]
        ]


@pytest.fixture(scope="module")
def hpack(tmp_path_factory: pytest.TempPathFactory) -> Hpack:
    return Hpack(tmp_path_factory.mktemp("hpack"))


def some_fields(chance: random.Random) -> list[Field]:
    def value() -> bytes:
        some = [b"GET", b"/", b"200", b"", b"v%d" % chance.randrange(5), b"a" * chance.randrange(300)]
        return chance.choice([*some, chance.randbytes(30)])

    policies = [KEPT, KEPT, KEPT, PLAIN, NEVER]
    return [(chance.choice(NAMES), value(), chance.choice(policies)) for _ in range(chance.randrange(1, 14))]


@pytest.mark.parametrize("seed", range(8))
def test_what_we_write_the_package_reads(hpack: Hpack, seed: int) -> None:
    chance, table, reader = random.Random(seed), hpack.table(), Decoder()
    for _ in range(200):
        if chance.random() < 0.1:
            for _ in range(chance.randrange(1, 3)):
                hpack.limit(table, chance.choice([0, 100, 1000, 4096]))
        fields = some_fields(chance)
        read = reader.decode(hpack.encode(table, fields), raw=True)
        assert [(bytes(n), bytes(v)) for n, v in read] == [(n, v) for n, v, _ in fields]
        assert [f.indexable for f in read] == [p != NEVER for _, _, p in fields]
    hpack.code.hpack_free(table)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_package_writes_we_read(hpack: Hpack, seed: int) -> None:
    chance, table, writer = random.Random(seed), hpack.table(), Encoder()
    for _ in range(200):
        if chance.random() < 0.1:
            writer.header_table_size = chance.choice([0, 100, 1000, 4096])
        fields = some_fields(chance)
        made = [(NeverIndexedHeaderTuple if p == NEVER else HeaderTuple)(n, v) for n, v, p in fields]
        block = writer.encode(made, huffman=chance.random() < 0.8)
        assert hpack.decode(table, block) == [(n, v) for n, v, _ in fields]
    hpack.code.hpack_free(table)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x80", id="index 0"),
        pytest.param(b"\xbe", id="index of nothing"),
        pytest.param(b"\xff\xff\xff\xff\xff\xff", id="a number without end"),
        pytest.param(b"\x00\x01", id="a string that is cut off"),
        pytest.param(b"\x00\x01a\x81\xfe", id="padding that is not all ones"),
        pytest.param(b"\x00\x01a\x84\xff\xff\xff\xff", id="the end of string inside a string"),
        pytest.param(b"\x88\x20", id="a table size behind a field"),
        pytest.param(b"\x3f\xe2\x1f", id="a table size over the limit"),
    ],
)
def test_what_breaks_the_rules_is_refused(hpack: Hpack, block: bytes) -> None:
    assert hpack.decode(hpack.table(), block) is None
