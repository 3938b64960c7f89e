"""Settings of the data plane: frozen values that hold for the life of a proxy."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a client may ask of us. Bodies are unlimited and streamed."""

    head_limit_bytes: int = 65536
    target_limit_bytes: int = 16384
    field_count_limit: int = 100
    connection_limit: int = 10000
    stream_limit: int = 128
    """Requests that may be under way at once on one HTTP/2 connection."""
    pipelined_limit_bytes: int = 65536
    unread_body_limit_bytes: int = 262144
    """A body whose answer is already given is read up to here, so that its connection can be kept."""
    replay_limit_bytes: int = 65536
    """So much of a request's body is kept where its rule wants retries; with more, it is sent once."""
    mirror_backlog_limit_bytes: int = 262144
    """So much of a request may wait for a mirror that is slow; with more, the copy is dropped."""
    mirror_limit: int = 1024
    """Copies under way at once; further ones are dropped."""
    auth_answer_limit_bytes: int = 65536
    """Of the body of an authority's answer."""


@dataclass(frozen=True, slots=True)
class HttpTimeouts:
    """Seconds. Those of bodies count idleness, never duration."""

    head_s: float = 15.0
    """From the first byte of a connection or request to the end of the head."""
    keep_alive_idle_s: float = 75.0
    client_idle_s: float = 60.0
    """A client that sends nothing of its body, or takes nothing of its answer."""
    upstream_idle_s: float = 300.0
    """A backend that sends nothing while its answer is awaited or under way."""
    upstream_keep_alive_s: float = 60.0
    upstream_ping_s: float = 5.0
    """A backend's HTTP/2 connection that is in doubt has so long to answer a PING."""
    tunnel_idle_s: float = 3600.0
    mirror_s: float = 30.0
    """Of a copy, from its beginning to the end of an answer that nobody reads."""
    auth_s: float = 10.0
    """Of one question to an authority."""
    linger_s: float = 2.0


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """TLS, TCP and UDP below HTTP. Idleness is looked at now and then: it ends after once to twice the figure."""

    handshake_s: float = 10.0
    """From accepting a TLS connection to the end of its handshake, or of its ClientHello where it is only relayed."""
    tls_connection_limit: int = 10000
    """Of one bind, while its connections are TLS that ends here; relays count as TCP connections."""
    tcp_connection_limit: int = 10000
    """Of one bind; further clients wait in the kernel's queue."""
    tcp_idle_s: float = 3600.0
    """A relay that carries nothing in either direction is closed."""
    tcp_attempt_limit: int = 3
    """Endpoints tried for one connection."""
    udp_idle_s: float = 60.0
    """A session with no datagram either way is forgotten."""
    udp_session_limit: int = 4096
    """Of one bind; the session that was idle longest makes room."""
    pipe_limit: int = 1024
    """Pipes that relays may hold at once; beyond, bytes are copied."""


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Everything that is set once for a proxy.

    trusted_proxies: peers whose X-Forwarded-* are believed and extended; everybody else's are dropped.
    access_log: a path, "stdout" or "off". access_log_limit: lines that may wait; others are lost and counted.
    via: our name in the Via field of forwarded requests (RFC 9110 section 7.6.3); "" leaves the field out.
    attempt_limit: tries at endpoints for one request, the first included.
    idle_upstreams_limit: kept-alive connections to one address that wait for work.
    upstream_streams_limit: requests at once on one HTTP/2 connection to a backend that would allow more.
    own_addresses: (IP address, port) of the appliance's own servers, which are no backends; "" is any address.
    keep_freed_memory: the process keeps up to 128 MiB that it freed, which large bodies and TLS gain much from.
    removed_bind_drain_s: how long connections of a bind that is gone from the configuration may go on.
    deny_backends: networks that no request is ever sent to, beside link-local and multicast ones.
    session_key: what session tokens are made with; by default they end with the process.
    """

    trusted_proxies: tuple[Network, ...] = ()
    access_log: str = "stdout"
    access_log_limit: int = 100_000
    via: str = "gatehouse"
    attempt_limit: int = 3
    idle_upstreams_limit: int = 256
    upstream_streams_limit: int = 1000
    deny_backends: tuple[Network, ...] = ()
    own_addresses: tuple[tuple[str, int], ...] = ()
    keep_freed_memory: bool = True
    removed_bind_drain_s: float = 60.0
    session_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    streams: StreamOptions = field(default_factory=StreamOptions)
    limits: HttpLimits = field(default_factory=HttpLimits)
    timeouts: HttpTimeouts = field(default_factory=HttpTimeouts)
