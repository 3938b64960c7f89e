"""What is said of certificates and keys that do not go together, with pairs made on the spot."""

from __future__ import annotations

from base64 import encodebytes
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from store.kinds.key_pairs import doubts

START = datetime(2026, 1, 1, tzinfo=UTC)


def pem_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example.com")])
CERTIFICATE = (
    x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, START, START + timedelta(days=1))
    .sign(KEY, hashes.SHA256())
    .public_bytes(Encoding.PEM)
)
SWITCHED = (
    "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
    "PEM inputs may have been switched"
)
VERSION_8 = b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % encodebytes(
    x509.load_pem_x509_certificate(CERTIFICATE)
    .public_bytes(Encoding.DER)
    .replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
)
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
BROKEN_KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (CERTIFICATE, pem_of(KEY), []),
        (b"", b"", ["tls: failed to find any PEM data in certificate input"]),
        (CERTIFICATE, b"", ["tls: failed to find any PEM data in key input"]),
        (CERTIFICATE, pem_of(OTHER), ["tls: private key does not match public key"]),
        (
            CERTIFICATE,
            pem_of(ed25519.Ed25519PrivateKey.generate()),
            ["tls: private key type does not match public key type"],
        ),
        (
            pem_of(KEY),
            CERTIFICATE,
            [SWITCHED],
        ),
        (CERTIFICATE, CERTIFICATE, ["tls: found a certificate rather than a key in the PEM for the private key"]),
        (BROKEN, pem_of(KEY), ["x509: malformed certificate"]),
        (VERSION_8, pem_of(KEY), ["x509: malformed certificate"]),
        (CERTIFICATE, BROKEN_KEY, ["tls: failed to parse private key"]),
    ],
    ids=lambda value: "pem" if isinstance(value, bytes) else None,  # PEM is another one in every process
)
def test_the_first_doubt_is_named(certificate: bytes, key: bytes, said: list[str]) -> None:
    assert list(doubts(certificate, key)) == said
