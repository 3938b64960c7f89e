"""SSL contexts: bundles and trusted certificates come in, an `ssl.SSLContext` that is ready to use goes out.

A context is made new for every change and swapped by reference; a live one is never loaded again (a certificate loaded
into a live context fails handshakes that are under way). Each context has ticket keys and a session cache of its own,
so a session resumes only on the context that gave it: never on one that asks more of its clients, or trusts others.
Building one takes milliseconds: not on an event loop.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from certs.bundle import Bundle
from certs.errors import CertificateError
from certs.leniency import be_lenient
from certs.trust import Trust

# TLS 1.2: forward secrecy and authenticated encryption only. The suites of TLS 1.3 are all of that kind.
CIPHERS_TLS12 = "ECDHE+AESGCM:ECDHE+CHACHA20"
# One is enough to resume; each costs 24-54 us of a handshake.
TICKETS_PER_HANDSHAKE = 1


def server_context(
    bundle: Bundle,
    alpn: Sequence[str] = (),
    *,
    others: Sequence[Bundle] = (),
    clients: Trust | None = None,
    lenient: bool = False,
) -> ssl.SSLContext:
    """A context that serves `bundle`, TLS 1.2 or later, offering the protocols of `alpn` in order of preference.

    others: certificates with keys of other kinds, for clients that cannot use the first. clients: a client must show a
    certificate that comes from there; lenient: it is asked for one, and gets in with any or none.
    Raises CertificateError where OpenSSL's policy refuses what `parse_bundle` accepted (a SHA-1 signature, say).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.num_tickets = TICKETS_PER_HANDSHAKE
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
    for each in (bundle, *others):
        _load(context, each)
    if clients is not None and lenient:
        be_lenient(context)
    elif clients is not None:
        _trust(context, clients.pem)
        context.verify_mode = ssl.CERT_REQUIRED
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def client_context(
    ca_pem: bytes | None = None,
    *,
    certificate: Bundle | None = None,
    alpn: Sequence[str] = (),
    check_hostname: bool = True,
) -> ssl.SSLContext:
    """A context that verifies a server's chain and name; `ca_pem` None trusts what the system trusts.

    certificate: shown to servers that ask for one. check_hostname: False leaves the name to the caller. A common name
    is never taken for the server's name (RFC 9525, 2). Raises CertificateError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    context.check_hostname = check_hostname
    context.hostname_checks_common_name = False
    if certificate is not None:
        _load(context, certificate)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ca_pem is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, ca_pem)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS_TLS12)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def _load(context: ssl.SSLContext, bundle: Bundle) -> None:
    try:
        with _private_file(bundle.certificate_pem + bundle.key_pem) as path:
            context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise CertificateError(f"OpenSSL refuses the certificate: {error.reason or error}") from error


def _trust(context: ssl.SSLContext, ca_pem: bytes) -> None:
    """An intermediate authority may be trusted without its root."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=ca_pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(f"the trusted certificates cannot be used: {error}") from error


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """A path that only this process can read, for as long as the block lasts: `ssl` loads keys from nothing else."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("bundle", os.MFD_CLOEXEC), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile() as file:  # mode 0600
        file.write(content)
        file.flush()
        yield file.name
