"""A certificate chain with its key, parsed and checked once.

PEM comes in; a frozen, picklable `Bundle` goes out. Making an SSL context from it is `certs.contexts`' work.
What makes a bundle unusable is a `CertificateError`; what only makes clients complain is none.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certs.errors import CertificateError
from certs.parsing import parsing
from certs.pem import PEM_LIMIT_BYTES, read_certificates

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA_BITS_LEAST = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A certificate chain (leaf first) and the private key of its leaf, known to belong together.

    names: DNS names and IP addresses of the leaf's subject alternative names, lower case, in the certificate's order.
    not_before, not_after: POSIX seconds, UTC.
    fingerprint: SHA-256 of the leaf, lower-case hex. key_kind: of its key, by what a client must be able to verify.
    """

    certificate_pem: bytes
    key_pem: bytes
    names: tuple[str, ...]
    not_before: int
    not_after: int
    fingerprint: str
    key_kind: Literal["rsa", "ecdsa", "ed25519"]

    def __repr__(self) -> str:  # the key never reaches a log by accident
        return f"Bundle({', '.join(self.names)}; {self.fingerprint[:16]})"


def parse_bundle(certificate_pem: bytes, key_pem: bytes) -> Bundle:
    """Check a chain (leaf first, then its issuers) and the unencrypted key of its leaf; all in PEM.

    Both come back normalised: comments and foreign blocks are dropped, the key is PKCS #8. An expired leaf is no
    error: clients must be able to see what is wrong. Raises CertificateError.
    """
    chain = read_certificates(certificate_pem)
    key = _private_key(key_pem)
    with parsing("the certificate"):
        _check_pair(chain, key)
        leaf = chain[0]
        return Bundle(
            certificate_pem=b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain),
            key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            names=_names(leaf),
            not_before=int(leaf.not_valid_before_utc.timestamp()),
            not_after=int(leaf.not_valid_after_utc.timestamp()),
            fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
            key_kind=_kind(key),
        )


def _private_key(pem: bytes) -> PrivateKey:
    if len(pem) > PEM_LIMIT_BYTES:
        raise CertificateError(f"the key is larger than {PEM_LIMIT_BYTES} bytes")
    if b"PRIVATE KEY-----" not in pem:
        if b"-----BEGIN CERTIFICATE-----" in pem:
            raise CertificateError("the key holds a certificate; certificate and key may be swapped")
        raise CertificateError("the key is not PEM: it has no BEGIN ... PRIVATE KEY line")
    try:
        with parsing("the key"):
            key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:  # this is how the library says that a password is missing
        raise CertificateError("the key is encrypted; store it without a passphrase") from error
    match key:
        case rsa.RSAPrivateKey() if key.key_size < RSA_BITS_LEAST:
            raise CertificateError(f"the RSA key has {key.key_size} bits; at least {RSA_BITS_LEAST} are needed")
        case ec.EllipticCurvePrivateKey() if key.curve.name not in CURVES:
            raise CertificateError(f"the curve {key.curve.name} cannot be used in TLS; use P-256, P-384 or P-521")
        case rsa.RSAPrivateKey() | ec.EllipticCurvePrivateKey() | ed25519.Ed25519PrivateKey():
            return key
        case _:
            raise CertificateError("the key is of a kind that TLS servers cannot use; use ECDSA, RSA or Ed25519")


def _kind(key: PrivateKey) -> Literal["rsa", "ecdsa", "ed25519"]:
    if isinstance(key, rsa.RSAPrivateKey):
        return "rsa"
    return "ecdsa" if isinstance(key, ec.EllipticCurvePrivateKey) else "ed25519"


def _check_pair(chain: list[x509.Certificate], key: PrivateKey) -> None:
    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for place, certificate in enumerate(chain):
        with parsing(f"the public key of {_subject(certificate)}"):
            public = certificate.public_key()
        if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == wanted:
            if place:
                raise CertificateError("the key belongs to a later certificate of the chain; put the leaf first")
            return
    raise CertificateError(f"the key does not match the certificate {_subject(chain[0])}")


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        with parsing("the extensions of the certificate"):
            extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names: list[str] = []
    for entry in extension.value:
        match entry:
            case x509.DNSName():
                names.append(entry.value.lower())
            case x509.IPAddress(value=ipaddress.IPv4Address() | ipaddress.IPv6Address() as address):
                names.append(str(address))
            case _:
                pass  # e-mail addresses, URIs and directory names name no server
    return tuple(names)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "without a subject"
