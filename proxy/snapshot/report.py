"""What the proxy really did: a stream of reports, each with the serial of the snapshot in force when it was made.

Reports come in any number and at any time after an apply; a later one about the same subject replaces the earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from proxy.snapshot.listeners import BindKey


@dataclass(frozen=True, slots=True)
class Applied:
    """The snapshot is compiled and serves; every bind of it has been tried once (its BindReport came before)."""

    serial: int


@dataclass(frozen=True, slots=True)
class BindReport:
    """A socket listens, or cannot be bound; `error` is the operating system's reason, "" when listening.

    error_code: errno name such as "EADDRINUSE" or "EADDRNOTAVAIL". Failed binds are retried; success reports again.
    """

    serial: int
    key: BindKey
    listening: bool
    error: str = ""
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class NameReport:
    """A name of an endpoint was resolved (sorted addresses), or could not be (error; the last good ones stay)."""

    serial: int
    host: str
    addresses: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """An endpoint refuses connections and is left out for a while; or ("up") it takes them again, or is gone."""

    serial: int
    cluster: str
    address: str
    state: Literal["up", "down"]
    error: str = ""


Report = Applied | BindReport | NameReport | EndpointReport
