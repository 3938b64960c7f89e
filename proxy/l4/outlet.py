"""The way out of datagrams: runs of them come in and leave with as few system calls as the kernel allows.

A run of datagrams of one size leaves as one message that the kernel cuts into datagrams again (UDP_SEGMENT, Linux 4.18;
udp(7)). The walk through the network stack is the greater part of what a datagram costs, and a run walks once. What
arrives is the same. Who the receiver is, and what a refusal means, is no concern of this module.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Sequence

UDP_SEGMENT = 103
"""Linux; the socket module has no name for it."""
SEGMENT_LIMIT_BYTES = 1452
"""What fits a packet of 1,500 bytes over IPv6: larger datagrams leave in fragments, and those are not cut from runs."""
SEGMENTS_LIMIT = 64
"""UDP_MAX_SEGMENTS of older kernels."""
RUN_LIMIT_BYTES = 65_000

# The way to this receiver knows no runs: a smaller packet size, no checksum offload, IPsec, an older kernel.
_NO_RUNS = frozenset({errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT})

Control = tuple[int, int, bytes]


class Outlet:
    """To one receiver. address: None where the socket is connected; control: goes along with every datagram.

    runs: whether to send in runs; it turns itself off where the kernel cannot.
    """

    __slots__ = ("_address", "_control", "_send_message", "runs", "send_one")

    def __init__(
        self,
        sock: socket.socket,
        address: tuple[object, ...] | None = None,
        control: Control | None = None,
        *,
        runs: bool = True,
    ) -> None:
        self._send_message = sock.sendmsg
        self._address = address
        self._control = [] if control is None else [control]
        self.runs = runs
        self.send_one = self._one_by(sock)
        """Send one datagram. Raises OSError."""

    def send(self, datagrams: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Send in order, up to the first that the kernel does not take: how many went, and why the next did not."""
        start, total = 0, len(datagrams)
        while start < total:
            end = self._run_end(datagrams, start) if total > 1 and self.runs else start + 1
            try:
                if end > start + 1:
                    self._send_run(datagrams[start:end])
                else:
                    self.send_one(datagrams[start])
            except OSError as error:
                if end > start + 1 and error.errno in _NO_RUNS:
                    self.runs = False
                    continue
                return start, error
            start = end
        return total, None

    @staticmethod
    def _run_end(datagrams: Sequence[bytes], start: int) -> int:
        """Where the run that begins at `start` ends: after one datagram when it cannot be cut from a run."""
        size, end = len(datagrams[start]), start + 1
        if 0 < size <= SEGMENT_LIMIT_BYTES:
            limit = min(len(datagrams), start + min(SEGMENTS_LIMIT, RUN_LIMIT_BYTES // size))
            while end < limit and len(datagrams[end]) == size:
                end += 1
        return end

    def _send_run(self, datagrams: Sequence[bytes]) -> None:
        size = len(datagrams[0]).to_bytes(2, sys.byteorder)
        control = [*self._control, (socket.IPPROTO_UDP, UDP_SEGMENT, size)]
        self._send_message(datagrams, control, 0, self._address)

    def _one_by(self, sock: socket.socket) -> Callable[[bytes], object]:
        """The shortest way for one datagram: most leave alone."""
        address, control = self._address, self._control
        if address is None:
            return sock.send
        if not control:
            send_to = sock.sendto
            return lambda datagram: send_to(datagram, address)
        send_message = sock.sendmsg
        return lambda datagram: send_message([datagram], control, 0, address)
