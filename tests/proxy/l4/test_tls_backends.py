"""TCP connections that go on inside TLS: whole, both ways, half-closed and cut as plain ones are."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest

from certs.contexts import server_context
from certs.trust import parse_trust
from proxy.snapshot.clusters import Cluster, Endpoint, UpstreamTls
from proxy.snapshot.listeners import Bind, TcpListener, TlsListener
from proxy.snapshot.routes import SniRoute
from tests.proxy.certificates import authority, bundle, trusting_client
from tests.proxy.gateway import backend, bind, echo, eventually, free_port, gateway, run, says, to

OWN = parse_trust(authority().ca_pem)
BODY = bytes(range(256)) * 8000


def listening(port: int) -> Bind:
    return bind(port, TcpListener("default/gw/tcp", to("c"), authority().issue_client("gateway")))


def secured(port: int, hostname: str = "a.test") -> Mapping[str, Cluster]:
    tls = UpstreamTls(hostname, OWN)
    return {"c": Cluster("c", "tcp", (Endpoint("ip", "127.0.0.1", port),), tls=tls)}


def test_bytes_both_ways_and_our_certificate_on_the_way() -> None:
    async def test() -> None:
        strict = server_context(bundle("a.test"), clients=OWN)
        async with gateway() as gate, backend(echo, strict) as secret:
            front = free_port()
            await gate.apply([listening(front)], secured(secret))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(BODY)
            assert await reader.readexactly(len(BODY)) == BODY
            writer.close()

    run(test)


def test_the_server_may_speak_first_and_end_first() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"welcome"), server_context(bundle("a.test"))) as secret:
            front = free_port()
            await gate.apply([listening(front)], secured(secret))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            assert await reader.read() == b"welcome"
            writer.close()

    run(test)


def test_a_backend_that_is_not_believed_gets_nothing_and_the_client_a_reset(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())

    async def test() -> None:
        async with (
            gateway(str(tmp_path / "log")) as gate,
            backend(listen, server_context(bundle("a.test"))) as secret,
        ):
            front = free_port()
            await gate.apply([listening(front)], secured(secret, "b.test"))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"secret")
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
            writer.close()
        assert not any(seen)

    run(test)
    (line,) = [json.loads(text) for text in (tmp_path / "log").read_text().splitlines()]
    assert line["reason"] == "upstream_untrusted"


def test_tls_that_is_passed_through_is_put_into_no_other() -> None:
    """One route may serve listeners that end TLS and listeners that do not."""

    async def test() -> None:
        async with gateway() as gate, backend(says(b"my own"), server_context(bundle("a.test"))) as secret:
            front = free_port()
            listener = TlsListener("default/gw/tls", "", (), (SniRoute("", to("c")),))
            await gate.apply([bind(front, listener)], secured(secret))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", front, ssl=trusting_client(), server_hostname="a.test"
            )
            assert await reader.read() == b"my own"
            writer.close()

    run(test)


def test_draining_ends_them() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(echo, server_context(bundle("a.test"))) as secret:
            front = free_port()
            await gate.apply([listening(front)], secured(secret))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            await gate.apply([], {})
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()

    run(test)


def test_a_client_that_leaves_takes_its_backend_connection_along() -> None:
    ends: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ends.append(await reader.read())
        except (OSError, ssl.SSLError):
            ends.append(b"")

    async def test() -> None:
        async with gateway() as gate, backend(listen, server_context(bundle("a.test"))) as secret:
            front = free_port()
            await gate.apply([listening(front)], secured(secret))
            _, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"bye")
            writer.close()
            await eventually(lambda: ends)

    run(test)
