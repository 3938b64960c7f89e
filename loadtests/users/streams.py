"""TCP echo, and HTTP inside TLS that the backend terminates."""

from __future__ import annotations

import os
import socket
import ssl

from locust import User, constant, task

from loadtests.users.exchange import WrongAnswerError, address, exchange

PAYLOAD_BYTES = 1024
TIMEOUT_S = 10


def echo(connection: socket.socket) -> int:
    """Send fresh bytes, read as many, compare; the number of bytes that came back."""
    payload = os.urandom(PAYLOAD_BYTES)
    connection.sendall(payload)
    received = b""
    while len(received) < len(payload):
        piece = connection.recv(65536)
        if not piece:
            raise WrongAnswerError(f"closed after {len(received)} of {len(payload)} bytes")
        received += piece
    if received != payload:
        raise WrongAnswerError("other bytes came back than were sent")
    return len(received)


class TcpUser(User):
    """Keeps one connection to --tcp and echoes over it; a new one after a failure."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """No connection yet: the first task makes it, so that its failure is counted."""
        self._connection: socket.socket | None = None

    def on_stop(self) -> None:
        """Close."""
        if self._connection is not None:
            self._connection.close()

    @task
    def round_trip(self) -> None:
        """1 KiB there and back."""
        with exchange(self, "TCP", "echo") as measured:
            if self._connection is None:
                target = address(self.environment.parsed_options.tcp)
                self._connection = socket.create_connection(target, timeout=TIMEOUT_S)
            connection, self._connection = self._connection, None
            measured.response_bytes = echo(connection)
            self._connection = connection


class PassthroughUser(User):
    """A whole TLS connection per task to --passthrough with server name --sni: handshake, one GET, close."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """A context that accepts whatever certificate the backend shows: that is not what is measured."""
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    @task
    def connection(self) -> None:
        """One connection with one request; anything but 200 is a failure."""
        options = self.environment.parsed_options
        with exchange(self, "TLS", "passthrough") as measured:
            target = address(options.passthrough)
            name = options.sni or target[0]
            with (
                socket.create_connection(target, timeout=TIMEOUT_S) as plain,
                self._context.wrap_socket(plain, server_hostname=name) as connection,
            ):
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            measured.response_bytes = len(answer)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise WrongAnswerError(f"answered {answer[:60]!r}")
