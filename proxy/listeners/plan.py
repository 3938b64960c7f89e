"""Binds made ready to serve: a snapshot's bind comes in, compiled tables go out. Any thread, one at a time.

What did not change keeps what was made from it: an SSL context with its tickets, a weighted choice with its place in
the rotation. Contexts cost milliseconds each, which is why this does not run on the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from proxy.errors import SnapshotError
from proxy.http.site import Site, SiteCompiler, host_compiler
from proxy.l4.forwarding import Forwarding, Upstreams
from proxy.listeners.certificates import Certificates, Contexts
from proxy.listeners.kept import Kept
from proxy.routing.sni import SniTable
from proxy.snapshot.listeners import Bind, BindKey, HttpListener, HttpsListener, TcpListener, TlsListener, UdpListener
from proxy.snapshot.routes import Forward
from proxy.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

HTTP_ALPN = ("h2", "http/1.1")


@dataclass(frozen=True, slots=True)
class HttpPlan:
    """A port of plain HTTP."""

    bind: Bind
    site: Site


@dataclass(frozen=True, slots=True)
class HttpsTarget:
    """TLS ends here and HTTP is inside."""

    listener: HttpsListener
    certificates: Certificates


@dataclass(frozen=True, slots=True)
class TlsTarget:
    """TLS is relayed as it is (certificates None), or ends here and its inside is relayed."""

    listener: TlsListener
    certificates: Certificates | None
    routes: SniTable[Forwarding]


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """A port of TLS; the server name of a connection finds its target."""

    bind: Bind
    listeners: tuple[HttpsListener | TlsListener, ...]
    targets: SniTable[HttpsTarget | TlsTarget]
    site: Site
    only_https: bool


@dataclass(frozen=True, slots=True)
class TcpPlan:
    """A port whose connections are relayed; forwarding None: reset."""

    bind: Bind
    listener: TcpListener
    forwarding: Forwarding | None


@dataclass(frozen=True, slots=True)
class UdpPlan:
    """A port whose datagrams are relayed; forwarding None: dropped."""

    bind: Bind
    listener: UdpListener
    forwarding: Forwarding | None


Plan = HttpPlan | TlsPlan | TcpPlan | UdpPlan


@dataclass(frozen=True, slots=True)
class Plans:
    """Every bind of a snapshot is in one of them. faults: why a bind keeps what it served before."""

    by_key: Mapping[BindKey, Plan]
    faults: Mapping[BindKey, str]


class Planner:
    """Compiles the binds of consecutive snapshots."""

    def __init__(self, find: Upstreams, metrics: Metrics) -> None:
        self._find = find
        self._hosts = host_compiler(metrics)
        self._sites: Kept[BindKey, SiteCompiler] = Kept()
        self._contexts = Contexts()
        self._forwardings: Kept[tuple[BindKey, str, Forward], Forwarding] = Kept()

    def plan(self, binds: Iterable[Bind]) -> Plans:
        """A plan for each bind, or the reason why there is none. Raises SnapshotError."""
        plans: dict[BindKey, Plan] = {}
        faults: dict[BindKey, str] = {}
        for bind in binds:
            try:
                plans[bind.key] = self._plan(bind)
            except SnapshotError:
                raise
            except Exception as error:  # what breaks one bind must not keep the others from their change
                log.exception("the bind %s could not be compiled", bind.key)
                faults[bind.key] = f"fault of the proxy: {error!r}"
        self._sites.turn()
        self._contexts.turn()
        self._forwardings.turn()
        return Plans(plans, faults)

    def _plan(self, bind: Bind) -> Plan:
        match bind.listeners:
            case (TcpListener() as tcp,) if bind.key.transport == "tcp":
                return TcpPlan(bind, tcp, self._forwarding(bind.key, tcp.name, tcp.forward))
            case (UdpListener() as udp,) if bind.key.transport == "udp":
                return UdpPlan(bind, udp, self._forwarding(bind.key, udp.name, udp.forward))
        if bind.key.transport == "udp":
            raise SnapshotError(f"{bind.key}: not exactly one UDP listener")
        plain = tuple(listener for listener in bind.listeners if isinstance(listener, HttpListener))
        if plain and len(plain) == len(bind.listeners):
            return HttpPlan(bind, self._site(bind.key, plain))
        secure = tuple(item for item in bind.listeners if isinstance(item, HttpsListener | TlsListener))
        if secure and len(secure) == len(bind.listeners):
            targets = SniTable((listener.hostname, self._target(bind.key, listener)) for listener in secure)
            https = tuple(listener for listener in secure if isinstance(listener, HttpsListener))
            return TlsPlan(bind, secure, targets, self._site(bind.key, https), len(https) == len(secure))
        raise SnapshotError(f"{bind.key}: these listeners cannot share a socket")

    def _site(self, key: BindKey, listeners: Sequence[HttpListener | HttpsListener]) -> Site:
        compiler = self._sites.find(key)
        if compiler is None:
            compiler = self._sites.now[key] = SiteCompiler(self._hosts)
        return compiler.compile(listeners)

    def _target(self, key: BindKey, listener: HttpsListener | TlsListener) -> HttpsTarget | TlsTarget:
        match listener:
            case HttpsListener():
                return HttpsTarget(listener, self._certificates(listener, HTTP_ALPN))
            case TlsListener():
                routes = [
                    (route.hostname, forwarding)
                    for route in listener.routes
                    if (forwarding := self._forwarding(key, f"{listener.name} {route.hostname}", route.forward))
                ]
                inside = self._certificates(listener, ()) if listener.certificates else None
                return TlsTarget(listener, inside, SniTable(routes))
            case _:
                assert_never(listener)

    def _certificates(self, listener: HttpsListener | TlsListener, alpn: tuple[str, ...]) -> Certificates:
        return self._contexts.certificates(listener.name, listener.certificates, alpn, listener.client_validation)

    def _forwarding(self, key: BindKey, owner: str, forward: Forward | None) -> Forwarding | None:
        if forward is None:
            return None
        kept = self._forwardings.find((key, owner, forward))
        if kept is None:
            kept = self._forwardings.now[key, owner, forward] = Forwarding(forward, self._find)
        return kept
