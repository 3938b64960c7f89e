"""The certificates of listeners, ready to serve: bundles and what clients must show come in, SSL contexts go out.

A context is kept for as long as snapshots ask for the same, with its tickets. What is asked of clients is part of that
sameness, so a session never resumes on a listener that asks for more than the one that gave it.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Sequence

from certs.bundle import Bundle
from certs.contexts import server_context
from certs.errors import CertificateError
from proxy.listeners.kept import Kept
from proxy.routing.sni import certificate_for
from proxy.snapshot.listeners import ClientValidation

log = logging.getLogger(__name__)

ContextKey = tuple[tuple[Bundle, ...], tuple[str, ...], ClientValidation | None]


class Certificates:
    """The contexts of one listener, found by server name. Empty when OpenSSL refused every certificate."""

    __slots__ = ("_certificates", "_contexts")

    def __init__(self, contexts: dict[Bundle, ssl.SSLContext]) -> None:
        self._contexts = contexts
        self._certificates = tuple(contexts)

    def context(self, server_name: str) -> ssl.SSLContext | None:
        """The context whose certificate fits the server name best."""
        if len(self._certificates) == 1:
            return self._contexts[self._certificates[0]]
        if not self._certificates:
            return None
        return self._contexts[certificate_for(self._certificates, server_name)]


class Contexts:
    """Makes them for consecutive snapshots."""

    def __init__(self) -> None:
        self._kept: Kept[ContextKey, ssl.SSLContext] = Kept()

    def turn(self) -> None:
        """The snapshot is compiled: what it did not use is forgotten."""
        self._kept.turn()

    def certificates(
        self, listener: str, bundles: Sequence[Bundle], alpn: tuple[str, ...], clients: ClientValidation | None
    ) -> Certificates:
        """Contexts for all bundles that OpenSSL does not refuse; `listener` names it in the log."""
        contexts: dict[Bundle, ssl.SSLContext] = {}
        for group in side_by_side(bundles):
            context = self._context(listener, group, alpn, clients)
            if context is not None:
                contexts |= dict.fromkeys(group, context)
                continue
            for bundle in group if len(group) > 1 else ():  # one of them may be good by itself
                if (context := self._context(listener, (bundle,), alpn, clients)) is not None:
                    contexts[bundle] = context
        return Certificates(contexts)

    def _context(
        self, listener: str, bundles: tuple[Bundle, ...], alpn: tuple[str, ...], clients: ClientValidation | None
    ) -> ssl.SSLContext | None:
        key = (bundles, alpn, clients)
        context = self._kept.find(key)
        if context is None:
            trust = clients.trust if clients else None
            lenient = clients is not None and not clients.required
            try:
                context = server_context(bundles[0], alpn, others=bundles[1:], clients=trust, lenient=lenient)
            except CertificateError as error:
                log.error("%s: %r cannot be served: %s", listener, bundles, error)
                return None
            self._kept.now[key] = context
        return context


def side_by_side(bundles: Sequence[Bundle]) -> Iterator[tuple[Bundle, ...]]:
    """Bundles for the same names with keys of different kinds, together: of each kind the first one.

    Clients say what they can verify, and the handshake chooses (RFC 8446, 4.2.3).
    """
    groups: dict[frozenset[str], dict[str, Bundle]] = {}
    for bundle in bundles:
        groups.setdefault(frozenset(bundle.names), {}).setdefault(bundle.key_kind, bundle)
    for kinds in groups.values():
        yield tuple(kinds.values())
