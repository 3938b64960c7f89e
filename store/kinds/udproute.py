"""UDPRoute (gateway.networking.k8s.io): UDP sessions of a listener, to backends."""

from __future__ import annotations

from store.kinds.l4routes import transport_route

UDP_ROUTE = transport_route("UDPRoute", "Where the UDP sessions of a listener go.")
