"""The TLS context of the API: the appliance's own certificate, and client certificates of its own authority."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from certs.authority import Authority
from certs.contexts import server_context


def api_context(authority: Authority, names: Sequence[str]) -> ssl.SSLContext:
    """A context that shows a certificate for `names`; a client may show one, which must be ours. Takes milliseconds."""
    context = server_context(authority.serving_bundle(names), ("http/1.1",))
    context.load_verify_locations(cadata=authority.ca_pem.decode("ascii"))
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
