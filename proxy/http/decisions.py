"""What a site decides about requests of HTTP/2: judged heads come in, who owns and takes them and as what goes out.

Clients ask for the same host, and gRPC's for the same path, again and again, in heads that are never the same: what
hangs on those two alone is remembered from one request of a connection to the next. What is decided stays with the
request's block, for as long as its connection remembers that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxy.http.grpc import GrpcCall, grpc_call

if TYPE_CHECKING:
    from proxy.http.plan import Plan
    from proxy.http.site import HostEntry, Site
    from proxy.protocols.h1_request import RequestHead
    from proxy.protocols.h2.request_blocks import RequestBlock
    from proxy.routing.http import CompiledRule, HostRules

Decision = tuple["Site", "HostEntry", "CompiledRule[Plan] | None", GrpcCall | None]
"""(the site that decided, what owns the host, the rule that takes the request if one does, the call it is if any); a
plain tuple, for one is made of nearly every request."""

_REMEMBERED_PATH_LIMIT_BYTES = 256


class Decisions:
    """Those about the requests of one connection."""

    __slots__ = ("_candidates", "_entry", "_host_line", "_path", "_rules", "_site", "_tls_listener")

    _entry: HostEntry

    def __init__(self, tls_listener: str | None) -> None:
        """tls_listener: the listener that the server name of the connection chose; None without TLS."""
        self._tls_listener = tls_listener
        self._site: Site | None = None
        self._host_line = b""
        self._rules: HostRules[Plan] | None = None
        self._path: bytes | None = None
        self._candidates: Sequence[CompiledRule[Plan]] = ()

    def decide(self, site: Site, request: RequestBlock, head: RequestHead) -> Decision:
        """Ask `site`, the one in force. head: the request's."""
        if site is not self._site or head.host_line != self._host_line:
            self._enter(site, head.host_line)
        path = head.path
        if path != self._path:
            self._candidates = self._rules.candidates(path) if self._rules is not None else ()
            self._path = path if len(path) <= _REMEMBERED_PATH_LIMIT_BYTES else None
        taker: CompiledRule[Plan] | None = None
        if request.refusal is None:
            for rule in self._candidates:
                conditions = rule.conditions
                if conditions is None or conditions.hold(head):
                    taker = rule
                    break
        return site, self._entry, taker, grpc_call(request)

    def _enter(self, site: Site, host_line: bytes) -> None:
        """Look at the rules for another host, or of another site."""
        self._site, self._host_line = site, host_line
        self._entry = entry = site.entry(host_line or b"Host:")
        self._rules = None if entry.belongs_elsewhere(self._tls_listener) else entry.rules
        self._path = None
