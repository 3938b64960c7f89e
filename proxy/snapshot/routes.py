"""Routes as the proxy sees them: matches in their final order, and what to do on a match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from proxy.snapshot.filters import HttpFilter

REGEX_MEMORY_BYTES: Final = 1 << 20
"""What one regular expression may take, compiled and while it matches; a pattern that needs more is none (RE2)."""


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A header or query parameter that must match. Header names are lower case; regexes are RE2, whole value."""

    kind: Literal["exact", "regex"]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """One match of a rule; all parts must hold.

    path_kind "prefix": `path` matches by whole segments ("/a" matches "/a", "/a/", "/a/b", not "/ab"); "/" matches all.
    """

    path_kind: Literal["exact", "prefix", "regex"] = "prefix"
    path: str = "/"
    method: str | None = None
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that the gateway gives itself: HTTP status and the reason that the access log shows."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionPersistence:
    """Keeps a client at the endpoint that it first got (GEP-1619).

    kind "cookie" or "header" of that `name` carries the session. absolute_timeout_s: its life; None is without end.
    permanent: the cookie has an expiry and outlives the browser's session.
    """

    kind: Literal["cookie", "header"]
    name: str
    absolute_timeout_s: float | None = None
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class WeightedBackend:
    """One backendRef: its share, and a cluster or the reason why requests that fall to it are refused.

    session: of its own, where the rule has none; its cookie is for every path.
    """

    weight: int
    target: str | Refusal
    filters: tuple[HttpFilter, ...] = ()
    session: SessionPersistence | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """When a request is tried again (GEP-1731).

    Lost connections and timeouts of one try count as failures too. codes: of a backend's answer that is one. attempts:
    retries at most; after them the last answer goes to the client. backoff_s: the least time before a retry, doubled
    for each further one.
    """

    codes: tuple[int, ...] = ()
    attempts: int = 1
    backoff_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpAction:
    """What a rule does. One object per rule, shared by the rule's matches.

    route: "NAMESPACE/NAME" of the route; rule: its name, or its index in the route.
    backends: empty, or all weights zero, means that the rule answers `refusal`.
    refusal: answered whatever the backends (a filter that cannot be honoured); or when there is no backend.
    timeouts: seconds; None is no limit. backend_timeout_s bounds one try, request_timeout_s the whole exchange.
    session: of all the rule's backends, those of weight zero included; its cookie is for the path that matched.
    grpc: the rule of a GRPCRoute; what the gateway answers itself is then a gRPC status, to those who speak gRPC.
    """

    route: str
    rule: str
    filters: tuple[HttpFilter, ...] = ()
    backends: tuple[WeightedBackend, ...] = ()
    refusal: Refusal | None = None
    request_timeout_s: float | None = None
    backend_timeout_s: float | None = None
    retry: Retry | None = None
    session: SessionPersistence | None = None
    grpc: bool = False


@dataclass(frozen=True, slots=True)
class HttpRule:
    """A match with its action."""

    match: HttpMatch
    action: HttpAction


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """The rules for one hostname of a listener, most important first (the order of the API's precedence).

    hostname: exact lower-case name, "*.suffix" (one label or more), or "" for any. A request that no rule of the most
    specific matching host takes goes on to the next less specific one of the same listener.
    """

    hostname: str
    rules: tuple[HttpRule, ...]


@dataclass(frozen=True, slots=True)
class Forward:
    """What a TCP, UDP or TLS route does with a connection or session: a weighted choice of clusters, or a refusal.

    Refused TCP connections are reset, refused UDP datagrams dropped.
    """

    route: str
    rule: str
    backends: tuple[WeightedBackend, ...]


@dataclass(frozen=True, slots=True)
class SniRoute:
    """A TLS route for one server name: exact lower-case name, "*.suffix", or "" for any."""

    hostname: str
    forward: Forward
