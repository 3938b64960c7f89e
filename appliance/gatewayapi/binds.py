"""From Listeners and routes to the sockets of a snapshot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from appliance.gatewayapi.conflicts import Claim
from appliance.gatewayapi.hosts import Hosts
from appliance.gatewayapi.listeners import ListenerPlan
from appliance.gatewayapi.routes.table import RouteTable
from appliance.gatewayapi.surroundings import Surroundings
from proxy.snapshot.listeners import (
    Bind,
    BindKey,
    HttpListener,
    HttpsListener,
    Listener,
    TcpListener,
    TlsListener,
    UdpListener,
)
from proxy.snapshot.routes import Forward, SniRoute, VirtualHost


@dataclass(slots=True)
class BindMemo:
    """What the making of binds keeps. hosts, serving, listeners: by listener key; sharing: listener keys by socket.

    granted: the claims and addresses that keys were made from. closed: the sockets on which a Listener that ends TLS
    and has no certificate refuses what is its own, which else a Listener with a wider hostname would get.
    """

    hosts: dict[str, Hosts] = field(default_factory=lambda: defaultdict(Hosts))
    granted: tuple[tuple[Claim, ...], tuple[str, ...]] | None = None
    keys: Mapping[str, tuple[BindKey, ...]] = field(default_factory=dict)
    closed: Mapping[str, tuple[BindKey, ...]] = field(default_factory=dict)
    serving: dict[str, ListenerPlan] | None = None
    sharing: dict[BindKey, list[str]] = field(default_factory=dict)
    listeners: dict[str, Listener] = field(default_factory=dict)
    binds: dict[BindKey, Bind] = field(default_factory=dict)
    sorted: tuple[Bind, ...] = ()


def bind_keys(
    claims: tuple[Claim, ...], surroundings: Surroundings, memo: BindMemo
) -> Mapping[str, tuple[BindKey, ...]]:
    """The sockets of every servable Listener, by listener key; the same mapping while the claims are the same.

    Where any Listener of a port names an address, "" becomes every address of the machine singly: the kernel refuses
    0.0.0.0:P beside x:P.
    """
    if memo.granted is not None and memo.granted[0] is claims and memo.granted[1] == surroundings.addresses:
        return memo.keys
    servable = [claim for claim in claims if claim.plan.servable]
    single = {claim.place for claim in servable if any(claim.addresses)}

    def sockets(claim: Claim) -> Iterator[BindKey]:
        everywhere = "" in claim.addresses and claim.place in single
        for address in surroundings.addresses if everywhere else claim.addresses:
            yield BindKey(address, claim.plan.admission.port, claim.plan.transport)

    keys = {claim.plan.admission.key: tuple(sockets(claim)) for claim in servable}
    bound = {socket for found in keys.values() for socket in found}
    shut = (claim for claim in claims if claim.plan.terminates and not claim.plan.servable)
    memo.closed = {claim.plan.admission.key: tuple(bound.intersection(sockets(claim))) for claim in shut}
    memo.granted, memo.keys, memo.serving = (claims, surroundings.addresses), keys, None
    return keys


def make_binds(claims: tuple[Claim, ...], table: RouteTable, memo: BindMemo) -> tuple[Bind, ...]:
    """The binds of the claims that `bind_keys` was last asked for, sorted by key, each with its Listeners in a fixed
    order. Listeners that nothing has changed for are not looked at."""
    stale = _renew_hosts(table, memo) | table.stale_forwards
    table.stale_forwards.clear()
    if memo.serving is None:
        memo.serving = _allot(claims, memo)
        changed = set(memo.sharing)
        stale = set(memo.serving)
    else:
        changed = set()
    for key in stale & memo.serving.keys():
        listener = _listener(memo.serving[key], table, memo)
        if memo.listeners.get(key) != listener:
            memo.listeners[key] = listener
            changed.update(_sockets(key, memo))
    for socket in changed:
        bind = Bind(socket, tuple(memo.listeners[key] for key in memo.sharing[socket]))
        if memo.binds.get(socket) != bind:
            memo.binds[socket] = bind
    if changed:
        memo.sorted = tuple(memo.binds[socket] for socket in sorted(memo.sharing))
    return memo.sorted


def _allot(claims: tuple[Claim, ...], memo: BindMemo) -> dict[str, ListenerPlan]:
    """Lay out who shares which socket, and forget what is served no more."""
    serving = {c.plan.admission.key: c.plan for c in claims if _sockets(c.plan.admission.key, memo)}
    sharing: dict[BindKey, list[str]] = defaultdict(list)
    for key in sorted(serving):
        for socket in _sockets(key, memo):
            sharing[socket].append(key)
    memo.sharing = dict(sharing)
    memo.listeners = {key: listener for key, listener in memo.listeners.items() if key in serving}
    memo.binds = {socket: bind for socket, bind in memo.binds.items() if socket in sharing}
    if not sharing:
        memo.sorted = ()
    return serving


def _sockets(key: str, memo: BindMemo) -> tuple[BindKey, ...]:
    return memo.keys.get(key) or memo.closed.get(key, ())


def _listener(plan: ListenerPlan, table: RouteTable, memo: BindMemo) -> Listener:
    name, hostname = plan.admission.key, plan.admission.hostname
    if not plan.servable:
        closed = HttpsListener if plan.protocol == "HTTPS" else TlsListener
        return closed(name, hostname, (), ())
    served, shown = plan.certificates.usable, plan.backend_certificate
    match plan.protocol:
        case "HTTP":
            return HttpListener(name, hostname, _hosts(name, memo), shown)
        case "HTTPS":
            return HttpsListener(name, hostname, served, _hosts(name, memo), plan.client_validation, shown)
        case "TLS":
            oldest = dict(reversed(table.forwards(name)))
            routes = tuple(
                SniRoute(host, forward) for host, forward in sorted(oldest.items(), key=lambda item: item[0])
            )
            return TlsListener(name, hostname, served, routes, plan.client_validation, shown)
        case "UDP":
            return UdpListener(name, _oldest(table, name))
        case _:
            return TcpListener(name, _oldest(table, name), shown)


def _hosts(listener: str, memo: BindMemo) -> tuple[VirtualHost, ...]:
    hosts = memo.hosts.get(listener)
    return hosts.sorted() if hosts is not None else ()


def _oldest(table: RouteTable, listener: str) -> Forward | None:
    forwards = table.forwards(listener)
    return forwards[0][1] if forwards else None


def _renew_hosts(table: RouteTable, memo: BindMemo) -> set[str]:
    """Make the hosts anew whose routes changed; the Listeners that they are of. A host that serves the same routes on
    several Listeners is one object."""
    made: dict[tuple[str, tuple[int, ...]], VirtualHost] = {}
    listeners = Counter(hostname for _, hostname in table.stale_hosts)
    for listener, hostname in table.stale_hosts:
        if not table.http[listener][hostname]:
            table.drop_host(listener, hostname)
            memo.hosts[listener].drop(hostname)
            continue
        rules = table.http[listener][hostname].sorted()
        same = (hostname, tuple(map(id, rules)) if listeners[hostname] > 1 else ())
        host = made.get(same)
        if host is None:
            host = made[same] = VirtualHost(hostname, rules)
        memo.hosts[listener].put(host)
    renewed = {listener for listener, _ in table.stale_hosts}
    for listener in renewed:
        if not memo.hosts[listener]:
            del memo.hosts[listener]
    table.stale_hosts.clear()
    return renewed
