"""RequestRedirect: the parts of a request come in, its Location goes out (Gateway API HTTPRequestRedirectFilter)."""

from __future__ import annotations

from proxy.filters.path_modifier import modified_path
from proxy.snapshot.filters import RequestRedirect

_WELL_KNOWN = {"http": 80, "https": 443}


class Redirect:
    """A compiled redirect. `status` is what it answers with."""

    __slots__ = ("_redirect", "status")

    def __init__(self, redirect: RequestRedirect) -> None:
        self._redirect = redirect
        self.status = redirect.status

    def location(
        self, *, scheme: str, host: bytes, listener_port: int, path: bytes, query: bytes, prefix: bytes | None
    ) -> bytes:
        """The Location for a request.

        scheme, host (no port), path and query (no question mark) are the request's; listener_port is where it came in.
        Without a port of its own, a redirect with a scheme uses that scheme's port, and one without the listener's; 80
        for http and 443 for https are left out.
        """
        rule = self._redirect
        target_scheme = (rule.scheme or scheme).lower()
        port = rule.port
        if port is None:
            port = _WELL_KNOWN.get(target_scheme, listener_port) if rule.scheme else listener_port
        name = rule.hostname.encode() if rule.hostname else host
        suffix = b"" if port == _WELL_KNOWN.get(target_scheme) else b":%d" % port
        new_path = modified_path(rule.path, path, prefix)
        return b"%b://%b%b%b%b" % (target_scheme.encode(), name, suffix, new_path, b"?" + query if query else b"")


def compile_redirect(redirect: RequestRedirect) -> Redirect:
    """The compiled form of a redirect."""
    return Redirect(redirect)
