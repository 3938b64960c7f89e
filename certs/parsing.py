"""Reading certificates and keys that anybody may have written: whatever the library says of them is a CertificateError.

It raises exceptions of several families, some of them only when a part is first looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from certs.errors import CertificateError

_FAULTS = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """For the block that looks at `what`. Raises CertificateError where that cannot be parsed."""
    try:
        yield
    except CertificateError:
        raise
    except _FAULTS as error:
        raise CertificateError(f"{what} cannot be parsed: {error}") from error
