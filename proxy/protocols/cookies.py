"""Cookies (RFC 6265): Cookie lines come in and the values of a name go out; a value comes in, Set-Cookie goes out."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.protocols.h1_lines import line_value

VALUES_LIMIT = 8
"""Cookies of one name that are looked at; browsers send the one with the longest path first."""


def cookie_values(lines: Iterable[bytes], name: bytes) -> list[bytes]:
    """The values of a cookie in Cookie field lines, in their order."""
    found: list[bytes] = []
    for line in lines:
        for pair in line_value(line).split(b";"):
            key, _, value = pair.strip(b" \t").partition(b"=")
            if key == name:
                found.append(value.strip(b'"'))
                if len(found) == VALUES_LIMIT:
                    return found
    return found


def set_cookie(name: bytes, value: bytes, *, path: bytes, secure: bool, max_age_s: int | None) -> bytes:
    """A Set-Cookie line that scripts and other sites see nothing of (RFC 6265 section 5.2, SameSite of its successor).

    path: for which it is sent back, b"" leaves that to the client. secure: only over TLS. max_age_s: None ends it with
    the browser's session.
    """
    parts = [b"Set-Cookie: " + name + b"=" + value]
    if path:
        parts.append(b"Path=" + path)
    if max_age_s is not None:
        parts.append(b"Max-Age=%d" % max_age_s)
    parts.append(b"HttpOnly")
    if secure:
        parts.append(b"Secure")
    parts.append(b"SameSite=Strict")
    return b"; ".join(parts)
