"""Clients that people have, through every kind of listener, each in every version of HTTP that it speaks.

A listener that looks into HTTP ends it, and speaks HTTP/1.1 with this backend; one that does not (TLS, TCP) carries
whatever client and backend agree on.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.certificates import TestAuthority
from tests.scenarios.every_version import every_version
from tests.scenarios.objects import apply, wait_for_condition
from tests.scenarios.waiting import wait_for

API = "/apis/gateway.networking.k8s.io/v1/namespaces/default"
ROUTE_OF = {
    "http": "HTTPRoute",
    "https": "HTTPRoute",
    "passthrough": "TLSRoute",
    "terminate": "TLSRoute",
    "tcp": "TCPRoute",
}
LISTENERS = tuple(ROUTE_OF)
OVER_TLS = ("https", "passthrough", "terminate")
BODY = bytes(range(256)) * 400


@dataclass(frozen=True, slots=True)
class Front:
    """Where each listener is. Names resolve to loopback only inside these tests."""

    ports: dict[str, int]
    ca_file: Path

    def host(self, listener: str) -> str:
        """What the client asks for."""
        return f"{listener}.example.com"

    def url(self, listener: str, scheme: str = "http") -> str:
        """Where the backend's echo is."""
        secure = "s" if listener in OVER_TLS else ""
        return f"{scheme}{secure}://{self.host(listener)}:{self.ports[listener]}/"


@dataclass(frozen=True, slots=True)
class Answer:
    """version: in which the client was answered. seen: in which the backend was asked."""

    status: int
    version: str
    seen: str
    body: bytes


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One appliance, one Gateway with all listeners, one backend in the clear and one behind TLS."""
    folder = tmp_path_factory.mktemp("clients")
    authority = TestAuthority()
    made = Front({name: free_port() for name in LISTENERS}, folder / "ca.pem")
    made.ca_file.write_bytes(authority.pem)
    served = authority.issue(*(made.host(name) for name in LISTENERS))
    with ExitStack() as stack:
        plain = stack.enter_context(every_version(folder))
        secure = stack.enter_context(every_version(folder, served))
        appliance = stack.enter_context(Appliance(folder / "data", "--drain-timeout", "1s"))
        apply(appliance, served.secret("clients") + objects(made, plain, secure))
        wait_for_condition(appliance, f"{API}/gateways/clients", "Programmed")
        for name, kind in ROUTE_OF.items():
            wait_for_condition(appliance, f"{API}/{kind.lower()}s/{name}", "Accepted")
        for name in LISTENERS:
            wait_for(f"an answer through {name}", lambda name=name: by_httpx(made, name, http2=False).status == 200)  # type: ignore[misc]
        yield made


def objects(front: Front, plain: int, secure: int) -> str:
    """Backends, the Gateway, a route for each listener."""
    text = ""
    for name, port in (("plain", plain), ("secure", secure)):
        text += f"""
apiVersion: gatehouse.dev/v1alpha1
kind: Backend
metadata: {{name: {name}, namespace: default}}
spec: {{endpoints: [{{ip: 127.0.0.1, port: {port}}}]}}
---"""
    text += """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: clients, namespace: default}
spec:
  gatewayClassName: gatehouse
  listeners:"""
    certificate = "certificateRefs: [{name: clients}]"
    for name, more in (
        ("http", "protocol: HTTP"),
        ("https", f"protocol: HTTPS, tls: {{{certificate}}}"),
        ("passthrough", "protocol: TLS, tls: {mode: Passthrough}"),
        ("terminate", f"protocol: TLS, tls: {{mode: Terminate, {certificate}}}"),
        ("tcp", "protocol: TCP"),
    ):
        text += f"\n  - {{name: {name}, port: {front.ports[name]}, {more}}}"
    for name, kind in ROUTE_OF.items():
        hostnames = "" if kind == "TCPRoute" else f"hostnames: [{front.host(name)}]"
        backend = "secure" if name == "passthrough" else "plain"
        text += f"""
