"""Backends of the tests, in threads: what a gateway forwards to."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.rrset
from websockets.sync.server import ServerConnection, serve


@contextmanager
def tcp_server(handle: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A loopback TCP (or TLS) server that hands every connection to `handle`; yields its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                if context is None:
                    handle(self.request)
                else:
                    with context.wrap_socket(self.request, server_side=True) as connection:
                        handle(connection)
                        connection.unwrap()
            except OSError:
                return  # a client that goes away is no fault of the backend

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server, _served(server):
        yield int(server.server_address[1])


@contextmanager
def http_server(body: bytes) -> Iterator[int]:
    """Answers every request head with 200 and `body`, keeps the connection; yields its port."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    def handle(connection: socket.socket) -> None:
        rest = b""
        while piece := connection.recv(65536):
            *heads, rest = (rest + piece).split(b"\r\n\r\n")
            connection.sendall(answer * len(heads))

    with tcp_server(handle) as port:
        yield port


@contextmanager
def dns_server(address: str) -> Iterator[int]:
    """Answers every A question with `address`; yields its UDP port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, reply_from = self.request
            question = dns.message.from_wire(data)
            answer = dns.message.make_response(question)
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "A", address))
            reply_from.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server, _served(server):
        yield int(server.server_address[1])


@contextmanager
def websocket_server() -> Iterator[int]:
    """Echoes messages; yields its port."""

    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.socket.getsockname()[1])
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
