"""What an operator decides about reconciling."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """pool: addresses to give out, one to each Gateway. denied_networks: where backends may not be.
    own_addresses: where the appliance serves its own API and metrics; never a backend."""

    pool: tuple[IPv4Network | IPv6Network, ...] = ()
    denied_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    own_addresses: tuple[tuple[str, int], ...] = ()
