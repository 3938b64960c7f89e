"""Paths: what a client sent comes in, what routing matches and what travels on go out (RFC 3986 section 6.2.2).

Escapes of unreserved characters are undone and the others written in upper case, empty segments are merged, and dot
segments are resolved, all for matching. `%2F` is data and `;` is literal. What travels on is what was sent, unless dot
segments were resolved: then it is the path that was matched, so that a backend cannot see another one.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SLASHES = re.compile(rb"/{2,}")


def judged_path(path: bytes) -> tuple[bytes, bytes] | None:
    """(path to match, path to send) of a visible-ASCII absolute path; None for a broken escape or an escaped NUL."""
    matched = path
    if b"%" in path:
        if any(match[1] in (None, b"00") for match in _ESCAPE.finditer(path)):
            return None
        matched = canonical_escapes(path)
    if b"//" in matched:
        matched = _SLASHES.sub(b"/", matched)
    if b"/." in matched:
        resolved = _without_dot_segments(matched)
        if resolved != matched:
            return resolved, resolved
    return matched, path


def canonical_escapes(path: bytes) -> bytes:
    """Escapes of unreserved characters undone, all others in upper case; a broken escape stays as it is."""
    return _ESCAPE.sub(_canonical, path)


def _canonical(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return match[0]
    code = int(match[1], 16)
    return bytes((code,)) if code in _UNRESERVED else match[0].upper()


def _without_dot_segments(path: bytes) -> bytes:
    """RFC 3986 section 5.2.4 for an absolute path; what would climb above the root stays at the root."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)
