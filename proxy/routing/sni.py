"""Server names: the TLS listeners of a bind come in, a ClientHello's name finds its listener, route and certificate.

Pure. The most specific listener takes a connection and no other is asked (Gateway API: listener isolation). A client
that sends no name belongs to the listener without a hostname.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from certs.bundle import Bundle
from proxy.routing.hostnames import HostnameTable

T = TypeVar("T")


def spelled(server_name: str) -> bytes:
    """A server name as tables know it: lower case, without a final dot; "" where there is none."""
    return server_name.lower().rstrip(".").encode("ascii", "replace")


class SniTable(Generic[T]):
    """(hostname, value) pairs; hostname as in VirtualHost."""

    __slots__ = ("_names",)

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._names = HostnameTable(entries)

    def find(self, server_name: str) -> T | None:
        """The value with the most specific hostname that covers the name; None when nothing does."""
        return self._names.best(spelled(server_name))


def certificate_for(certificates: Sequence[Bundle], server_name: str) -> Bundle:
    """The certificate whose names cover the server name best; the first one when none does. Not empty."""
    table = HostnameTable((name, bundle) for bundle in certificates for name in bundle.names if name)
    return table.best(spelled(server_name)) or certificates[0]
