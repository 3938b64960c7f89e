"""TCPRoute (gateway.networking.k8s.io): TCP connections of a listener, to backends."""

from __future__ import annotations

from store.kinds.l4routes import transport_route

TCP_ROUTE = transport_route("TCPRoute", "Where the TCP connections of a listener go.")
