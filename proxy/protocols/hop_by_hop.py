"""Which fields belong to one connection and never travel on (RFC 9110 section 7.6.1), and which no trailer carries."""

from __future__ import annotations

from collections.abc import Iterable

CONNECTION_FIELDS = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"http2-settings",
    )
)
"""Removed from every message, whether Connection nominates them or not."""

NEVER_NOMINATED = frozenset((b"host", b"content-length", b"transfer-encoding"))
"""A Connection field that names one of these tries to change the framing or the routing: the message is refused."""

FORBIDDEN_TRAILERS = CONNECTION_FIELDS | frozenset(
    (
        b"content-length",
        b"host",
        b"trailer",
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"content-encoding",
        b"content-type",
        b"content-range",
        b"cache-control",
        b"expect",
        b"max-forwards",
        b"range",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
    )
)
"""Fields that frame, route, authenticate or modify (RFC 9110 section 6.5.1): dropped from trailers."""


_DISGUISED = CONNECTION_FIELDS | NEVER_NOMINATED | {b"forwarded"}


def in_disguise(name: bytes) -> bool:
    """Whether a lower-case name spells with underscores a field that frames, routes or tells who asked.

    Application servers that turn fields into variables (RFC 3875 section 4.1.18) cannot tell the two apart.
    """
    if b"_" not in name:
        return False
    dashed = name.replace(b"_", b"-")
    return dashed in _DISGUISED or dashed.startswith(b"x-forwarded-")


def tokens(value: bytes) -> list[bytes]:
    """The lower-case members of a comma-separated field value, empty ones left out."""
    return [token for part in value.split(b",") if (token := part.strip(b" \t").lower())]


def nominated(connection_values: Iterable[bytes]) -> frozenset[bytes]:
    """Lower-case names of the fields that the given Connection values declare to be hop-by-hop."""
    return frozenset(token for value in connection_values for token in tokens(value))
