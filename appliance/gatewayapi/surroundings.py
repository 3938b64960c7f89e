"""What the translator must know of the machine and of the settings; gathered by the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_LOOPBACK = IPv4Network("127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A value; two equal ones and the same objects give the same translation.

    addresses: all addresses of this machine, canonical text, in the order in which to show them.
    pool: networks to give Gateways their addresses from; empty: Gateways listen on all addresses.
    allocations: the addresses that Gateways have now from the pool, by (namespace, name).
    names: what host names in Gateway.spec.addresses resolve to; a name that is absent has not been looked up.
    reserved_ports: TCP ports that no Listener may have, with the words that say who holds them.
    denied_networks: where backends may not be, besides link-local, multicast and unspecified addresses.
    denied_endpoints: (address, port) pairs that backends may not be, such as the appliance's own API.
    now: POSIX seconds, coarse; only the validity of certificates is judged by it.
    """

    addresses: tuple[str, ...] = ()
    pool: tuple[Network, ...] = ()
    allocations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reserved_ports: Mapping[int, str] = field(default_factory=dict)
    denied_networks: tuple[Network, ...] = ()
    denied_endpoints: frozenset[tuple[str, int]] = frozenset()
    now: int = 0

    def has(self, address: Address) -> bool:
        """Whether this machine can listen on the address; with 127.0.0.1 it has all of 127.0.0.0/8."""
        return str(address) in self.addresses or (address in _LOOPBACK and "127.0.0.1" in self.addresses)

    def reachable(self) -> tuple[str, ...]:
        """The addresses that others can dial; where there are none, the loopback ones."""
        parsed = [ip_address(a) for a in self.addresses]
        outside = tuple(str(a) for a in parsed if not a.is_loopback and not a.is_link_local)
        return outside or tuple(str(a) for a in parsed if a.is_loopback)
