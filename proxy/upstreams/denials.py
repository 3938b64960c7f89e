"""Addresses that no backend may have: an address comes in, the reason to refuse it goes out.

Whoever may write an endpoint must not reach the machine's metadata service, multicast groups or the appliance's own API
through the gateway. Checked on the resolved address that is then connected to: a name cannot change its mind.
Loopback is allowed: on a bare machine the backend often lives next door.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from proxy.options import Network

METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Metadata services of clouds that are not link-local: AWS over IPv6, Alibaba, Azure, Oracle."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a translator turns into the IPv4 address in their last 32 bits (RFC 6052)."""


class Denials:
    """networks: what the operator denies. own: (address, port) pairs of the appliance itself; "" is any address."""

    __slots__ = ("_networks", "_own")

    def __init__(self, networks: Sequence[Network] = (), own: Sequence[tuple[str, int]] = ()) -> None:
        self._networks = tuple(networks)
        self._own = frozenset((ipaddress.ip_address(host) if host else None, port) for host, port in own)

    def reason(self, host: str, port: int) -> str:
        """Why connecting to IP address `host` is refused; "" when it is not."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return f"{host} is not an IP address"
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id:
                return f"{host} has a zone; link-local addresses are no backends"
            address = _inner(address)
        if address.is_link_local:
            return f"{host} is link-local"
        if address in METADATA:
            return f"{host} is a metadata service"
        if address.is_multicast:
            return f"{host} is a multicast address"
        if address.is_unspecified:
            return f"{host} is the unspecified address"
        if str(address) == "255.255.255.255":
            return f"{host} is the broadcast address"
        if (address, port) in self._own or (address.is_loopback and (None, port) in self._own):
            return f"{host}:{port} is the appliance's own"
        for network in self._networks:
            if address.version == network.version and address in network:
                return f"{host} is in {network}, which is denied"
        return ""


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that traffic to an IPv6 one ends up at, if it does."""
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
