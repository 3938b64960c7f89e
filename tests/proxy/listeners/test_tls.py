"""TLS ports through a real proxy: the server name decides between HTTPS, terminated and relayed TLS."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import ssl
from pathlib import Path

import pytest

from certs.bundle import Bundle
from certs.contexts import server_context
from proxy.errors import SnapshotError
from proxy.options import StreamOptions
from proxy.snapshot.listeners import Bind, HttpListener, HttpsListener, TlsListener
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, SniRoute, VirtualHost
from tests.proxy.certificates import bundle, trusting_client
from tests.proxy.gateway import ask, at, backend, bind, echo, free_port, gateway, run, says, to

TEAPOT = (VirtualHost("", (HttpRule(HttpMatch(), HttpAction("default/r", "0", refusal=Refusal(418, "teapot"))),)),)


def https(hostname: str, *certificates: Bundle, name: str = "https") -> HttpsListener:
    return HttpsListener(name, hostname, certificates or (bundle(hostname or "any.test"),), TEAPOT)


def passthrough(hostname: str, cluster: str, route: str = "") -> TlsListener:
    return TlsListener("default/gw/tls", hostname, (), (SniRoute(route or hostname, to(cluster)),))


def terminated(hostname: str, cluster: str) -> TlsListener:
    return TlsListener("default/gw/ended", hostname, (bundle(hostname),), (SniRoute("", to(cluster)),))


async def certificate_seen(port: int, name: str) -> set[str]:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting_client(), server_hostname=name)
    peer = writer.get_extra_info("peercert")
    writer.close()
    return {value for kind, value in peer["subjectAltName"]}


async def status(port: int, name: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting_client(), server_hostname=name)
    writer.write(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
    line = await reader.readline()
    writer.close()
    return line.split()[1]


def test_one_port_carries_all_three_kinds() -> None:
    async def test() -> None:
        inside = server_context(bundle("relay.test"))
        async with gateway() as gate, backend(says(b"own tls"), inside) as secret, backend(echo) as plain:
            front = free_port()
            listeners = (https("web.test"), passthrough("relay.test", "s"), terminated("ended.test", "p"))
            await gate.apply([bind(front, *listeners)], at(secret, name="s") | at(plain, name="p"))
            assert await status(front, "web.test") == b"418"
            assert await certificate_seen(front, "relay.test") == {"relay.test"}
            assert await ask(front, ssl=trusting_client(), server_hostname="relay.test") == b"own tls"
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", front, ssl=trusting_client(), server_hostname="ended.test"
            )
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()

    run(test)


def test_the_most_specific_listener_takes_the_name_and_no_other_is_asked() -> None:
    async def test() -> None:
        async with (
            gateway() as gate,
            backend(says(b""), server_context(bundle("a.x.test"))) as exact,
            backend(says(b""), server_context(bundle("wild.x.test", "b.x.test", "c.d.x.test"))) as wild,
        ):
            front = free_port()
            listeners = (
                passthrough("*.x.test", "wild"),
                passthrough("a.x.test", "exact"),
                passthrough("only.x.test", "wild", route="other.x.test"),
            )
            await gate.apply([bind(front, *listeners)], at(exact, name="exact") | at(wild, name="wild"))
            assert await certificate_seen(front, "a.x.test") == {"a.x.test"}
            assert "b.x.test" in await certificate_seen(front, "b.x.test")
            assert "c.d.x.test" in await certificate_seen(front, "c.d.x.test")
            for name in ("only.x.test", "x.test", "else.test"):
                with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
                    await certificate_seen(front, name)

    run(test)


def test_a_listener_without_a_certificate_leaves_its_names_to_no_wider_one() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(echo) as plain:
            front = free_port()
            wide = https("", bundle("a.test", "b.test", "c.test"), name="wide")
            whole = (wide, https("a.test", name="a"), terminated("b.test", "p"))
            await gate.apply([bind(front, *whole)], at(plain, name="p"))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", front, ssl=trusting_client(), server_hostname="a.test"
            )
            writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert b" 418 " in await reader.readuntil(b"(teapot)\n")
            broken = (wide, HttpsListener("a", "a.test", (), ()), TlsListener("default/gw/ended", "b.test", (), ()))
            await gate.apply([bind(front, *broken)], at(plain, name="p"))
            assert await reader.read() == b""  # its handshake could not be had now
            writer.close()
            for name in ("a.test", "b.test"):
                with pytest.raises((ConnectionResetError, ssl.SSLError)):
                    await status(front, name)
            assert await status(front, "c.test") == b"418"

    run(test)


def test_a_certificate_is_chosen_by_name_within_a_listener() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("", bundle("a.test"), bundle("*.b.test"), bundle("c.b.test")))], {})
            assert await certificate_seen(front, "a.test") == {"a.test"}
            assert await certificate_seen(front, "x.b.test") == {"*.b.test"}
            assert await certificate_seen(front, "c.b.test") == {"c.b.test"}

    run(test)


@pytest.mark.parametrize("hostname", ["", "named.test"])
def test_a_client_without_a_name_belongs_to_the_listener_without_one(hostname: str) -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https(hostname))], {})
            client = trusting_client()
            client.check_hostname = False
            opening = asyncio.open_connection("127.0.0.1", front, ssl=client, server_hostname="")
            if hostname:
                with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized"):
                    await opening
            else:
                _, writer = await opening
                writer.close()

    run(test)


def test_a_client_that_speaks_no_protocol_of_ours_is_told_so() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test"))], {})
            client = trusting_client()
            client.set_alpn_protocols(["gopher"])
            with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
                await asyncio.open_connection("127.0.0.1", front, ssl=client, server_hostname="a.test")

    run(test)


def test_large_streams_through_terminated_tls() -> None:
    data = random.Random(7).randbytes(2_000_000)

    async def test() -> None:
        async with gateway() as gate, backend(echo) as plain:
            front = free_port()
            await gate.apply([bind(front, terminated("a.test", "c"))], at(plain))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", front, ssl=trusting_client(), server_hostname="a.test"
            )

            async def send() -> None:
                writer.write(data)
                await writer.drain()

            sending = asyncio.create_task(send())
            got = await reader.readexactly(len(data))
            await sending
            writer.close()
            assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()

    run(test)


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_client_that_never_says_hello_is_cut(first: bytes) -> None:
    async def test() -> None:
        async with gateway(streams=StreamOptions(handshake_s=0.1)) as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test"))], {})
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(first)
            try:
                assert await reader.read(-1) == b""
            except ConnectionResetError:
                pass
            writer.close()

    run(test)


def test_a_certificate_changes_under_handshakes_and_none_fails() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test"))], {})
            failures: list[Exception] = []
            seen = 0
            done = False

            async def hammer() -> None:
                nonlocal seen
                while not done:
                    try:
                        assert await status(front, "a.test") == b"418"
                        seen += 1
                    except Exception as error:
                        failures.append(error)

            clients = [asyncio.create_task(hammer()) for _ in range(3)]
            for number in range(15):
                await gate.apply([bind(front, https("a.test", bundle("a.test", f"{number}.test")))], {})
            done = True
            await asyncio.gather(*clients)
            assert not failures
            assert seen
            assert "14.test" in await certificate_seen(front, "a.test")

    run(test)


def test_an_unchanged_certificate_keeps_its_tickets() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, https("a.test", name="one"))], {})
            client = trusting_client()
            client.maximum_version = ssl.TLSVersion.TLSv1_2  # a session is there as soon as the handshake is

            def visit(session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool | None]:
                with (
                    socket.create_connection(("127.0.0.1", front)) as raw,
                    client.wrap_socket(raw, server_hostname="a.test", session=session) as wrapped,
                ):
                    return wrapped.session, wrapped.session_reused

            session, reused = await asyncio.to_thread(visit, None)
            assert not reused
            await gate.apply([bind(front, https("a.test", name="another"))], {})
            assert (await asyncio.to_thread(visit, session))[1]

    run(test)


def test_the_log_line_of_a_relayed_connection(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            gateway(str(tmp_path / "log")) as gate,
            backend(says(b"hi"), server_context(bundle("a.test"))) as secret,
        ):
            front = free_port()
            await gate.apply([bind(front, passthrough("a.test", "c"))], at(secret))
            await ask(front, ssl=trusting_client(), server_hostname="a.test")
        (line,) = [json.loads(text) for text in (tmp_path / "log").read_text().splitlines()]
        assert (line["protocol"], line["host"], line["listener"]) == ("TLS", "a.test", "default/gw/tls")
        assert line["request_bytes"] > 200
        assert line["response_bytes"] > 500

    run(test)


def test_bad_kinds_on_one_port_are_refused() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            mixed = Bind(bind(front).key, (https("a.test"), HttpListener("h", "", ())))
            with pytest.raises(SnapshotError):
                await gate.apply([mixed], {})
            await gate.apply([bind(front, https("a.test"))], {})

    run(test)
