"""Content that the library reads only in part, and says so in exceptions of many families."""

from __future__ import annotations

import base64
import random
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.bundle import parse_bundle
from certs.errors import CertificateError
from certs.names import carries
from certs.trust import parse_trust
from tests.certs.material import certificate, ec_key, pem

KEY = ec_key()
LEAF = x509.load_pem_x509_certificate(certificate(KEY, (), uris=("spiffe://abc",))).public_bytes(Encoding.DER)
KEY_DER = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

# Of DER: object identifiers and a name, and what they become.
CURVE = (bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030177"))
ALGORITHM = (bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0277"))
VERSION = (bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
NAME = (b"\x86\x0cspiffe://abc", b"\xa3\x0cspiffe://abc")  # an x400Address


def changed(der: bytes, change: tuple[bytes, bytes]) -> bytes:
    assert change[0] in der
    return der.replace(*change)


def doubled() -> bytes:
    """A certificate with one extension twice, which no builder makes: it begins with two that differ in their names."""
    builder = (
        x509.CertificateBuilder(x509.Name([]), x509.Name([]), KEY.public_key(), serial_number=1)
        .not_valid_before(datetime(2026, 1, 1))
        .not_valid_after(datetime(2027, 1, 1))
    )
    for last in (5, 6):
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.3.4.{last}"), b"\x05\x00")
        builder = builder.add_extension(extension, False)
    made = builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)
    return changed(made, (bytes.fromhex("06042a030406"), bytes.fromhex("06042a030405")))


def as_pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    "leaf",
    [changed(LEAF, VERSION), changed(LEAF, CURVE), changed(LEAF, ALGORITHM), changed(LEAF, NAME), doubled()],
    ids=["version", "curve", "algorithm", "name", "doubled"],
)
def test_a_certificate_that_cannot_be_read_is_refused(leaf: bytes) -> None:
    with pytest.raises(CertificateError, match="cannot be parsed"):
        parse_bundle(as_pem(leaf), pem(KEY))


@pytest.mark.parametrize("change", [CURVE, ALGORITHM], ids=["curve", "algorithm"])
def test_a_key_that_cannot_be_read_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(CertificateError, match="the key cannot be parsed"):
        parse_bundle(as_pem(LEAF), as_pem(changed(KEY_DER, change), "PRIVATE KEY"))


@pytest.mark.parametrize("change", [VERSION, NAME], ids=["version", "name"])
def test_a_leaf_that_cannot_be_read_carries_no_name(change: tuple[bytes, bytes]) -> None:
    wanted = [("uri", "spiffe://abc")]
    assert carries(LEAF, wanted)  # type: ignore[arg-type]
    assert not carries(changed(LEAF, change), wanted)  # type: ignore[arg-type]


def test_a_trusted_certificate_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(CertificateError, match="cannot be parsed"):
        parse_trust(as_pem(changed(LEAF, VERSION)))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_nothing_but_a_certificate_error_comes_of_any_bytes() -> None:
    chance = random.Random(5)
    for _ in range(1000):
        leaf, key = bytearray(LEAF), bytearray(KEY_DER)
        broken = chance.choice((leaf, key))
        for _ in range(chance.randint(1, 3)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            parse_bundle(as_pem(bytes(leaf)), as_pem(bytes(key), "PRIVATE KEY"))
        except CertificateError:
            continue
