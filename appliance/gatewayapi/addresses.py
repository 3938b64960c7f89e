"""Which addresses a Gateway serves on and shows (Gateway API: GatewaySpec.addresses)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Final

from appliance.gatewayapi.problems import Problem, worst
from appliance.gatewayapi.resources import Json, Resource
from appliance.gatewayapi.surroundings import Address, Network, Surroundings

STATUS_LIMIT: Final = 16
"""Entries that Gateway.status.addresses may hold."""

_SCAN_LIMIT: Final = 65536
"""Addresses of a loopback pool that are considered."""


@dataclass(frozen=True, slots=True)
class Addressing:
    """binds: where to listen, "" for everywhere; shown: (type, value) pairs for the status.

    unsupported: an address type that cannot be honoured, so that the Gateway is not accepted; problem: an address that
    cannot be served; allocated: what was taken from the pool, or "".
    """

    binds: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    unsupported: Problem | None = None
    problem: Problem | None = None
    allocated: str = ""


def assign(gateways: Sequence[Resource], surroundings: Surroundings) -> dict[Resource, Addressing]:
    """Addresses for Gateways, oldest first: those that ask by name, then what the pool gave before, then new ones."""
    named = {gateway: _named(gateway, surroundings) for gateway in gateways}
    taken = {bind for addressing in named.values() if addressing for bind in addressing.binds}
    kept: dict[Resource, str] = {}
    for gateway in gateways:
        held = surroundings.allocations.get((gateway.namespace, gateway.name), "")
        if named[gateway] is None and held and held not in taken and _in_pool(held, surroundings.pool):
            kept[gateway] = held
            taken.add(held)
    result: dict[Resource, Addressing] = {}
    for gateway in gateways:
        addressing = named[gateway]
        if addressing is None:
            addressing = _unnamed(kept.get(gateway, ""), taken, surroundings)
            taken.update(addressing.binds)
        result[gateway] = addressing
    return result


def wanted_names(gateways: Iterable[Resource]) -> frozenset[str]:
    """The host names in Gateways' addresses, for somebody to look up."""
    entries = (entry for gateway in gateways for entry in gateway.spec.get("addresses") or ())
    return frozenset(e["value"] for e in entries if e.get("type") == "Hostname" and e.get("value"))


def _named(gateway: Resource, surroundings: Surroundings) -> Addressing | None:
    """What spec.addresses asks for; None when it leaves the choice to us (no entry, or none with a value)."""
    entries: Sequence[Json] = gateway.spec.get("addresses") or ()
    kinds = [entry.get("type") or "IPAddress" for entry in entries]
    if unknown := [kind for kind in kinds if kind not in ("IPAddress", "Hostname")]:
        message = f"address type {unknown[0]} is not supported; use IPAddress or Hostname"
        return Addressing(unsupported=Problem("UnsupportedAddress", message))
    asked = [(kind, entry["value"]) for kind, entry in zip(kinds, entries, strict=True) if entry.get("value")]
    if not asked:
        return None
    binds: dict[str, None] = {}
    shown: dict[tuple[str, str], None] = {}
    problems: list[Problem] = []
    for kind, value in asked:
        found, problem = _usable(kind, value, surroundings)
        binds.update(dict.fromkeys(found))
        if problem is not None:
            problems.append(Problem("AddressNotUsable", problem))
        else:
            shown[(kind, found[0] if kind == "IPAddress" else value)] = None
    return Addressing(tuple(binds), tuple(shown), problem=worst(tuple(problems)))


def _usable(kind: str, value: str, surroundings: Surroundings) -> tuple[tuple[str, ...], str | None]:
    """The addresses to bind for one entry, or the sentence that says why there are none."""
    if kind == "Hostname":
        resolved = surroundings.names.get(value)
        if resolved is None:
            return (), f"{value} has not been resolved yet"
        ours = tuple(a for a in resolved if surroundings.has(ip_address(a)))
        if not resolved:
            return (), f"{value} does not resolve"
        return ours, None if ours else f"{value} resolves to {', '.join(resolved)}, which this machine does not have"
    try:
        address = ip_address(value)
    except ValueError:
        return (), f"{value} is no IP address"
    if not surroundings.has(address):
        return (), f"this machine does not have the address {value}"
    return (str(address),), None


def _unnamed(kept: str, taken: set[str], surroundings: Surroundings) -> Addressing:
    if not surroundings.pool:
        return Addressing(("",), tuple(("IPAddress", a) for a in surroundings.reachable()[:STATUS_LIMIT]))
    address = kept or next((str(a) for a in _candidates(surroundings) if str(a) not in taken), "")
    if not address:
        return Addressing(problem=_exhausted(surroundings))
    shown = (("IPAddress", address),)
    if not surroundings.has(ip_address(address)):
        message = f"this machine does not have the address {address}, which the pool gave to this Gateway"
        return Addressing((), shown, problem=Problem("AddressNotUsable", message), allocated=address)
    return Addressing((address,), shown, allocated=address)


def _exhausted(surroundings: Surroundings) -> Problem:
    """Why the pool has nothing to give: it is all in use, or this machine lacks the rest of it."""
    pool = ", ".join(str(net) for net in surroundings.pool)
    ours = [len(list(_on_machine(net, surroundings))) for net in surroundings.pool]
    if not any(ours):
        return Problem("AddressNotUsable", f"this machine has no address of the pool {pool}")
    if sum(ours) < sum(net.num_addresses for net in surroundings.pool):
        message = f"every address of the pool {pool} that this machine has is in use; add one to an interface"
        return Problem("AddressNotUsable", message)
    return Problem("AddressNotAssigned", f"every address of the pool {pool} is in use")


def _candidates(surroundings: Surroundings) -> Iterator[Address]:
    for network in surroundings.pool:
        yield from _on_machine(network, surroundings)


def _on_machine(network: Network, surroundings: Surroundings) -> Iterator[Address]:
    """The addresses of a network that this machine has, in ascending order."""
    if network.is_loopback and network.version == 4:
        hosts = network.hosts() if network.num_addresses > 1 else iter([network.network_address])
        yield from (a for a in islice(hosts, _SCAN_LIMIT) if surroundings.has(a))
        return
    ours = {ip_address(a) for a in surroundings.addresses}
    same = (a for a in ours if a.version == network.version)
    yield from sorted(a for a in same if a in network)


def _in_pool(address: str, pool: Iterable[Network]) -> bool:
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in pool)
