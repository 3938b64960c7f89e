"""URLRewrite: the host and path that a backend sees (Gateway API HTTPURLRewriteFilter)."""

from __future__ import annotations

from proxy.filters.path_modifier import modified_path
from proxy.snapshot.filters import URLRewrite


class Rewrite:
    """A compiled rewrite. `host`: the Host to send, or None to keep the client's."""

    __slots__ = ("_path", "host")

    def __init__(self, rewrite: URLRewrite) -> None:
        self.host = rewrite.hostname.encode("ascii", "replace") if rewrite.hostname else None
        self._path = rewrite.path

    def path(self, path: bytes, prefix: bytes | None) -> bytes | None:
        """The path to send instead of `path`, or None to keep it; prefix as in `modified_path`."""
        return modified_path(self._path, path, prefix) if self._path else None


def compile_url_rewrite(rewrite: URLRewrite) -> Rewrite:
    """The compiled form of a rewrite."""
    return Rewrite(rewrite)
