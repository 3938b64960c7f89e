"""TLS on a socket: each connection's server name finds its listener; HTTPS, ended and relayed TLS share a port.

A client that no listener or route wants is reset during its handshake, as a relay would; where every listener ends TLS
here it is told why by an alert.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from proxy.http.port import HttpPort
from proxy.l4.bridge import Bridge
from proxy.l4.forwarding import Forwarding
from proxy.l4.passthrough import take_socket
from proxy.l4.pipes import Pipes
from proxy.l4.session_record import SessionRecord
from proxy.l4.tcp import TcpConnections
from proxy.listeners.plan import HTTP_ALPN, HttpsTarget, TlsPlan, TlsTarget
from proxy.listeners.serving import StreamServer
from proxy.listeners.sockets import client_text
from proxy.protocols.client_hello import ClientHello
from proxy.protocols.tls import (
    ALERT_INTERNAL_ERROR,
    ALERT_NO_APPLICATION_PROTOCOL,
    ALERT_UNRECOGNIZED_NAME,
    Decision,
    HandOver,
    Refuse,
    Terminate,
    TlsConnection,
    TlsInfo,
)
from proxy.protocols.tls_stream import Buffers
from proxy.reasons import Reason, Termination
from proxy.services import Services


class TlsServing:
    """One TLS port."""

    def __init__(self, services: Services, pipes: Pipes, listening: socket.socket, plan: TlsPlan) -> None:
        self._loop = services.loop
        self._streams = services.options.streams
        self._access_log = services.access_log
        self._metrics = services.metrics
        self._http = HttpPort(services)
        self._relayed = TcpConnections(self._loop, self._streams, pipes)
        self._connections: set[TlsConnection] = set()
        self._buffers = Buffers()
        self._stopped = False
        self._server = StreamServer(self._loop, listening, self._connection)
        self._plan = plan

    def update(self, plan: TlsPlan) -> None:
        """New connections go by this plan, live HTTP ones from their next request on; relays go on.

        HTTP connections end after their answer when their clients were asked for something else than they now would
        be, or could have no handshake now, for want of a certificate.
        """
        shaken = {one.name: (one.client_validation, bool(one.certificates)) for one in self._plan.listeners}
        changed = (
            one.name
            for one in plan.listeners
            if (before := shaken.get(one.name)) is not None
            and (before[0] != one.client_validation or (before[1] and not one.certificates))
        )
        self._http.update(plan.site, frozenset(changed))
        self._plan = plan

    async def start(self) -> None:
        """See Serving."""
        self.update(self._plan)
        await self._server.start()

    def stop(self) -> None:
        """See Serving."""
        self._stopped = True
        self._server.stop()

    async def drain(self, timeout_s: float) -> None:
        """See Serving."""
        await asyncio.gather(self._http.drain(timeout_s), self._relayed.drain(timeout_s))
        for connection in tuple(self._connections):
            connection.abort()

    # What TlsConnection asks of its host.

    def opened(self, connection: TlsConnection) -> bool:
        """See Host."""
        if self._stopped or len(self._connections) >= self._streams.tls_connection_limit:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: TlsConnection) -> None:
        """See Host."""
        self._connections.discard(connection)

    def decide(self, hello: ClientHello) -> Decision:
        """See Host."""
        target = self._plan.targets.find(hello.server_name)
        if target is None:
            return Refuse(ALERT_UNRECOGNIZED_NAME if self._plan.only_https else None)
        if isinstance(target, HttpsTarget):
            return self._https(target, hello)
        forwarding = target.routes.find(hello.server_name)
        if target.certificates is None:
            if forwarding is None:
                return Refuse()
            return HandOver(partial(self._relay, target, forwarding, hello.server_name))
        context = target.certificates.context(hello.server_name)
        if context is None or forwarding is None:
            return Refuse()
        return Terminate(context, target.listener.name, partial(self._bridge, target, forwarding))

    def _connection(self) -> TlsConnection:
        return TlsConnection(self._loop, self, self._buffers, self._streams.handshake_s)

    def _https(self, target: HttpsTarget, hello: ClientHello) -> Decision:
        if hello.alpn and not set(hello.alpn) & set(HTTP_ALPN):
            return Refuse(ALERT_NO_APPLICATION_PROTOCOL)
        context = target.certificates.context(hello.server_name)
        if context is None:
            return Refuse(ALERT_INTERNAL_ERROR)
        return Terminate(context, target.listener.name, self._http.protocol)

    def _relay(
        self,
        target: TlsTarget,
        forwarding: Forwarding,
        server_name: str,
        transport: asyncio.Transport,
        first: bytes,
    ) -> None:
        client = client_text(transport.get_extra_info("peername"))
        record = SessionRecord(
            self._access_log,
            self._metrics,
            "TLS",
            client,
            target.listener.name,
            forwarding.forward,
            host=server_name,
        )
        if len(self._relayed) >= self._streams.tcp_connection_limit:
            transport.abort()
            record.end(Reason.OVERLOADED, Termination.GATEWAY, len(first))
            return
        try:
            taken = take_socket(transport)
        except OSError:  # out of descriptors
            transport.abort()
            record.end(Reason.OVERLOADED, Termination.GATEWAY, len(first))
            return
        self._relayed.carry(taken, forwarding, record, first)

    def _bridge(self, target: TlsTarget, forwarding: Forwarding, info: TlsInfo) -> Bridge:
        record = partial(self._record, target, forwarding, info)
        return Bridge(self._loop, self._streams, forwarding.choose, record, target.listener.backend_certificate)

    def _record(
        self, target: TlsTarget, forwarding: Forwarding, info: TlsInfo, transport: asyncio.Transport
    ) -> SessionRecord:
        return SessionRecord(
            self._access_log,
            self._metrics,
            "TLS",
            client_text(transport.get_extra_info("peername")),
            target.listener.name,
            forwarding.forward,
            host=info.server_name,
            tls_version=info.version,
        )
