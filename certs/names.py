"""Who a certificate is for: a leaf in DER and wanted names come in, whether it carries one of them goes out.

For certificates that OpenSSL has verified already; it compares one DNS name by itself, but no list and no URI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from cryptography import x509

from certs.errors import CertificateError
from certs.parsing import parsing

Name = tuple[Literal["dns", "uri"], str]


def carries(leaf_der: bytes, wanted: Iterable[Name]) -> bool:
    """Whether a subject alternative name is one of these (GEP-3155). A certificate that cannot be parsed carries none.

    URIs are compared as they are (RFC 3986 has no normal form that all agree on). A DNS name of the certificate that
    begins with "*." stands for one label (RFC 9525, 6.3); a wanted one for one label or more, and for itself.
    """
    try:
        with parsing("the certificate"):
            leaf = x509.load_der_x509_certificate(leaf_der)
            extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            dns = [name.lower().rstrip(".") for name in extension.get_values_for_type(x509.DNSName)]
            uris = extension.get_values_for_type(x509.UniformResourceIdentifier)
    except (CertificateError, x509.ExtensionNotFound):
        return False
    return any(name in uris if kind == "uri" else _is_for(dns, name.lower()) for kind, name in wanted)


def _is_for(carried: Sequence[str], wanted: str) -> bool:
    if wanted.startswith("*."):
        return any(name == wanted or (name.endswith(wanted[1:]) and name[0] not in "*.") for name in carried)
    _, _, parent = wanted.partition(".")
    return wanted in carried or (bool(parent) and f"*.{parent}" in carried)
