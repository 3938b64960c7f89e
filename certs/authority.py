"""The appliance's own certificate authority: a folder comes in, checked bundles go out.

The key is made once and never leaves the folder: ECDSA P-256, ten years. Leaves live one year and are renewed when two
thirds of it are gone. Files are 0600, made with O_EXCL beside their place and renamed into it, so a crash leaves the
old file or the new one, never half of either.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.bundle import Bundle, parse_bundle
from certs.errors import CertificateError

AUTHORITY_LIFE = timedelta(days=3652)
LEAF_LIFE = timedelta(days=365)
# Clocks of clients may be behind ours.
BACKDATED = timedelta(minutes=5)
SERVING_NAMES = ("localhost", "127.0.0.1", "::1")
PEM_KEY_START = b"-----BEGIN PRIVATE KEY-----"


def renewal_due(bundle: Bundle, now: float) -> bool:
    """True once two thirds of the bundle's life are gone."""
    return now >= bundle.not_before + (bundle.not_after - bundle.not_before) * 2 / 3


class Authority:
    """An authority that lives in a folder: ca.crt, ca.key, serving.pem (leaf and its key)."""

    def __init__(
        self,
        directory: Path,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._certificate = certificate
        self._key = key
        self._clock = clock
        self._serving: Bundle | None = None

    @classmethod
    def open(cls, directory: Path | str, clock: Callable[[], float] = time.time) -> Authority:
        """Open the authority of a folder, or make it there; `clock` gives POSIX seconds.

        Raises CertificateError when its files do not belong together, OSError when they cannot be read or written.
        """
        directory = Path(directory)
        key = _open_key(directory / "ca.key")
        certificate = _open_certificate(directory / "ca.crt", key, clock)
        if certificate.public_key() != key.public_key():
            raise CertificateError(f"ca.crt and ca.key in {directory} do not belong together")
        return cls(directory, certificate, key, clock)

    @property
    def ca_pem(self) -> bytes:
        """The authority's certificate, for clients to trust."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue_server(self, names: Sequence[str]) -> Bundle:
        """A server's certificate for DNS names and IP addresses, at least one."""
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        return self._issue(subject, ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def issue_client(self, user: str, groups: Sequence[str] = ()) -> Bundle:
        """A client's certificate as Kubernetes reads it: the common name is the user, each organisation a group."""
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        return self._issue(subject, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def serving_bundle(self, names: Sequence[str] = SERVING_NAMES) -> Bundle:
        """The API server's own certificate for `names`: the stored one while it serves, a renewed one otherwise.

        Cheap to call often; whoever serves it compares fingerprints and swaps the context.
        """
        path = self._directory / "serving.pem"
        bundle = self._serving or self._stored(path)
        wanted = {str(_general_name(name).value) for name in names}
        if bundle is None or set(bundle.names) != wanted or renewal_due(bundle, self._clock()):
            bundle = self.issue_server(names)
            write_private(path, bundle.certificate_pem + bundle.key_pem)
        self._serving = bundle
        return bundle

    def _stored(self, path: Path) -> Bundle | None:
        try:
            certificate, start, key = path.read_bytes().partition(PEM_KEY_START)
            bundle = parse_bundle(certificate, start + key)
            x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(self._certificate)
        except (OSError, ValueError, TypeError, InvalidSignature):
            return None  # absent, damaged or of an earlier authority: a new one takes its place
        return bundle

    def _issue(
        self, subject: x509.Name, usage: x509.ObjectIdentifier, alternatives: x509.SubjectAlternativeName | None
    ) -> Bundle:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.fromtimestamp(int(self._clock()), UTC)
        end = min(now + LEAF_LIFE, self._certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder(self._certificate.subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return parse_bundle(certificate.public_bytes(Encoding.PEM), _key_pem(key))


def write_private(path: Path, content: bytes) -> None:
    """Put `content` at `path`, mode 0600, all of it or nothing; durable when this returns."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(path, _key_pem(made))
        return made
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"{path} is not a private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{path} is not an ECDSA key")
    return key


def _open_certificate(path: Path, key: ec.EllipticCurvePrivateKey, clock: Callable[[], float]) -> x509.Certificate:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        certificate = _self_signed(key, clock)
        write_private(path, certificate.public_bytes(Encoding.PEM))
        return certificate
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"{path} is not a certificate: {error}") from error


def _self_signed(key: ec.EllipticCurvePrivateKey, clock: Callable[[], float]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"gatehouse-{secrets.token_hex(4)}")])
    now = datetime.fromtimestamp(int(clock()), UTC)
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.IPAddress | x509.DNSName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
