"""The values that settings have, read from text.

Text of an option, a variable or a TOML value comes in; a typed value goes out, or ValueError with a sentence that says
what was expected. Where the text came from is not known here.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import NamedTuple

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DURATION_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_SIZE_UNITS_BYTES = {"": 1, "K": 1024, "KI": 1024, "M": 1024**2, "MI": 1024**2, "G": 1024**3, "GI": 1024**3}
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class HostPort(NamedTuple):
    """An address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value.strip():
        raise ValueError("expected some text")
    return value


def path(value: str) -> Path:
    """A path, absolute from here on; ~ is the home directory."""
    return Path(text(value)).expanduser().absolute()


def host_port(value: str) -> HostPort:
    """HOST:PORT with an IP address, such as 127.0.0.1:6443 or [::1]:6443."""
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        ipaddress.ip_address(host)
    except ValueError:
        colon = ""
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError("expected ADDRESS:PORT, such as 127.0.0.1:6443 or [::1]:6443")
    return HostPort(host, int(port))


def port(value: str) -> int:
    """A port number, 1 to 65535."""
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= 65535:
        raise ValueError("expected a port number from 1 to 65535")
    return int(value)


def network(value: str) -> Network:
    """A network in CIDR form; a single address is a network of one."""
    try:
        return ipaddress.ip_network(value, strict=True)
    except ValueError as error:
        if "host bits set" in str(error):
            raise ValueError(f"expected a network, did you mean {ipaddress.ip_network(value, strict=False)}?") from None
        raise ValueError("expected a network such as 10.1.2.0/28, or an address") from None


def count(value: str) -> int:
    """A whole number of at least 1."""
    if not re.fullmatch(r"[0-9]{1,12}", value) or int(value) < 1:
        raise ValueError("expected a whole number of at least 1")
    return int(value)


def duration_s(value: str) -> float:
    """Seconds, from 1.5, 500ms, 30s, 2m or 1h."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|)", value.strip())
    if match is None:
        raise ValueError("expected a duration such as 500ms, 30s or 2m")
    return float(match[1]) * _DURATION_UNITS_S[match[2]]


def size_bytes(value: str) -> int:
    """Bytes, from 65536, 64Ki or 16Mi."""
    match = re.fullmatch(r"([0-9]{1,12})([KMG]i?|)", value.strip())
    if match is None:
        raise ValueError("expected a size such as 65536, 64Ki or 16Mi")
    return int(match[1]) * _SIZE_UNITS_BYTES[match[2].upper()]


def switch(value: str) -> bool:
    """true or false; also yes, no, on, off, 1 and 0."""
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return word in _TRUE


def level(value: str) -> str:
    """A log level."""
    word = value.strip().lower()
    if word not in ("debug", "info", "warning", "error"):
        raise ValueError("expected debug, info, warning or error")
    return word
