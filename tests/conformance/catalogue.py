"""What tests the suite has, and where each counts."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

GATEWAY_PROFILES = ("GATEWAY-HTTP", "GATEWAY-GRPC", "GATEWAY-TLS", "GATEWAY-TCP", "GATEWAY-UDP")


@dataclass(frozen=True, slots=True)
class Test:
    """levels: profile -> "core" or "extended". features: what it needs."""

    __test__ = False

    name: str
    features: tuple[str, ...]
    levels: Mapping[str, str]

    @property
    def outside(self) -> bool:
        """A test of Gateways that belongs to no profile: none knows all the features that it needs."""
        return not self.levels and "Mesh" not in self.features


def read(program: Path) -> tuple[Test, ...]:
    """Ask the program that was built with the suite."""
    output = subprocess.run([program], capture_output=True, check=True).stdout
    return tuple(Test(e["name"], tuple(e["features"]), e["profiles"]) for e in orjson.loads(output))
