"""A blocking HTTP/2 client for one request after the other, on the `h2` package. It refuses to know locust.

In clear it is HTTP/2 by prior knowledge, inside TLS by ALPN.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

TIMEOUT_S = 10
Fields = Sequence[tuple[str, str]]


class Http2Error(OSError):
    """The peer reset the stream, said goodbye, closed, or broke the protocol. The connection is of no more use."""


@dataclass(slots=True)
class Answer:
    """A whole answer; names in lower case, without the colon for :status."""

    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)


class Http2Connection:
    """One connection to the origin of a URL. host: :authority and server name; "" is the URL's. Raises OSError."""

    def __init__(self, url: str, host: str = "") -> None:
        target = urlsplit(url)
        self._scheme = target.scheme
        self._authority = host or target.netloc
        port = target.port or (443 if target.scheme == "https" else 80)
        self._socket = socket.create_connection((target.hostname or "", port), timeout=TIMEOUT_S)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.scheme == "https":
                self._socket = _inside_tls(self._socket, host or target.hostname or "")
            self._connection = H2Connection()
            self._connection.initiate_connection()
            self._flush()
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def request(self, method: str, path: str, fields: Fields = (), body: bytes = b"") -> Answer:
        """Send a request whose body fits the peer's window, wait for the whole answer. Raises OSError."""
        pseudo = [(":method", method), (":scheme", self._scheme), (":authority", self._authority), (":path", path)]
        try:
            stream = self._connection.get_next_available_stream_id()
            self._connection.send_headers(stream, [*pseudo, *fields], end_stream=not body)
            if body:
                self._connection.send_data(stream, body, end_stream=True)
            return self._answer(stream)
        except ProtocolError as error:
            raise Http2Error(f"protocol error: {error!r}") from error

    def _answer(self, stream: int) -> Answer:
        answer = Answer()
        while True:
            self._flush()
            received = self._socket.recv(65536)
            if not received:
                raise Http2Error("the peer closed the connection")
            for event in self._connection.receive_data(received):
                if self._follow(event, stream, answer):
                    self._flush()
                    return answer

    def _follow(self, event: Event, stream: int, answer: Answer) -> bool:
        """Put the event into the answer; True when that was its end."""
        match event:
            case ResponseReceived(headers=list(headers)):
                answer.fields = {_text(name): _text(value) for name, value in headers}
                answer.status = int(answer.fields.pop(":status"))
            case TrailersReceived(headers=list(headers)):
                answer.trailers = {_text(name): _text(value) for name, value in headers}
            case DataReceived(data=bytes(data), flow_controlled_length=int(charged)):
                answer.body += data
                self._connection.acknowledge_received_data(charged, stream)
            case StreamReset(error_code=code):
                raise Http2Error(f"the stream was reset with {code!r}")
            case ConnectionTerminated(error_code=code):
                raise Http2Error(f"the peer says goodbye with {code!r}")
            case StreamEnded(stream_id=number) if number == stream:
                return True
        return False

    def _flush(self) -> None:
        if waiting := self._connection.data_to_send():
            self._socket.sendall(waiting)


def _inside_tls(plain: socket.socket, server_name: str) -> ssl.SSLSocket:
    """Any certificate will do: that is not what is measured."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    wrapped = context.wrap_socket(plain, server_hostname=server_name)
    if wrapped.selected_alpn_protocol() != "h2":
        raise Http2Error("the peer does not choose h2")
    return wrapped


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
