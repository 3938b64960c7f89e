"""Certificates of golden cases: the same bytes in every run, so that their fingerprints can stand in the answers.

Keys come from a hash of their name, and Ed25519 signs the same content with the same signature (RFC 8032).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
"""The moment at which golden cases are translated."""


def pair(names: Sequence[str], days: Sequence[int] = (-1, 30), key: str = "") -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, in PEM; valid between two days counted from NOW.

    key: another key's name than the certificate's own, for a pair that does not belong together.
    """
    own = ",".join(names)
    return _certificate(tuple(names), *days), _pem(_key(key or own))


@cache
def _certificate(names: tuple[str, ...], first_day: int, last_day: int) -> bytes:
    key = _key(",".join(names))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.fromtimestamp(NOW, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=first_day))
        .not_valid_after(now + timedelta(days=last_day))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, None)
    )
    return certificate.public_bytes(Encoding.PEM)


@cache
def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
