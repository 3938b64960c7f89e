"""WebSocket inside HTTP/2 (extended CONNECT, RFC 8441): the gateway does not offer it, and refuses it cleanly.

A client that asks all the same is told so on its stream alone; the connection goes on. Clients that heed the settings
fall back to HTTP/1.1, where WebSocket is carried.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from appliance.demo.backend import EchoBackend
from tests.scenarios.appliance import Appliance
from tests.scenarios.web_gateway import NAME, WebGateway, serve_web


@dataclass(slots=True)
class Client:
    """One HTTP/2 connection, read until something is known."""

    connection: socket.socket
    engine: h2.connection.H2Connection = field(
        default_factory=lambda: h2.connection.H2Connection(
            # It would refuse to send what a polite client does not.
            h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
        )
    )
    seen: list[h2.events.Event] = field(default_factory=list)

    def send(self, stream: int, headers: list[tuple[str, str]], *, end: bool) -> None:
        """Begin a stream."""
        self.engine.send_headers(stream, headers, end_stream=end)
        self.connection.sendall(self.engine.data_to_send())

    def read(self) -> None:
        """What comes next. AssertionError when the gateway closes the connection."""
        data = self.connection.recv(65536)
        assert data, f"the connection was closed after {self.seen}"
        self.seen += self.engine.receive_data(data)
        self.connection.sendall(self.engine.data_to_send())

    def until(self, kind: type[h2.events.Event], stream: int | None = None) -> h2.events.Event:
        """The first event of a kind, of one stream or of the connection."""
        while True:
            for event in self.seen:
                if isinstance(event, kind) and (stream is None or getattr(event, "stream_id", None) == stream):
                    return event
            self.read()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGateway]:
    folder = tmp_path_factory.mktemp("extended-connect")
    with EchoBackend(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as backend, Appliance(folder / "data") as appliance:
        yield serve_web(appliance, folder, "HTTPRoute", backend.ports.http)


@contextmanager
def dialled(web: WebGateway, listener: str) -> Iterator[Client]:
    """Connected to a listener, with its settings read."""
    with ExitStack() as stack:
        port = web.http_port if listener == "http" else web.https_port
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        if listener == "https":
            context = ssl.create_default_context(cafile=str(web.ca_file))
            context.set_alpn_protocols(["h2", "http/1.1"])
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname=NAME))
            assert connection.selected_alpn_protocol() == "h2"
        client = Client(connection)
        client.engine.initiate_connection()
        client.connection.sendall(client.engine.data_to_send())
        client.until(h2.events.RemoteSettingsChanged)
        yield client


def head(method: str, path: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """Of a request."""
    return [(":method", method), (":scheme", "http"), (":authority", NAME), (":path", path), *more]


@pytest.mark.parametrize("listener", ["http", "https"])
def test_it_is_refused_on_its_stream_and_the_connection_goes_on(web: WebGateway, listener: str) -> None:
    with dialled(web, listener) as client:
        assert client.engine.remote_settings.enable_connect_protocol == 0
        client.send(1, head("CONNECT", "/chat", (":protocol", "websocket"), ("sec-websocket-version", "13")), end=False)
        client.until(h2.events.StreamReset, 1)
        client.send(3, head("GET", "/after"), end=True)
        answer = client.until(h2.events.ResponseReceived, 3)
        assert isinstance(answer, h2.events.ResponseReceived)
        assert (b":status", b"200") in answer.headers
        client.until(h2.events.StreamEnded, 3)
