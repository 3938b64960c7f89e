"""Names that need no DNS: localhost and what /etc/hosts says. Text comes in, addresses go out; pure."""

from __future__ import annotations

import ipaddress

LOOPBACK = ("127.0.0.1", "::1")


def parse_hosts(text: str) -> dict[str, tuple[str, ...]]:
    """Lower-case name -> its addresses in the order of the file (hosts(5)); other lines are skipped."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        for name in names:
            known = found.get(name.lower(), ())
            if address not in known:
                found[name.lower()] = (*known, address)
    return found


def is_localhost(name: str) -> bool:
    """RFC 6761, 6.3: localhost and everything below it is the loopback address, whatever DNS says."""
    name = name.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")
