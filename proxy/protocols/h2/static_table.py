"""The static table of HPACK (RFC 7541 appendix A)."""

from __future__ import annotations

from typing import Final

_WITH_VALUE: Final = (
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
)
_NAMES: Final = (
    b"accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
    b"content-disposition content-encoding content-language content-length content-location content-range "
    b"content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range "
    b"if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range "
    b"referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via "
    b"www-authenticate"
).split()
ENTRIES: Final = (*_WITH_VALUE, *((name, b"") for name in _NAMES))
"""(name, value) of the indexes from 1 on."""

LAST: Final = len(ENTRIES)
NAME_INDEX: Final[dict[bytes, int]] = {name: LAST - at for at, (name, _) in enumerate(reversed(ENTRIES))}
"""The lowest index of each name."""

WHOLE: Final[dict[tuple[bytes, bytes], bytes]] = {
    entry: bytes((0x80 | index,)) for index, entry in enumerate(ENTRIES, 1) if entry[1]
}
"""Fields that one byte stands for."""
