"""WebSocket echo through the gateway."""

from __future__ import annotations

import os

from locust import User, constant, task
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from loadtests.users.exchange import WrongAnswerError, exchange

PAYLOAD_BYTES = 256
TIMEOUT_S = 10


class WebSocketUser(User):
    """Keeps one WebSocket to --websocket and echoes binary messages; a new one after a failure."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """No connection yet: the first task makes it, so that its failure is counted."""
        self._connection: ClientConnection | None = None

    def on_stop(self) -> None:
        """Close with a close frame."""
        if self._connection is not None:
            self._connection.close()

    @task
    def round_trip(self) -> None:
        """256 bytes there and back."""
        options = self.environment.parsed_options
        payload = os.urandom(PAYLOAD_BYTES)
        with exchange(self, "WS", "echo") as measured:
            try:
                if self._connection is None:
                    headers = {"Host": options.http_host} if options.http_host else None
                    self._connection = connect(options.websocket, additional_headers=headers, open_timeout=TIMEOUT_S)
                connection, self._connection = self._connection, None
                connection.send(payload)
                answer = connection.recv(timeout=TIMEOUT_S)
            except WebSocketException as error:
                raise WrongAnswerError(str(error)) from error
            measured.response_bytes = len(answer)
            if answer != payload:
                raise WrongAnswerError("another message came back than was sent")
            self._connection = connection
