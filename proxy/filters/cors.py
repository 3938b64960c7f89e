"""CORS: an Origin comes in, the fields that let its scripts read an answer go out (GEP-1767; the Fetch standard, 3.2).

What a backend says of the matter is dropped: the route decides, and a browser refuses an answer that says it twice.
"""

from __future__ import annotations

import re

from proxy.filters.header_edit import HeaderEdit
from proxy.memo import Memo
from proxy.snapshot.filters import Cors

_FIELDS = tuple(
    b"access-control-" + name
    for name in (
        b"allow-origin",
        b"allow-credentials",
        b"expose-headers",
        b"allow-methods",
        b"allow-headers",
        b"max-age",
    )
)
_ORIGIN = re.compile(rb"([a-z][a-z0-9+.-]*)://([^/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?").fullmatch
_PORTS = {b"http": b"80", b"https": b"443"}
_ORIGIN_LIMIT_BYTES = 512
_ORIGINS_LIMIT = 256

Origin = tuple[bytes, bytes, bytes]
"""Scheme, host and port, lower case."""


class CrossOrigin:
    """A compiled CORS filter."""

    __slots__ = ("_any", "_cors", "_edits", "_exact", "_suffixes")

    def __init__(self, cors: Cors) -> None:
        self._cors = cors
        self._any = "*" in cors.origins
        origins = [origin for text in cors.origins if (origin := _parsed(text.lower().encode()))]
        self._exact = frozenset(origins)
        self._suffixes = tuple((s, host[1:], port) for s, host, port in origins if host.startswith(b"*"))
        self._edits: Memo[bytes, HeaderEdit] = Memo(_ORIGINS_LIMIT)

    def edit(self, origin: bytes) -> HeaderEdit:
        """What happens to an answer. origin: the request's, b"" for none."""
        edit = self._edits.recall(origin)
        if edit is None:
            edit = HeaderEdit(_FIELDS, self._lines(origin, self._exposed()))
            if len(origin) <= _ORIGIN_LIMIT_BYTES:
                self._edits.remember(origin, edit)
        return edit

    def preflight(self, origin: bytes, method: bytes, headers: bytes) -> tuple[bytes, ...] | None:
        """The fields of the answer to a preflight request; None when its origin may not.

        method, headers: what it asks for (Access-Control-Request-Method and -Headers), b"" for nothing.
        """
        if not self.allows(origin):
            return None
        cors = self._cors
        more: list[bytes] = []
        methods = self._granted(cors.methods, method)
        if methods:
            more.append(b"Access-Control-Allow-Methods: " + methods)
        names = self._granted(cors.headers, headers)
        if names:
            more.append(b"Access-Control-Allow-Headers: " + names)
        more += self._exposed()
        more.append(b"Access-Control-Max-Age: %d" % cors.max_age_s)
        lines = self._lines(origin, more)
        if "*" in cors.methods + cors.headers and cors.credentials:
            lines = (*lines, b"Vary: Access-Control-Request-Method, Access-Control-Request-Headers")
        return lines

    def allows(self, origin: bytes) -> bool:
        """Whether scripts of the origin may read answers."""
        if self._any:
            return bool(origin)
        parsed = _parsed(origin.lower())
        if parsed is None:
            return False
        scheme, host, port = parsed
        if parsed in self._exact:
            return True
        return any(s == scheme and p == port and _ends(host, suffix) for s, suffix, p in self._suffixes)

    def _lines(self, origin: bytes, more: list[bytes]) -> tuple[bytes, ...]:
        """The fields for an origin; those that are the same for every origin say no Vary."""
        if self._any and not self._cors.credentials:
            return (b"Access-Control-Allow-Origin: *", *more)  # to all, so that no cache keeps an answer without it
        if not self.allows(origin):
            return (b"Vary: Origin",)
        lines = [b"Access-Control-Allow-Origin: " + origin, *more, b"Vary: Origin"]
        if self._cors.credentials:
            lines.insert(1, b"Access-Control-Allow-Credentials: true")
        return tuple(lines)

    def _exposed(self) -> list[bytes]:
        """With credentials, "*" would be the name of a field and no wildcard; then nothing is exposed."""
        exposed = self._cors.expose
        if not exposed or ("*" in exposed and self._cors.credentials):
            return []
        return [b"Access-Control-Expose-Headers: " + ", ".join(exposed).encode()]

    def _granted(self, names: tuple[str, ...], asked: bytes) -> bytes:
        """A list as it is; for "*" with credentials, what was asked for."""
        if "*" in names and self._cors.credentials:
            return asked
        return ", ".join(names).encode()


def compile_cors(cors: Cors) -> CrossOrigin:
    """The compiled form of a CORS filter."""
    return CrossOrigin(cors)


def _ends(host: bytes, suffix: bytes) -> bool:
    """suffix: ".example.com", or b"" for every host."""
    return not suffix or (host.endswith(suffix) and len(host) > len(suffix))


def _parsed(origin: bytes) -> Origin | None:
    """None for what is no origin of a scheme, a host and a port: "null", paths, rubbish."""
    if len(origin) > _ORIGIN_LIMIT_BYTES:
        return None
    match = _ORIGIN(origin)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme, host, port or _PORTS.get(scheme, b"")
