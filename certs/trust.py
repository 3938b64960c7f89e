"""What a peer's certificate chain may end in: PEM comes in, a frozen `Trust` goes out.

Whether a certificate in it is an authority, and whether it is still valid, is judged at every handshake, by OpenSSL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from certs.pem import read_certificates


@dataclass(frozen=True, slots=True)
class Trust:
    """Certificates that a peer's chain may end in, parsed and checked.

    pem: of all of them, normalised. fingerprint: SHA-256 of `pem`, lower-case hex.
    """

    pem: bytes
    fingerprint: str

    def __repr__(self) -> str:
        return f"Trust({self.fingerprint[:16]})"


def parse_trust(pem: bytes) -> Trust:
    """Every certificate of a PEM text; comments and foreign blocks are dropped. Raises CertificateError."""
    certificates = read_certificates(pem, "trusted certificate")
    return _trust(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def merge_trusts(trusts: Iterable[Trust]) -> Trust:
    """Whatever any of these, one at least, vouches for."""
    return _trust(certificate for trust in trusts for certificate in _blocks(trust.pem))


def _trust(certificates: Iterable[bytes]) -> Trust:
    pem = b"".join(dict.fromkeys(certificates))
    return Trust(pem, hashlib.sha256(pem).hexdigest())


def _blocks(pem: bytes) -> list[bytes]:
    end = b"-----END CERTIFICATE-----\n"
    return [block + end for block in pem.split(end) if block]