---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: default}}
spec:
  parentRefs: [{{name: clients, sectionName: {name}}}]
  {hostnames}
  rules: [{{backendRefs: [{{group: gatehouse.dev, kind: Backend, name: {backend}}}]}}]"""
    return text + _H2C.format(port=plain)


_H2C = """
---
apiVersion: v1
kind: Service
metadata: {{name: h2c, namespace: default}}
spec: {{ports: [{{port: 80, targetPort: {port}, appProtocol: kubernetes.io/h2c}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: h2c-1, namespace: default, labels: {{kubernetes.io/service-name: h2c}}}}
addressType: IPv4
ports: [{{port: {port}}}]
endpoints: [{{addresses: [127.0.0.1]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: h2c, namespace: default}}
spec:
  parentRefs: [{{name: clients, sectionName: http}}, {{name: clients, sectionName: https}}]
  hostnames: [h2c.example.com]
  rules: [{{backendRefs: [{{name: h2c, port: 80}}]}}]
"""


def by_curl(front: Front, listener: str, *words: str) -> Answer:
    """POST, and read the body back."""
    url, host = front.url(listener) + "echo", front.host(listener)
    command = ["curl", "-sS", "--max-time", "30", "--cacert", str(front.ca_file), *words, "--data-binary", "@-"]
    command += ["--resolve", f"{host}:{front.ports[listener]}:127.0.0.1", "-H", "Expect:"]
    command += ["-w", "%{stderr}%{http_code} %{http_version} %header{x-version}", url]
    done = subprocess.run(command, input=BODY, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    status, version, seen = done.stderr.decode().split(" ")
    return Answer(int(status), version, seen, done.stdout)


def by_httpx(front: Front, listener: str, *, http2: bool) -> Answer:
    """The same. HTTP/2 in the clear is by prior knowledge, over TLS by ALPN."""
    context = ssl.create_default_context(cafile=str(front.ca_file))
    http1 = not http2 or listener in OVER_TLS
    with httpx.Client(verify=context, http1=http1, http2=http2, trust_env=False, timeout=30) as client:
        request = client.build_request(
            "POST", f"{front.url(listener)}echo", content=BODY, extensions={"sni_hostname": front.host(listener)}
        )
        request.url = request.url.copy_with(host="127.0.0.1")  # the Host header is made by now
        answer = client.send(request)
    version = answer.http_version.removeprefix("HTTP/").removesuffix(".0")
    return Answer(answer.status_code, version, answer.headers.get("x-version", ""), answer.content)


def http1_curl(front: Front, listener: str) -> Answer:
    return by_curl(front, listener, "--http1.1")


def http1_httpx(front: Front, listener: str) -> Answer:
    return by_httpx(front, listener, http2=False)


@pytest.mark.needs("curl")
def test_a_request_with_a_body_that_no_route_takes_is_answered_every_time(front: Front) -> None:
    """curl 7.88 forgets an answer when its stream is reset while it sends: of these it lost a quarter."""
    command = ["curl", "-sS", "--max-time", "30", "--http2-prior-knowledge", "--data-binary", "body"]
    command += ["-w", "%{http_code}", "-o", "-", f"http://127.0.0.1:{front.ports['http']}/"]
    for _ in range(30):
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stdout[-3:]) == (0, b"404"), done.stderr.decode()


@pytest.mark.needs("curl")
@pytest.mark.parametrize("client", [http1_curl, http1_httpx])
@pytest.mark.parametrize("listener", LISTENERS)
def test_http1(front: Front, listener: str, client: Callable[[Front, str], Answer]) -> None:
    """One version all the way."""
    assert client(front, listener) == Answer(200, "1.1", "1.1", BODY)


@pytest.mark.needs("curl")
@pytest.mark.parametrize(
    ("listener", "version", "seen"),
    [
        ("https", "2", "1.1"),
        ("http", "1.1", "1.1"),  # an upgrade to h2c is not taken up, as RFC 9113 section 3.1 has it
        ("passthrough", "2", "2"),
        ("terminate", "1.1", "1.1"),  # what is inside TLS is not looked into, so no protocol is agreed on
    ],
)
def test_curl_that_would_like_http2(front: Front, listener: str, version: str, seen: str) -> None:
    """--http2: by ALPN over TLS, else by asking for an upgrade."""
    assert by_curl(front, listener, "--http2") == Answer(200, version, seen, BODY)


@pytest.mark.needs("curl")
@pytest.mark.parametrize(("listener", "seen"), [("http", "1.1"), ("https", "1.1"), ("passthrough", "2"), ("tcp", "2")])
def test_curl_that_knows_of_http2(front: Front, listener: str, seen: str) -> None:
    """--http2-prior-knowledge."""
    assert by_curl(front, listener, "--http2-prior-knowledge") == Answer(200, "2", seen, BODY)


@pytest.mark.parametrize(
    ("listener", "version", "seen"),
    [
        ("http", "2", "1.1"),
        ("https", "2", "1.1"),
        ("passthrough", "2", "2"),
        ("terminate", "1.1", "1.1"),
        ("tcp", "2", "2"),
    ],
)
def test_httpx_with_http2(front: Front, listener: str, version: str, seen: str) -> None:
    assert by_httpx(front, listener, http2=True) == Answer(200, version, seen, BODY)


@pytest.mark.needs("curl")
@pytest.mark.parametrize("listener", ["http", "https"])
@pytest.mark.parametrize("words", ["--http1.1", "--http2-prior-knowledge"])
def test_a_backend_of_http2(front: Front, listener: str, words: str) -> None:
    """A Service's appProtocol says so: whatever the client speaks, the backend is asked in HTTP/2."""
    answer = by_curl(front, listener, words, "-H", "Host: h2c.example.com")
    assert answer == Answer(200, "1.1" if words == "--http1.1" else "2", "2", BODY)


@pytest.mark.parametrize("listener", LISTENERS)
def test_websockets(front: Front, listener: str) -> None:
    """Messages of every size, both ways, and the close."""
    context = ssl.create_default_context(cafile=str(front.ca_file)) if listener in OVER_TLS else None
    plain = socket.create_connection(("127.0.0.1", front.ports[listener]), timeout=30)
    with connect(f"{front.url(listener, 'ws')}chat", sock=plain, ssl=context, proxy=None) as client:
        for message in ("short", "x" * 70_000, BODY):
            client.send(message)
            assert client.recv(timeout=30) == message
    assert client.close_code == 1000
