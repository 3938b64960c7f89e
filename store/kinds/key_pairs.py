"""What is doubtful about a certificate and its key, in the words of Go's crypto/tls (X509KeyPair), which clients know.

PEM comes in, sentences go out. Nothing is refused here, and no chain is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_BEGIN = re.compile(rb"-----BEGIN ([^\r\n-]+)-----")
_SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def doubts(certificate_pem: bytes, key_pem: bytes) -> Iterator[str]:
    """The first thing that keeps a TLS server from using the pair; nothing where it can be used."""
    found, keys = _labels(certificate_pem), _labels(key_pem)
    if "CERTIFICATE" not in found:
        yield f"tls: {_no_certificate(found)}"
    elif not any(map(_is_private, keys)):
        yield f"tls: {_no_key(keys)}"
    else:
        yield from _mismatch(certificate_pem, key_pem)


def _labels(pem: bytes) -> list[str]:
    return [label.decode("latin-1") for label in _BEGIN.findall(pem)]


def _is_private(label: str) -> bool:
    return label == "PRIVATE KEY" or label.endswith(" PRIVATE KEY")


def _no_certificate(found: list[str]) -> str:
    if not found:
        return "failed to find any PEM data in certificate input"
    if len(found) == 1 and found[0].endswith("PRIVATE KEY"):
        return (
            "failed to find certificate PEM data in certificate input, but did find a private key; "
            "PEM inputs may have been switched"
        )
    skipped = " ".join(found)
    return (
        'failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: '
        f"[{skipped}]"
    )


def _no_key(found: list[str]) -> str:
    if not found:
        return "failed to find any PEM data in key input"
    if found == ["CERTIFICATE"]:
        return "found a certificate rather than a key in the PEM for the private key"
    skipped = " ".join(found)
    return (
        'failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the '
        f"following types: [{skipped}]"
    )


def _mismatch(certificate_pem: bytes, key_pem: bytes) -> Iterator[str]:
    try:
        certified = x509.load_pem_x509_certificate(certificate_pem).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        yield "x509: malformed certificate"
        return
    try:
        own = load_pem_private_key(key_pem, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield "tls: failed to parse private key"
        return
    if type(certified) is not type(own):
        yield "tls: private key type does not match public key type"
    elif certified.public_bytes(*_SPKI) != own.public_bytes(*_SPKI):
        yield "tls: private key does not match public key"
