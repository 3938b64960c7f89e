"""Sessions of a rule (GEP-1619): a request's token comes in, the endpoint that it names goes out; an endpoint comes in,
the line that gives a client its token goes out.

A session stays where it began, whatever the weights say now; when its endpoint is gone, it begins anew elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import time
from typing import TYPE_CHECKING

from proxy.protocols.cookies import VALUES_LIMIT, cookie_values, set_cookie
from proxy.protocols.h1_lines import line_name, line_value

if TYPE_CHECKING:
    from proxy.http.plan import BackendPlan
    from proxy.services import Peer, Upstreams
    from proxy.snapshot.routes import HttpAction, HttpMatch, SessionPersistence


class Session:
    """One kind of session of a rule. scoped: its cookie is for the path that the rule matched, not for all."""

    __slots__ = ("_life_s", "_max_age_s", "_name", "_rule", "_scoped", "_wire_name", "cookie")

    def __init__(self, session: SessionPersistence, rule: bytes, *, scoped: bool) -> None:
        """rule: what tells its tokens from those of other rules."""
        self.cookie = session.kind == "cookie"
        self._wire_name = session.name.encode()
        self._name = self._wire_name if self.cookie else self._wire_name.lower()
        self._rule = rule
        self._life_s = session.absolute_timeout_s
        self._max_age_s = int(session.absolute_timeout_s or 0) if session.permanent else None
        self._scoped = scoped

    def marks(self, lines: Sequence[bytes], upstreams: Upstreams) -> Iterator[bytes]:
        """The marks of the endpoints that a request's tokens name, as far as they are ours and not too old."""
        for token in self._tokens(lines):
            found = upstreams.tokens.read(self._rule, token, int(time()), self._life_s)
            if found is not None:
                yield found[0]

    def line(self, peer: Peer, upstreams: Upstreams, match: HttpMatch, *, secure: bool) -> bytes:
        """The field line that gives a client its token. secure: the client speaks TLS."""
        token = upstreams.tokens.token(self._rule, peer.mark, int(time()))
        if not self.cookie:
            return self._wire_name + b": " + token
        path = cookie_path(match) if self._scoped else b""
        return set_cookie(self._wire_name, token, path=path, secure=secure, max_age_s=self._max_age_s)

    def _tokens(self, lines: Iterable[bytes]) -> list[bytes]:
        wanted = b"cookie" if self.cookie else self._name
        found = [line for line in lines if line_name(line) == wanted]
        if self.cookie:
            return cookie_values(found, self._name)
        return [line_value(line) for line in found[:VALUES_LIMIT]]


class Sessions:
    """The sessions of a rule: one of all its backends, or one of each that has a policy."""

    __slots__ = ("_kinds",)

    def __init__(self, action: HttpAction, backends: Sequence[BackendPlan]) -> None:
        """backends: of the action, in its order."""
        rule = f"{'grpc' if action.grpc else 'http'}/{action.route}/{action.rule}".encode()
        self._kinds: list[tuple[Session, Sequence[BackendPlan]]] = []
        if action.session is not None:
            self._kinds.append((Session(action.session, rule, scoped=True), backends))
            return
        for each, plan in zip(action.backends, backends, strict=True):
            if each.session is not None:
                self._kinds.append((Session(each.session, rule, scoped=False), (plan,)))

    def find(self, lines: Sequence[bytes], upstreams: Upstreams) -> tuple[BackendPlan, Peer] | None:
        """Where the session of a request began, if it has one and that endpoint still serves. lines: its fields."""
        for session, backends in self._kinds:
            for mark in session.marks(lines, upstreams):
                for backend in backends:
                    upstream = upstreams.get(backend.cluster)
                    peer = upstream.marked(mark) if upstream is not None else None
                    if peer is not None:
                        return backend, peer
        return None

    def of(self, backend: BackendPlan) -> Session | None:
        """The session that a backend's answers begin."""
        return next((session for session, backends in self._kinds if backend in backends), None)


def cookie_path(match: HttpMatch) -> bytes:
    """The Path of a cookie for a match; of a regular expression, the part before its first special character."""
    path = match.path
    if match.path_kind == "regex":
        plain = next((at for at, char in enumerate(path) if char in r".+*?()|[]{}^$\ "), len(path))
        path = path[: path.rfind("/", 0, plain + 1)] if plain < len(path) else path
    at = path.find(";")  # it would end the attribute
    if at >= 0:
        path = path[: path.rfind("/", 0, at)]
    return path.encode() if path.startswith("/") else b"/"
