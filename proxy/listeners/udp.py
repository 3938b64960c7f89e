"""Datagrams of clients: a bound socket comes in, each datagram finds its session.

A socket on every address must answer from the address that the client wrote to, or the client will not know the answer
for its own: the kernel tells that address with each datagram (IP_PKTINFO, IPV6_PKTINFO) and takes it with each answer
that its own choice would send from elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from proxy.l4.held_session import HeldSession
from proxy.l4.outlet import Control, Outlet
from proxy.l4.session_record import SessionRecord
from proxy.l4.udp import UdpSessions
from proxy.l4.udp_session import DATAGRAM_BYTES, DATAGRAMS_PER_WAKE, ClientAddress, UdpSession
from proxy.listeners.plan import UdpPlan
from proxy.listeners.sockets import client_text
from proxy.services import Services

IP_PKTINFO = 8  # Linux; the socket module has no name for it
ANCILLARY_BYTES = socket.CMSG_SPACE(20) + socket.CMSG_SPACE(12)


class UdpServing:
    """One UDP port."""

    def __init__(self, services: Services, listening: socket.socket, plan: UdpPlan) -> None:
        self._loop = services.loop
        self._access_log = services.access_log
        self._metrics = services.metrics
        self._listening = listening
        self._receive = listening.recvfrom
        self._plan = plan
        self._sessions = UdpSessions(services.loop, services.options.streams)
        self._everywhere = not plan.bind.key.address
        if self._everywhere:
            if listening.family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                listening.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def update(self, plan: UdpPlan) -> None:
        """New sessions go by this plan. Those that it would send to no cluster of theirs end: they might never idle."""
        before, self._plan = self._plan, plan
        if before.forwarding is not plan.forwarding:
            self._sessions.keep_only(plan.forwarding.clusters if plan.forwarding else ())

    async def start(self) -> None:
        """See Serving."""
        self._loop.add_reader(
            self._listening.fileno(), self._readable_everywhere if self._everywhere else self._readable
        )

    def stop(self) -> None:
        """See Serving. Sessions cannot outlive their socket: it also sends their answers."""
        self._loop.remove_reader(self._listening.fileno())
        self._sessions.close()
        self._listening.close()

    async def drain(self, timeout_s: float) -> None:
        """See Serving."""

    def _readable(self) -> None:
        receive = self._receive
        client: ClientAddress = ()
        run: list[bytes] = []
        try:
            for _ in range(DATAGRAMS_PER_WAKE):
                datagram, sender = receive(DATAGRAM_BYTES)
                if sender != client:
                    if run:
                        self._forward(client, run, ())
                    client, run = sender, [datagram]
                else:
                    run.append(datagram)
        except OSError:
            pass  # drained; or an error of an earlier answer, which the kernel tells here
        if run:
            self._forward(client, run, ())

    def _readable_everywhere(self) -> None:
        receive = self._listening.recvmsg
        client: ClientAddress = ()
        ancillary: object = ()
        run: list[bytes] = []
        try:
            for _ in range(DATAGRAMS_PER_WAKE):
                datagram, received, _flags, sender = receive(DATAGRAM_BYTES, ANCILLARY_BYTES)
                if sender != client:
                    if run:
                        self._forward(client, run, ancillary)
                    client, run, ancillary = sender, [datagram], received
                else:
                    run.append(datagram)
        except OSError:
            pass  # as above
        if run:
            self._forward(client, run, ancillary)

    def _forward(self, client: ClientAddress, datagrams: Sequence[bytes], ancillary: object) -> None:
        """Datagrams that came one after the other from one client. ancillary: what the kernel said with the first."""
        while datagrams:
            session = self._sessions.find(client) or self._open(client, ancillary)
            datagrams = session.forward(datagrams) if session is not None else datagrams[1:]

    def _open(self, client: ClientAddress, ancillary: object) -> UdpSession | HeldSession | None:
        plan = self._plan
        if plan.forwarding is None:
            return None
        record = SessionRecord(
            self._access_log,
            self._metrics,
            "UDP",
            client_text(client),
            plan.listener.name,
            plan.forwarding.forward,
        )
        return self._sessions.open(client, self._answer(client, ancillary), plan.forwarding, record)

    def _answer(self, client: ClientAddress, ancillary: object) -> Outlet:
        source = _answer_source(ancillary)
        if source is None or source[1] == _route_source(self._listening.family, client):
            return Outlet(self._listening, client)
        return Outlet(self._listening, client, source[0])


def _answer_source(ancillary: object) -> tuple[Control, str] | None:
    """The control message that makes an answer leave from the address that was written to, and that address."""
    if not isinstance(ancillary, list):
        return None
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            # in6_pktinfo: address, interface; interface 0 leaves the way out to the routing table
            address = ipaddress.IPv6Address(data[:16])
            interface = data[16:20] if address.is_link_local else bytes(4)
            return (level, kind, data[:16] + interface), str(address)
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            # in_pktinfo: interface, local address (the one to send from), address of the header
            return (level, kind, bytes(4) + data[4:8] + bytes(4)), str(ipaddress.IPv4Address(data[4:8]))
    return None


def _route_source(family: int, client: ClientAddress) -> str:
    """The address that the kernel would send from to this client by itself."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(client)
        except OSError:
            return ""
        return str(ipaddress.ip_address(probe.getsockname()[0]))
