"""Certificates in PEM: text comes in, parsed certificates or a sentence on what is wrong with it go out."""

from __future__ import annotations

from cryptography import x509

from certs.errors import CertificateError
from certs.parsing import parsing

PEM_LIMIT_BYTES = 1 << 20


def read_certificates(pem: bytes, what: str = "certificate") -> list[x509.Certificate]:
    """The certificates of a PEM text, at least one, in its order. what: its name in errors. Raises CertificateError."""
    if len(pem) > PEM_LIMIT_BYTES:
        raise CertificateError(f"the {what} is larger than {PEM_LIMIT_BYTES} bytes")
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        if b"PRIVATE KEY-----" in pem:
            raise CertificateError(f"the {what} holds a private key; certificate and key may be swapped")
        raise CertificateError(f"the {what} is not PEM: it has no BEGIN CERTIFICATE line")
    with parsing(f"the {what}"):
        return x509.load_pem_x509_certificates(pem)
