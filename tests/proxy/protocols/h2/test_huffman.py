"""Huffman-coded strings: what is inflated, against what is walked bit by bit."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h2 import huffman
from proxy.protocols.h2.errors import ConnectionFault

CODES = {byte: format(code, f"0{length}b") for byte, (code, length) in huffman.codes().items()}
LONG = b"w" * 40  # enough to be inflated


def coded(plain: bytes, padding: str = "") -> bytes:
    """The string with that padding, and with ones where that does not fill the last byte."""
    bits = "".join(CODES[byte] for byte in plain) + padding
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def referee(string: bytes) -> bytes | None:
    """Decodes as RFC 7541 section 5.2 says it, a bit at a time; None when the string is broken."""
    symbols = {code: byte for byte, code in CODES.items()}
    plain, seen = bytearray(), ""
    for bit in "".join(format(byte, "08b") for byte in string):
        seen += bit
        if seen in symbols:
            plain.append(symbols[seen])
            seen = ""
    return bytes(plain) if len(seen) <= 7 and "0" not in seen else None


def decoded(string: bytes) -> bytes | None:
    """What we make of it."""
    try:
        return huffman.decode(string)
    except ConnectionFault:
        return None


@pytest.mark.parametrize("before", [b"", LONG], ids=["walked", "inflated"])
@pytest.mark.parametrize("shift", [b"", b"0", b"00", b"000", b"0000", b"&", b"&0", b"&00"])
def test_last_bytes_of_all_lengths_with_any_padding_is_judged_as_the_rfc_says(before: bytes, shift: bytes) -> None:
    paddings = ["1" * count for count in range(25)]
    paddings += ["1" * ones + "0" + "1" * more for ones in (0, 1, 2, 7, 13, 14, 15) for more in (0, 1, 14, 15)]
    for byte in {each for symbols in huffman.SYMBOLS.values() for each in (symbols[0], symbols[-1])}:
        for padding in paddings:
            string = coded(before + shift + bytes((byte,)), padding)
            assert decoded(string) == referee(string), (byte, padding)


@given(st.binary(max_size=200), st.text("01", max_size=40))
@settings(max_examples=400)
def test_any_string_with_any_padding_is_judged_as_the_rfc_says(plain: bytes, padding: str) -> None:
    string = coded(LONG + plain, padding)
    assert decoded(string) == referee(string)


def test_strings_with_a_flipped_bit_are_judged_as_the_rfc_says() -> None:
    random = Random(7541)
    edge = b"?!\"()'+|#>$@[]~^}<`{XZ*,;&wxyz\\\0"  # their codes have many ones
    for _ in range(2000):
        plain = bytes(random.choice(edge) for _ in range(random.randrange(14, 60)))
        string = bytearray(coded(plain))
        string[random.randrange(len(string))] ^= 1 << random.randrange(8)
        assert decoded(bytes(string)) == referee(bytes(string))


def test_long_strings_of_common_bytes_are_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huffman, "_walk", None)
    plain = b'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01?{"<`'
    for cut in range(8):
        assert huffman.decode(coded(plain[cut:])) == plain[cut:]
