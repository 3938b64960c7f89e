"""Binds and the listeners that share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from certs.bundle import Bundle
from certs.trust import Trust
from proxy.snapshot.routes import Forward, SniRoute, VirtualHost


@dataclass(frozen=True, slots=True, order=True)
class BindKey:
    """A socket to listen on. address "" is every address of the machine, IPv4 and IPv6."""

    address: str
    port: int
    transport: Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class ClientValidation:
    """What clients must show where TLS ends here (Gateway API: FrontendTLSValidation).

    required: a handshake without a certificate that `trust` vouches for fails; otherwise any certificate, or none,
    is taken (AllowInsecureFallback).
    """

    trust: Trust
    required: bool = True


@dataclass(frozen=True, slots=True)
class HttpListener:
    """Plain HTTP. name: "NAMESPACE/GATEWAY/SECTION", or "NAMESPACE/GATEWAY/SECTION@NAMESPACE/LISTENERSET" for a
    Listener that a ListenerSet adds; hostname as in VirtualHost.

    backend_certificate: what backends that speak TLS are shown for its requests.
    """

    name: str
    hostname: str
    hosts: tuple[VirtualHost, ...]
    backend_certificate: Bundle | None = None


@dataclass(frozen=True, slots=True)
class HttpsListener:
    """HTTP inside TLS that ends here; chosen by SNI. certificates: empty refuses every handshake."""

    name: str
    hostname: str
    certificates: tuple[Bundle, ...]
    hosts: tuple[VirtualHost, ...]
    client_validation: ClientValidation | None = None
    backend_certificate: Bundle | None = None


@dataclass(frozen=True, slots=True)
class TlsListener:
    """TLS relayed by SNI. certificates: empty is passthrough; otherwise TLS ends here and the plain stream goes on.

    Without routes every connection is reset.
    """

    name: str
    hostname: str
    certificates: tuple[Bundle, ...]
    routes: tuple[SniRoute, ...]
    client_validation: ClientValidation | None = None
    backend_certificate: Bundle | None = None


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A port whose every connection is forwarded; None: accepted by no route, connections are reset."""

    name: str
    forward: Forward | None
    backend_certificate: Bundle | None = None


@dataclass(frozen=True, slots=True)
class UdpListener:
    """A port whose every session is forwarded; None: datagrams are dropped."""

    name: str
    forward: Forward | None


Listener = HttpListener | HttpsListener | TlsListener | TcpListener | UdpListener


@dataclass(frozen=True, slots=True)
class Bind:
    """One socket and the compatible listeners on it: all HttpListener; or HttpsListener and TlsListener together;
    or one TcpListener; or one UdpListener. An HTTP(S) request belongs to the listener with the most specific hostname
    that matches, and to no other (Gateway API: listener isolation)."""

    key: BindKey
    listeners: tuple[Listener, ...]
