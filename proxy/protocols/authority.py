"""The Host field: its bytes come in, the name to route by goes out (RFC 9110 section 7.2, RFC 3986 section 3.2)."""

from __future__ import annotations

import re

_AUTHORITY = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?").fullmatch


def host_name(authority: bytes) -> bytes | None:
    """The lower-case name or address without port and trailing dot; None when the authority is not well formed.

    User information, an empty name and characters outside the grammar are refused. IDNA is never decoded.
    """
    match = _AUTHORITY(authority)
    if match is None or (match[2] and int(match[2]) > 65535):
        return None
    name = match[1].lower()
    return name.removesuffix(b".") or None
