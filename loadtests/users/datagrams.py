"""UDP echo."""

from __future__ import annotations

import os
import socket

from locust import User, constant, task

from loadtests.users.exchange import WrongAnswerError, address, exchange

PAYLOAD_BYTES = 512
TIMEOUT_S = 2


class UdpUser(User):
    """One socket, and so one session at the gateway; a datagram that does not return in time is a failure."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """A connected socket: only the gateway's answers are read."""
        target = address(self.environment.parsed_options.udp)
        self._socket = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(target)

    def on_stop(self) -> None:
        """Close."""
        self._socket.close()

    @task
    def round_trip(self) -> None:
        """512 bytes there and back."""
        payload = os.urandom(PAYLOAD_BYTES)
        with exchange(self, "UDP", "echo") as measured:
            self._socket.send(payload)
            answer = self._socket.recv(65536)
            measured.response_bytes = len(answer)
            if answer != payload:
                raise WrongAnswerError("another datagram came back than was sent")
