"""Requests through a real proxy to backends that speak TLS: who is believed, what is shown, what is never shared."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.bundle import Bundle
from certs.contexts import server_context
from certs.trust import parse_trust
from proxy.snapshot.clusters import Cluster, Endpoint, UpstreamTls
from proxy.snapshot.listeners import Bind, HttpListener
from proxy.snapshot.report import EndpointReport
from tests.proxy.certificates import authority, bundle
from tests.proxy.gateway import Gateway, bind, free_port, gateway, hosts, run
from tests.proxy.http.h2_backend import H2Backend

OWN = parse_trust(authority().ca_pem)
TLS = UpstreamTls("a.test", OWN)
BODY_BYTES = 4_000_000


@functools.cache
def shown(name: str) -> Bundle:
    return authority().issue_client(name)


@dataclass
class Backend:
    """An HTTP/1.1 server inside TLS. It answers with the name of the client's certificate and the request's body."""

    port: int = 0
    accepted: int = 0
    heads: list[bytes] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            await self.answer(head, reader, writer)

    async def answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or b"0")
        body = await reader.readexactly(length)
        text = _who(writer).encode() + b" " + hashlib.sha256(body).hexdigest().encode() + b" "
        text += b"x" * BODY_BYTES if b"GET /large" in head else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
        await writer.drain()


def _who(writer: asyncio.StreamWriter) -> str:
    leaf = writer.get_extra_info("ssl_object").getpeercert(True)
    if leaf is None:
        return "nobody"
    subject = x509.load_der_x509_certificate(leaf).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def context(*, asks: bool = False, needs: bool = False) -> ssl.SSLContext:
    return server_context(bundle("a.test"), clients=OWN if asks or needs else None, lenient=asks)


@asynccontextmanager
async def serving(
    tls: ssl.SSLContext | None, talk: Callable[..., Awaitable[None]] | None = None
) -> AsyncIterator[Backend]:
    made = Backend()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await (talk or made.talk)(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def cluster(*ports: int, tls: UpstreamTls = TLS) -> Mapping[str, Cluster]:
    return {"c": Cluster("c", "http", tuple(Endpoint("ip", "127.0.0.1", port) for port in ports), tls=tls)}


class Client:
    """A connection that asks one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @property
    def port(self) -> int:
        """The gateway's."""
        return int(self.writer.get_extra_info("peername")[1])

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 16))

    async def ask(self, path: str = "/", body: bytes = b"", host: str = "web.test") -> tuple[int, bytes]:
        """Status and body of the answer."""
        method = "POST" if body else "GET"
        self.writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        self.writer.write(body)
        await self.writer.drain()
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        return int(head.split()[1]), await self.reader.readexactly(length)


def listening(port: int, certificate: Bundle | None = None) -> Bind:
    return bind(port, HttpListener("gw", "", hosts("c"), certificate))


async def through(gate: Gateway, clusters: Mapping[str, Cluster], certificate: Bundle | None = None) -> Client:
    front = free_port()
    await gate.apply([listening(front, certificate)], clusters)
    return await Client.connect(front)


