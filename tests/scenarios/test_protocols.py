"""Every protocol a gateway carries, with real clients on one side and real servers on the other."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.resolver
import pytest
from websockets.sync.client import connect

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.backends import dns_server, http_server, tcp_server, websocket_server
from tests.scenarios.certificates import TestAuthority
from tests.scenarios.objects import apply, documents, path, wait_for_condition
from tests.scenarios.waiting import wait_for

GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One appliance for all protocols; each test brings its own Gateway on its own port."""
    folder = tmp_path_factory.mktemp("protocols")
    with Appliance(folder / "data", "--access-log", str(folder / "access.log")) as running:
        yield running


def gateway(name: str, port: int, protocol: str, more: str = "") -> str:
    """A Gateway with one listener; `more` continues the listener's flow mapping."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners: [{{name: it, port: {port}, protocol: {protocol}{more}}}]
---
"""


def backend(name: str, port: int) -> str:
    """A Backend on loopback."""
    return f"""
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: {name}, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {port}}}]}}
---
"""


def route(kind: str, name: str, to: str, hostname: str = "") -> str:
    """A route with one rule from the Gateway `name` to the Backend `to`."""
    hostnames = f"hostnames: [{hostname}]" if hostname else ""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {to}, namespace: default}}
spec:
  parentRefs: [{{name: {name}}}]
  {hostnames}
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: {to}}}]}}]
---
"""


def serve(appliance: Appliance, name: str, text: str) -> None:
    """Apply, and return when the Gateway `name` is programmed and its routes are accepted: then they serve."""
    apply(appliance, text)
    wait_for_condition(appliance, f"{GATEWAYS}/{name}", "Programmed")
    for obj in documents(text):
        if obj["kind"].endswith("Route"):
            wait_for_condition(appliance, path(obj), "Accepted")


def dial(port: int) -> socket.socket:
    """A TCP connection to the gateway."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def read_all(connection: socket.socket) -> bytes:
    """Until the other side has no more to say."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def greeting(connection: socket.socket) -> None:
    """A backend that says one word and closes."""
    connection.sendall(b"hello")


def test_tls_passthrough_shows_the_backends_own_certificate(appliance: Appliance, tmp_path: Path) -> None:
    """The gateway has no key: the client verifies the backend's certificate against the backend's authority."""
    authority, port = TestAuthority(), free_port()
    served = authority.issue("secure.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*served.write(tmp_path, "backend"))
    client = ssl.create_default_context(cadata=authority.pem.decode())
    with tcp_server(greeting, context) as backend_port:
        text = gateway("passthrough", port, "TLS", ", tls: {mode: Passthrough}") + backend("secure", backend_port)
        serve(appliance, "passthrough", text + route("TLSRoute", "passthrough", "secure", "secure.example.com"))

        with dial(port) as plain, client.wrap_socket(plain, server_hostname="secure.example.com") as connection:
            assert connection.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(served.certificate.decode())
            assert read_all(connection) == b"hello"
        assert answer_to_hello(port, "other.example.com") == b""


def answer_to_hello(port: int, server_name: str) -> bytes:
    """What comes back, byte for byte, for a ClientHello: nothing when the connection is reset or closed unanswered."""
    hello = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with dial(port) as plain:
        plain.sendall(hello.read())
        try:
            return read_all(plain)
        except ConnectionResetError:
            return b""


def test_websocket_echoes(appliance: Appliance) -> None:
    """The upgrade goes through, messages of every size go both ways, and so does the close."""
    port = free_port()
    with websocket_server() as backend_port:
        text = gateway("websocket", port, "HTTP") + backend("echo", backend_port)
        serve(appliance, "websocket", text + route("HTTPRoute", "websocket", "echo"))
        with connect(f"ws://127.0.0.1:{port}/chat") as client:
            for message in ("short", "x" * 70_000, b"\x00\xff" * 300_000):
                client.send(message)
                assert client.recv(timeout=30) == message
        assert client.protocol.close_code == 1000


def test_dns_through_a_udp_route(appliance: Appliance) -> None:
    """A resolver library asks the gateway as its name server."""
    port = free_port(socket.SOCK_DGRAM)
    with dns_server("192.0.2.53") as backend_port:
        text = gateway("dns", port, "UDP") + backend("names", backend_port)
        serve(appliance, "dns", text + route("UDPRoute", "dns", "names"))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        assert str(resolver.resolve("www.example.com", "A", lifetime=10)[0]) == "192.0.2.53"


@pytest.fixture(scope="module")
def half_close_port(appliance: Appliance) -> Iterator[int]:
    """A TCP gateway before a backend that first speaks, then reads to the end, then answers with what it read."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        connection.sendall(b"read: " + read_all(connection))

    port = free_port()
    with tcp_server(handle) as backend_port:
        text = gateway("tcp", port, "TCP") + backend("halves", backend_port)
        serve(appliance, "tcp", text + route("TCPRoute", "tcp", "halves"))
        yield port


