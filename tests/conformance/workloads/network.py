"""Network namespaces on a bridge, by way of iproute2. Everything happens in the namespaces of the calling process.

It is to be called in namespaces that are its own (tests.conformance.isolation): names and addresses are taken as free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network

PODS = IPv4Network("10.244.0.0/16")
BRIDGE = "pods"
_GATEWAY = str(PODS[1])


async def ip(*arguments: str, batch: Sequence[str] = ()) -> None:
    """Run iproute2's ip. batch: commands, one a line. Raises OSError with what it printed."""
    stdin = asyncio.subprocess.PIPE if batch else asyncio.subprocess.DEVNULL
    words = [*arguments, *(("-batch", "-") if batch else ())]
    process = await asyncio.create_subprocess_exec(
        "ip", *words, stdin=stdin, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate("\n".join(batch).encode() if batch else None)
    if process.returncode:
        raise OSError(f"ip {' '.join(words)}: {errors.decode().strip()}")


async def open_network(addresses: Sequence[str]) -> None:
    """Loopback with addresses of its own, and the bridge that Pods will hang on."""
    commands = [
        "link set lo up",
        *(f"addr add {address}/32 dev lo" for address in addresses),
        f"link add {BRIDGE} type bridge",
        f"addr add {_GATEWAY}/{PODS.prefixlen} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]
    await ip(batch=commands)


async def open_pod(number: int) -> tuple[str, str]:
    """A namespace with an address on the bridge: its name and the address. number: from 0, never used before."""
    name, address = f"pod-{number}", str(PODS[number + 16])
    await ip("netns", "add", name)
    commands = [
        f"link add p{number} type veth peer name eth0 netns {name}",
        f"link set p{number} master {BRIDGE} up",
    ]
    await ip(batch=commands)
    inside = [
        "link set lo up",
        f"addr add {address}/{PODS.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {_GATEWAY}",
    ]
    await ip("-n", name, batch=inside)
    return name, address


async def close_pod(number: int) -> None:
    """Take the namespace away, and its link with it."""
    await ip("netns", "del", f"pod-{number}")
