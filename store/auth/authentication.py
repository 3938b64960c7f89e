"""From a request's credentials to a user: bearer tokens and client certificates.

Tokens are known only by their SHA-256, which is enough because they are random (32 bytes), not chosen by people.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

AUTHENTICATED = "system:authenticated"

_TOKEN_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class User:
    """Who a request comes from, as certificates and tokens name them: RBAC's user and groups."""

    name: str
    groups: tuple[str, ...] = ()


class Authenticator:
    """Knows the tokens. Certificates need no list: their issuer vouched for what they say."""

    def __init__(self, tokens: Mapping[str, User]) -> None:
        """tokens: SHA-256 of each token in lower-case hex, and whose it is."""
        self._tokens = [(bytes.fromhex(digest), _with_group(user)) for digest, user in tokens.items()]

    def authenticate(self, authorization: str, certificate: Mapping[str, Any] | None) -> User | None:
        """The user of a request, or None (401). A certificate counts before a token, as in Kubernetes.

        authorization: the header's value, "" without one. certificate: what ssl's getpeercert() says of a certificate
        that the TLS handshake has verified against the API's own authority; None or empty without one.
        """
        return (_certified(certificate) if certificate else None) or self._bearer(authorization)

    def _bearer(self, authorization: str) -> User | None:
        """RFC 6750, section 2.1. Every known token is compared, in constant time, whichever matches."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip(" ")
        if scheme.lower() != "bearer" or not token or len(token) > _TOKEN_LIMIT:
            return None
        digest = hashlib.sha256(token.encode("latin-1", "replace")).digest()
        found: User | None = None
        for known, user in self._tokens:
            if hmac.compare_digest(digest, known):
                found = user
        return found


def _certified(certificate: Mapping[str, Any]) -> User | None:
    """The user that a certificate names: CN the user, every O a group (kubernetes.io: "X509 client certificates")."""
    name, groups = "", []
    for attribute, value in _subject(certificate):
        if attribute == "commonName":
            name = value
        elif attribute == "organizationName":
            groups.append(value)
    return _with_group(User(name, tuple(groups))) if name else None


def _subject(certificate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for relative_name in certificate.get("subject", ()):
        yield from relative_name


def _with_group(user: User) -> User:
    return user if AUTHENTICATED in user.groups else User(user.name, (*user.groups, AUTHENTICATED))
