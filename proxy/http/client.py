"""Who is on a client's connection: its transport comes in, what is the same for all its requests goes out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.http.opening import Ways
from proxy.http.outgoing import Outgoing
from proxy.http.record import LogMemory
from proxy.telemetry.log_line import members

if TYPE_CHECKING:
    from proxy.http.port import HttpPort
    from proxy.protocols.tls import TlsInfo


class Client:
    """One client, for as long as its connection lasts.

    address: where it connects from. local: the authority that it connected to, for requests that name none. log: its
    members of a log line. ways: to where its requests went last.
    tls_listener: the listener that its TLS chose, None without TLS. outgoing: makes the heads that backends get of its
    requests.
    """

    __slots__ = ("address", "local", "local_port", "log", "log_memory", "outgoing", "port", "scheme", "services",
                 "tls_listener", "ways")  # fmt: skip

    def __init__(
        self, port: HttpPort, tls: TlsInfo | None, transport: asyncio.BaseTransport, version: bytes = b"1.1"
    ) -> None:
        """version: of HTTP, as Via names it (RFC 9110 section 7.6.3)."""
        self.port = port
        self.services = port.services
        self.tls_listener = tls.listener_name if tls is not None else None
        self.scheme = "https" if tls else "http"
        self.address = host, number = _address(transport.get_extra_info("peername"))
        local_host, self.local_port = _address(transport.get_extra_info("sockname"))
        self.local = _joined(local_host, self.local_port).encode()
        self.log = members(client=_joined(host, number)) + b"," + members(tls_version=tls.version if tls else "")
        self.log_memory = LogMemory()
        self.ways = Ways()
        via = self.services.options.via.encode()
        self.outgoing = Outgoing(
            host.encode(),
            self.scheme.encode(),
            trusted=port.trusts(host),
            via=b"Via: %b %b" % (version, via) if via else b"",
        )


def _address(name: object) -> tuple[str, int]:
    """(host, port) of a socket name; a Unix socket has neither."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]).partition("%")[0].removeprefix("::ffff:"), int(name[1])
    return "unix", 0


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
