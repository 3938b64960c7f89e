"""Filters of HTTP rules, one variant per filter of the API (Gateway API HTTPRouteFilter).

A closed union: code that handles `HttpFilter` matches every variant and ends in `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class RequestHeaderModifier:
    """set replaces, add appends, remove deletes; in this order. Names keep their spelling and compare case-blind."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseHeaderModifier:
    """As RequestHeaderModifier, on the answer."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PathModifier:
    """kind "full": the path becomes `value`. "prefix": the matched PathPrefix is replaced by `value`."""

    kind: Literal["full", "prefix"]
    value: str


@dataclass(frozen=True, slots=True)
class RequestRedirect:
    """Answer with `status` and a Location; None keeps the request's own part (port: see the API's rules)."""

    status: int = 302
    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    path: PathModifier | None = None


@dataclass(frozen=True, slots=True)
class URLRewrite:
    """Rewrites what is sent upstream; None keeps."""

    hostname: str | None = None
    path: PathModifier | None = None


@dataclass(frozen=True, slots=True)
class RequestMirror:
    """Sends a copy of `numerator` in `denominator` requests to a cluster and throws the answers away.

    A mirror that does not resolve is not in a snapshot: the request itself goes its way.
    """

    cluster: str
    numerator: int = 100
    denominator: int = 100


@dataclass(frozen=True, slots=True)
class Cors:
    """Cross-origin requests (GEP-1767): preflights are answered here, other answers get their fields.

    origins: "SCHEME://HOST[:PORT]", where HOST may begin with "*." or be "*", or "*" for any. methods, headers, expose:
    names, or "*" alone for any. max_age_s: how long a preflight may be remembered.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age_s: int = 5


@dataclass(frozen=True, slots=True)
class ExternalAuth:
    """Asks a cluster whether a request may pass (GEP-1494).

    protocol "http": the request's method, for `path` + the request's path; 200 lets it pass. "grpc": Envoy's ext_authz
    Check. request_headers: lower-case names of fields that are sent along, with "http" beside those always sent, with
    "grpc" all when empty. response_headers: of a permission, lower case, put on the request; all when empty.
    body_limit_bytes: bodies up to this are sent along, longer ones refused; 0 sends none.
    """

    protocol: Literal["http", "grpc"]
    cluster: str
    path: str = ""
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    body_limit_bytes: int = 0


HttpFilter = (
    RequestHeaderModifier | ResponseHeaderModifier | RequestRedirect | URLRewrite | RequestMirror | Cors | ExternalAuth
)