def reasons(log: Path) -> list[tuple[int, str]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [(line["status"], line["reason"]) for line in lines]


def test_requests_share_a_connection_that_waits() -> None:
    async def test() -> None:
        async with gateway() as gate, serving(context()) as backend:
            client = await through(gate, cluster(backend.port))
            for _ in range(4):
                status, text = await client.ask()
                assert (status, text.split()[0]) == (200, b"nobody")
            assert (backend.accepted, len(backend.heads)) == (1, 4)
            assert backend.heads[0].startswith(b"GET / HTTP/1.1\r\n")
            client.writer.close()

    run(test)


def test_large_bodies_both_ways() -> None:
    body = bytes(range(256)) * (BODY_BYTES // 256)

    async def test() -> None:
        async with gateway() as gate, serving(context()) as backend:
            client = await through(gate, cluster(backend.port))
            _, text = await client.ask("/", body)
            assert text.split()[1].decode() == hashlib.sha256(body).hexdigest()
            _, text = await client.ask("/large")
            assert text.endswith(b"x" * BODY_BYTES)
            client.writer.close()

    run(test)


@pytest.mark.parametrize(
    ("tls", "wanted"),
    [
        (context(), UpstreamTls("b.test", OWN)),
        (context(), UpstreamTls("a.test")),
        (context(), UpstreamTls("a.test", OWN, (("dns", "b.test"), ("uri", "spiffe://a.test/x")))),
    ],
    ids=["name", "authority", "names"],
)
def test_a_backend_that_is_not_believed_gets_nothing(tls: ssl.SSLContext, wanted: UpstreamTls, tmp_path: Path) -> None:
    async def test() -> None:
        async with gateway(str(tmp_path / "log")) as gate, serving(tls) as backend:
            client = await through(gate, cluster(backend.port, tls=wanted))
            assert [(await client.ask())[0] for _ in range(2)] == [502, 502]
            assert not backend.heads
            client.writer.close()
            reports = [report for report in gate.reports if isinstance(report, EndpointReport)]
            assert [(report.state, report.address) for report in reports] == [("down", f"127.0.0.1:{backend.port}")]

    run(test)
    assert reasons(tmp_path / "log") == [(502, "upstream_untrusted")] * 2


def test_a_backend_that_speaks_no_tls_gets_nothing(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async def test() -> None:
        async with gateway(str(tmp_path / "log")) as gate, serving(None, talk) as backend:
            client = await through(gate, cluster(backend.port))
            assert (await client.ask("/secret"))[0] == 502
            client.writer.close()

    run(test)
    assert reasons(tmp_path / "log") == [(502, "upstream_tls_failed")]
    assert not any(b"secret" in text for text in seen)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_backend_that_wants_our_certificate_and_gets_none(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """In TLS 1.3 it says so after the handshake, when the request is on its way."""
    strict = context(needs=True)
    strict.maximum_version = version

    async def test() -> None:
        async with gateway(str(tmp_path / "log")) as gate, serving(strict) as backend:
            client = await through(gate, cluster(backend.port))
            assert (await client.ask())[0] == 502
            client.writer.close()
            assert not any(isinstance(report, EndpointReport) for report in gate.reports)

    run(test)
    ((status, reason),) = reasons(tmp_path / "log")
    assert status == 502
    # This backend resets the connection and may take its own alert back by that.
    assert reason == "upstream_tls_failed" or (version is ssl.TLSVersion.TLSv1_3 and reason == "upstream_reset")


def test_every_gateway_shows_its_own_certificate_and_shares_no_connection() -> None:
    async def test() -> None:
        async with gateway() as gate, serving(context(asks=True)) as backend:
            front = free_port()
            listeners = [
                HttpListener("one", "one.test", hosts("c"), shown("one")),
                HttpListener("two", "two.test", hosts("c"), shown("two")),
                HttpListener("none", "none.test", hosts("c")),
            ]
            await gate.apply([bind(front, *listeners)], cluster(backend.port))
            client = await Client.connect(front)
            for _ in range(3):
                for host, name in (("one.test", b"one"), ("two.test", b"two"), ("none.test", b"nobody")):
                    assert (await client.ask(host=host))[1].split()[0] == name
            assert backend.accepted == 3
            client.writer.close()

    run(test)


def test_a_new_certificate_is_shown_from_the_next_request_on() -> None:
    async def test() -> None:
        async with gateway() as gate, serving(context(asks=True)) as backend:
            client = await through(gate, cluster(backend.port), shown("one"))
            names = [(await client.ask())[1].split()[0] for _ in range(2)]
            await gate.apply([listening(client.port, shown("two"))], cluster(backend.port))
            names += [(await client.ask())[1].split()[0] for _ in range(2)]
            assert names == [b"one", b"one", b"two", b"two"]
            client.writer.close()

    run(test)


def test_another_trust_is_in_force_from_the_next_request_on(tmp_path: Path) -> None:
    """Connections that wait were made with the old one, and nobody asks them any more."""

    async def test() -> None:
        async with gateway(str(tmp_path / "log")) as gate, serving(context()) as backend:
            client = await through(gate, cluster(backend.port))
            assert [(await client.ask())[0] for _ in range(2)] == [200, 200]
            for tls, status in ((replace(TLS, trust=None), 502), (TLS, 200), (replace(TLS, hostname="b.test"), 502)):
                await gate.apply([listening(client.port)], cluster(backend.port, tls=tls))
                assert (await client.ask())[0] == status
            client.writer.close()

    run(test)


def test_plain_and_tls_ways_to_one_address_are_apart() -> None:
    """A policy comes and goes while connections wait."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            seen.append(data)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def test() -> None:
        async with gateway() as gate, serving(None, talk) as backend:
            plain = {"c": replace(cluster(backend.port)["c"], tls=None)}
            client = await through(gate, plain)
            assert [(await client.ask())[0] for _ in range(2)] == [200, 200]
            await gate.apply([listening(client.port)], cluster(backend.port))
            assert (await client.ask("/secret"))[0] == 502
            client.writer.close()

    run(test)
    assert not any(b"secret" in text for text in seen)


def test_one_endpoint_that_is_not_believed_leaves_the_other_to_serve() -> None:
    async def test() -> None:
        other = server_context(bundle("b.test"))
        async with gateway() as gate, serving(other) as bad, serving(context()) as good:
            client = await through(gate, cluster(bad.port, good.port))
            assert [(await client.ask())[0] for _ in range(4)] == [200] * 4
            assert not bad.heads
            client.writer.close()

    run(test)


def test_a_body_that_lasts_until_the_end_is_whole_only_with_a_close_notify() -> None:
    """Without one anybody on the way may have cut it off (RFC 8446, 6.1)."""

    async def test(orderly: bool) -> bytes:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            await writer.drain()
            if not orderly:
                with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as connection:
                    connection.shutdown(socket.SHUT_RDWR)

        async with gateway() as gate, serving(context(), talk) as backend:
            client = await through(gate, cluster(backend.port))
            client.writer.write(b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n")
            try:
                answer = await client.reader.readuntil(b"0\r\n\r\n")
            except (OSError, asyncio.IncompleteReadError):
                answer = b""
            client.writer.close()
            return answer

    async def both() -> None:
        assert b"all of it" in await test(True)
        assert not await test(False)

    run(both)


def test_an_upgraded_connection_goes_on_inside_tls() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst")
        while data := await reader.read(65536):
            writer.write(data)

    async def test() -> None:
        async with gateway() as gate, serving(context(), talk) as backend:
            tunnelled = {"c": replace(cluster(backend.port)["c"], protocol="ws")}
            client = await through(gate, tunnelled)
            client.writer.write(b"GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == b"101"
            assert await client.reader.readexactly(5) == b"first"
            body = bytes(range(256)) * 4000
            client.writer.write(body)
            assert await client.reader.readexactly(len(body)) == body
            client.writer.close()

    run(test)


async def h2_through(gate: Gateway, backend: H2Backend, tls: ssl.SSLContext, certificate: Bundle | None) -> Client:
    _, port = await backend.start(tls)
    return await through(gate, {"c": replace(cluster(port)["c"], protocol="http2")}, certificate)


def test_http2_inside_tls() -> None:
    async def test() -> None:
        backend = H2Backend()
        async with gateway() as gate:
            tls = server_context(bundle("a.test"), ["h2"], clients=OWN)
            client = await h2_through(gate, backend, tls, shown("gateway"))
            assert [(await client.ask()) for _ in range(3)] == [(200, b"hi")] * 3
            assert len(backend.connections) == 1
            assert {asked.field(b":scheme") for asked in backend.asked} == {b"https"}
            client.writer.close()
        backend.close()

    run(test)


@pytest.mark.parametrize(
    ("tls", "certificate"),
    [
        (server_context(bundle("a.test"), ["http/1.1"]), None),
        (server_context(bundle("a.test")), None),
        (server_context(bundle("a.test"), ["h2"], clients=parse_trust(bundle("x.test").certificate_pem)), shown("x")),
    ],
    ids=["http1", "nothing", "stranger"],
)
def test_http2_that_does_not_come_about(tls: ssl.SSLContext, certificate: Bundle | None, tmp_path: Path) -> None:
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # where a certificate is judged before anything else is said

    async def test() -> None:
        backend = H2Backend()
        async with gateway(str(tmp_path / "log")) as gate:
            client = await h2_through(gate, backend, tls, certificate)
            assert (await client.ask())[0] == 502
            client.writer.close()
        backend.close()
        assert not backend.asked

    run(test)
    assert reasons(tmp_path / "log") == [(502, "upstream_tls_failed")]


def test_a_hundred_at_once() -> None:
    async def test() -> None:
        async with gateway() as gate, serving(context()) as backend:
            front = free_port()
            await gate.apply([listening(front)], cluster(backend.port))

            async def one(number: int) -> bool:
                client = await Client.connect(front)
                body = str(number).encode() * 5000
                texts = [(await client.ask("/", body))[1] for _ in range(3)]
                client.writer.close()
                return {text.split()[1] for text in texts} == {hashlib.sha256(body).hexdigest().encode()}

            assert all(await asyncio.gather(*(one(number) for number in range(100))))

    run(test)
