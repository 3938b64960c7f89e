"""Clusters: named groups of endpoints that rules send traffic to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from certs.trust import Trust

Protocol = Literal["http", "http2", "ws", "tcp", "udp"]
"""What is spoken with the endpoints. "http2": HTTP/2 from the first byte in clear, by ALPN inside TLS."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to connect to.

    kind "ip": `host` is an IPv4 or IPv6 address. "name": `host` is a DNS name that the proxy resolves, again as its
    records age, to all its addresses. "unix": `host` is the path of a stream socket and port is 0.
    weight: relative share among the endpoints of its cluster, at least 1.
    """

    kind: Literal["ip", "name", "unix"]
    host: str
    port: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """TLS towards a cluster's endpoints (Gateway API: BackendTLSPolicy).

    hostname: the server name that is sent, and what the certificate must be for unless `names` says otherwise.
    trust: what the chain must end in; None is what the system trusts.
    names: where there are any, the certificate must carry one of them, as ("dns", NAME) or ("uri", URI), and
    `hostname` is only sent.
    """

    hostname: str
    trust: Trust | None = None
    names: tuple[tuple[Literal["dns", "uri"], str], ...] = ()


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How many of a cluster's requests may be retries (GEP-3388).

    percent: of the requests of the last `interval_s` seconds, retries included. least: so many retries in
    `least_interval_s` seconds are allowed in any case.
    """

    percent: int = 20
    interval_s: float = 10.0
    least: int = 10
    least_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A named group of endpoints, sorted; empty means that requests are answered 503 (no endpoint).

    name: "service/NAMESPACE/NAME:PORT" or "backend/NAMESPACE/NAME[:PORT]".
    """

    name: str
    protocol: Protocol
    endpoints: tuple[Endpoint, ...]
    connect_timeout_s: float = 5.0
    tls: UpstreamTls | None = None
    retry_budget: RetryBudget | None = None