def test_the_server_may_speak_first(half_close_port: int) -> None:
    """The banner arrives before the client has said anything."""
    with dial(half_close_port) as client:
        assert client.recv(100) == b"220 ready\r\n"


def test_the_client_may_close_its_half_first(half_close_port: int) -> None:
    """What the backend says after the client's end still arrives: a million bytes there, and back."""
    payload = b"0123456789abcdef" * 65536
    with dial(half_close_port) as client:

        def send() -> None:
            client.sendall(payload)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = read_all(client)
        sender.join()
    assert received == b"220 ready\r\nread: " + payload


def test_the_server_may_close_its_half_first(appliance: Appliance) -> None:
    """What the client says after the backend's end still arrives there."""
    heard: list[bytes] = []
    done = threading.Event()

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"your turn")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_all(connection))
        done.set()

    port = free_port()
    with tcp_server(handle) as backend_port:
        text = gateway("tcp-back", port, "TCP") + backend("backwards", backend_port)
        serve(appliance, "tcp-back", text + route("TCPRoute", "tcp-back", "backwards"))
        with dial(port) as client:
            assert read_all(client) == b"your turn"
            client.sendall(b"thank you")
            client.shutdown(socket.SHUT_WR)
            assert done.wait(10)
    assert heard == [b"thank you"]


def test_tls_is_terminated_with_the_certificate_that_fits_the_server_name(appliance: Appliance) -> None:
    """Two listeners on one port with a certificate each; a changed Secret is served by the next handshake."""
    authority, port = TestAuthority(), free_port()
    client = ssl.create_default_context(cadata=authority.pem.decode())
    names = ("one.example.com", "two.example.com")

    def https(name: str) -> str:
        tls = f"{{certificateRefs: [{{name: {name.split('.')[0]}}}]}}"
        return f"{{name: {name.split('.')[0]}, port: {port}, protocol: HTTPS, hostname: {name}, tls: {tls}}}"

    with ExitStack() as stack:
        text = "".join(authority.issue(name).secret(name.split(".")[0]) for name in names)
        text += gateway("tls", port, "HTTPS").replace(
            f"[{{name: it, port: {port}, protocol: HTTPS}}]", f"[{https(names[0])}, {https(names[1])}]"
        )
        for name in names:
            short = name.split(".")[0]
            backend_port = stack.enter_context(http_server(short.encode()))
            text += backend(f"tls-{short}", backend_port) + route("HTTPRoute", "tls", f"tls-{short}", name)
        serve(appliance, "tls", text)

        def get(name: str) -> tuple[bytes, dict[str, object]]:
            with dial(port) as plain, client.wrap_socket(plain, server_hostname=name) as connection:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                certificate = connection.getpeercert()
                assert certificate is not None
                return read_all(connection).rpartition(b"\r\n\r\n")[2], dict(certificate)

        for name in names:
            assert get(name)[0] == name.split(".")[0].encode()
            assert get(name)[1]["subjectAltName"] == (("DNS", name),)

        before = get(names[0])[1]["serialNumber"]
        apply(appliance, authority.issue(names[0]).secret("one"))
        wait_for("the new certificate", lambda: get(names[0])[1]["serialNumber"] != before)
