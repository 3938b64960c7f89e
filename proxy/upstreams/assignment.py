"""Which addresses a cluster has now: its endpoints and what their names resolve to come in, weighted places go out.

Pure: resolving, connecting and health are others' work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.snapshot.clusters import Endpoint
from proxy.upstreams.denials import Denials

Address = tuple[str, int] | str  # ("192.0.2.1", 80), ("2001:db8::1", 80) or "/path/of.sock"


@dataclass(frozen=True, slots=True)
class Place:
    """One address to connect to, its share, and the text that logs and reports show."""

    address: Address
    weight: int
    label: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """places: sorted as the endpoints are, each address once. refused: label of a denied address -> reason."""

    places: tuple[Place, ...]
    refused: Mapping[str, str]


def assign(endpoints: Sequence[Endpoint], resolved: Mapping[str, Sequence[str]], denials: Denials) -> Assignment:
    """Spread each endpoint's weight over its addresses; names that `resolved` does not know have none.

    An address that several endpoints give is one place with the sum of their weights.
    """
    shares: dict[Address, tuple[int, int]] = {}  # address -> weight as a fraction
    labels: dict[Address, str] = {}
    refused: dict[str, str] = {}
    for endpoint in endpoints:
        addresses: list[Address] = []
        for address in _addresses(endpoint, resolved):
            label = label_of(address)
            reason = denials.reason(*address) if isinstance(address, tuple) else ""
            if reason:
                refused[label] = reason
            else:
                labels[address] = label
                addresses.append(address)
        for address in addresses:
            shares[address] = _plus(shares.get(address, (0, 1)), (endpoint.weight, len(addresses)))
    common = math.lcm(*(below for _, below in shares.values())) if shares else 1
    weights = {address: above * common // below for address, (above, below) in shares.items()}
    divisor = math.gcd(*weights.values()) or 1
    places = tuple(Place(address, weight // divisor, labels[address]) for address, weight in weights.items())
    return Assignment(places, refused)


def label_of(address: Address) -> str:
    """How logs and reports write an address: "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path"."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _addresses(endpoint: Endpoint, resolved: Mapping[str, Sequence[str]]) -> list[Address]:
    match endpoint.kind:
        case "ip":
            return [(endpoint.host, endpoint.port)]
        case "unix":
            return [endpoint.host]
        case "name":
            return [(host, endpoint.port) for host in resolved.get(endpoint.host, ())]


def _plus(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    above = left[0] * right[1] + right[0] * left[1]
    below = left[1] * right[1]
    divisor = math.gcd(above, below)
    return above // divisor, below // divisor
