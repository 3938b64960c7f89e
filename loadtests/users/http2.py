"""HTTP/2 requests, and gRPC calls of one message, over kept-alive connections."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from locust import User, constant, task

from loadtests.users.exchange import WrongAnswerError, exchange
from loadtests.users.http2_connection import Answer, Http2Connection

MESSAGE_BYTES = 256
CALL = (("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "10S"))


class _Http2(User):
    """Keeps one connection to the URL of its option; a new one after a failure."""

    abstract = True
    wait_time = constant(0)
    option = ""

    def on_start(self) -> None:
        """No connection yet: the first task makes it, so that its failure is counted."""
        options = vars(self.environment.parsed_options)
        self._url = options[self.option]
        self._host = options["http_host"]
        self._path = urlsplit(self._url).path or "/"
        self._connection: Http2Connection | None = None

    def on_stop(self) -> None:
        """Close."""
        if self._connection is not None:
            self._connection.close()

    def _ask(self, method: str, fields: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Answer:
        if self._connection is None:
            self._connection = Http2Connection(self._url, self._host)
        connection, self._connection = self._connection, None
        try:
            answer = connection.request(method, self._path, fields, body)
        except OSError:
            connection.close()
            raise
        self._connection = connection
        if answer.status != 200:
            raise WrongAnswerError(f"status {answer.status}")
        return answer


class Http2User(_Http2):
    """GETs the --http2 URL: http is HTTP/2 by prior knowledge, https by ALPN. Anything but 200 is a failure."""

    option = "http2"

    @task
    def get(self) -> None:
        """One request."""
        with exchange(self, "HTTP/2", "get") as measured:
            measured.response_bytes = len(self._ask("GET").body)


class GrpcUser(_Http2):
    """Calls the --grpc method with one message. Without --grpc-message it is random and must come back."""

    option = "grpc"

    @task
    def call(self) -> None:
        """One unary call; a grpc-status other than 0 is a failure."""
        given = self.environment.parsed_options.grpc_message
        message = bytes.fromhex(given) if given else os.urandom(MESSAGE_BYTES)
        framed = b"\0" + len(message).to_bytes(4, "big") + message
        with exchange(self, "gRPC", "unary") as measured:
            answer = self._ask("POST", CALL, framed)
            measured.response_bytes = len(answer.body)
            status = answer.trailers.get("grpc-status") or answer.fields.get("grpc-status", "absent")
            if status != "0":
                raise WrongAnswerError(f"grpc-status {status}")
            if not given and answer.body != framed:
                raise WrongAnswerError("another message came back than was sent")
