"""Clients' certificates at TLS ports of a real proxy: who gets in, where, and until when."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import socket
import ssl
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from certs.authority import Authority
from certs.bundle import Bundle, parse_bundle
from certs.contexts import client_context, server_context
from certs.trust import parse_trust
from proxy.snapshot.clusters import Cluster, Endpoint, UpstreamTls
from proxy.snapshot.listeners import ClientValidation, HttpsListener, TlsListener
from proxy.snapshot.routes import SniRoute
from tests.certs.material import Key, certificate, ec_key, pem
from tests.proxy.certificates import authority, bundle
from tests.proxy.gateway import at, backend, bind, echo, free_port, gateway, run, to
from tests.proxy.listeners.test_tls import TEAPOT

OWN = parse_trust(authority().ca_pem)
STRICT, LENIENT = ClientValidation(OWN), ClientValidation(OWN, required=False)


@functools.cache
def stranger() -> Bundle:
    with tempfile.TemporaryDirectory() as folder:
        return Authority.open(Path(folder)).issue_client("stranger")


@functools.cache
def known() -> Bundle:
    return authority().issue_client("known")


def https(hostname: str, clients: ClientValidation | None, name: str = "") -> HttpsListener:
    return HttpsListener(name or hostname, hostname, (bundle(hostname),), TEAPOT, clients)


class Client:
    """A connection that asks again and again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int, name: str, certificate: Bundle | None = None) -> Client:
        context = client_context(authority().ca_pem, certificate=certificate)
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name))

    async def status(self, host: str) -> bytes:
        """Of an answer; "" when there is none, for the connection has ended."""
        try:
            self.writer.write(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return b""
        await self.reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0]))
        return head.split()[1]


async def status(port: int, name: str, certificate: Bundle | None = None) -> bytes:
    try:
        client = await Client.connect(port, name, certificate)
    except OSError:
        return b""
    answer = await client.status(name)
    client.writer.close()
    return answer


def test_a_listener_lets_in_whom_it_trusts() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test", STRICT), https("b.test", LENIENT))], {})
            seen = [await status(front, "a.test", shown) for shown in (None, stranger(), known())]
            assert seen == [b"", b"", b"418"]
            seen = [await status(front, "b.test", shown) for shown in (None, stranger(), known())]
            assert seen == [b"418", b"418", b"418"]

    run(test)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_ticket_of_an_open_listener_opens_no_strict_one(version: ssl.TLSVersion) -> None:
    """Though both serve one certificate."""
    both = bundle("a.test", "b.test")
    context = client_context(authority().ca_pem)
    context.minimum_version = context.maximum_version = version

    def visit(port: int, name: str, session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None, bool]:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=name, session=session) as secured,
        ):
            secured.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % name.encode())
            return secured.recv(65536), secured.session, bool(secured.session_reused)

    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            listeners = [
                HttpsListener("strict", "a.test", (both,), TEAPOT, STRICT),
                HttpsListener("open", "b.test", (both,), TEAPOT),
            ]
            await gate.apply([bind(front, *listeners)], {})
            _, session, _ = await asyncio.to_thread(visit, front, "b.test", None)
            assert (await asyncio.to_thread(visit, front, "b.test", session))[2]
            with pytest.raises(ssl.SSLError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"):  # TLS 1.2 has one word
                await asyncio.to_thread(visit, front, "a.test", session)

    run(test)


def test_two_kinds_of_keys_serve_one_name() -> None:
    keys: tuple[Key, ...] = (ec_key(), rsa.generate_private_key(65537, 2048))
    bundles = tuple(parse_bundle(certificate(key), pem(key)) for key in keys)

    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, HttpsListener("both", "a.test", bundles, TEAPOT))], {})
            for ciphers, wanted in (("ECDHE+ECDSA", bundles[0]), ("ECDHE+aRSA", bundles[1])):
                context = client_context(wanted.certificate_pem)
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers(ciphers)
                _, writer = await asyncio.open_connection("127.0.0.1", front, ssl=context, server_hostname="a.test")
                leaf = writer.get_extra_info("ssl_object").getpeercert(True)
                assert hashlib.sha256(leaf).hexdigest() == wanted.fingerprint
                writer.close()

    run(test)


def test_one_listeners_leniency_opens_no_other() -> None:
    """A connection that got in by one server name is of no use for the hosts of another listener (GEP-91)."""

    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test", STRICT), https("b.test", None))], {})
            client = await Client.connect(front, "b.test")
            assert await client.status("a.test") == b"421"
            assert await client.status("b.test") == b"418"
            client.writer.close()

    run(test)


def test_connections_of_before_end_when_more_is_asked() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test", None), https("b.test", None))], {})
            asked, other = await Client.connect(front, "a.test"), await Client.connect(front, "b.test")
            for client, host in ((asked, "a.test"), (other, "b.test")):
                assert await client.status(host) == b"418"
            await gate.apply([bind(front, https("a.test", STRICT), https("b.test", None))], {})
            assert await asked.status("a.test") == b""
            assert await other.status("b.test") == b"418"
            assert await status(front, "a.test") == b""
            assert await status(front, "a.test", known()) == b"418"
            other.writer.close()

    run(test)


def test_a_stream_is_judged_too_and_goes_on_inside_tls() -> None:
    """TLS ends here with a check of the client, and begins anew towards a backend that checks us."""

    async def test() -> None:
        inside = server_context(bundle("inside.test"), clients=OWN)
        async with gateway() as gate, backend(echo, inside) as secret:
            front = free_port()
            listener = TlsListener(
                "ended",
                "a.test",
                (bundle("a.test"),),
                (SniRoute("", to("s")),),
                STRICT,
                authority().issue_client("gateway"),
            )
            cluster = Cluster("s", "tcp", (Endpoint("ip", "127.0.0.1", secret),), tls=UpstreamTls("inside.test", OWN))
            await gate.apply([bind(front, listener)], {"s": cluster})
            client = await Client.connect(front, "a.test", known())
            client.writer.write(b"hello")
            assert await client.reader.readexactly(5) == b"hello"
            client.writer.close()
            with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
                refused = await Client.connect(front, "a.test")
                await refused.reader.readexactly(1)

    run(test)


@pytest.mark.parametrize("tls", [UpstreamTls("else.test", OWN), UpstreamTls("inside.test")], ids=["name", "system"])
def test_a_stream_is_cut_rather_than_given_to_a_backend_that_is_not_believed(tls: UpstreamTls) -> None:
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())

    async def test() -> None:
        async with gateway() as gate, backend(listen, server_context(bundle("inside.test"))) as secret:
            front = free_port()
            listener = TlsListener("ended", "a.test", (bundle("a.test"),), (SniRoute("", to("s")),))
            cluster = Cluster("s", "tcp", (Endpoint("ip", "127.0.0.1", secret),), tls=tls)
            await gate.apply([bind(front, listener)], {"s": cluster} | at(secret, name="plain"))
            client = await Client.connect(front, "a.test")
            client.writer.write(b"secret")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)):
                await client.reader.readexactly(1)
            client.writer.close()
        assert not any(seen)

    run(test)
