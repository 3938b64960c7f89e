"""Handshakes that are torn, forged, oversized or no handshakes: refused in time, and no neighbour notices."""

from __future__ import annotations

import asyncio
import os
import ssl

import pytest

from proxy.options import ProxyOptions, StreamOptions
from proxy.snapshot.listeners import HttpsListener
from tests.attacks.capturing import OK
from tests.proxy.certificates import bundle, trusting_client
from tests.proxy.gateway import Gateway, at, backend, bind, eventually, free_port, gateway, hosts, run

# The good clients have to be done by then, on a busy machine too.
OPTIONS = ProxyOptions(access_log="off", streams=StreamOptions(handshake_s=2.0), removed_bind_drain_s=0.1)
GET = b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"


def hello(name: str) -> bytes:
    """A real ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting_client().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def record(kind: int, payload: bytes) -> bytes:
    return bytes((kind, 3, 1)) + len(payload).to_bytes(2, "big") + payload


def listener(section: str, hostname: str, *names: str) -> HttpsListener:
    return HttpsListener(f"default/gw/{section}", hostname, (bundle(*names),), hosts("c"))


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads a head and a sized body, and answers."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Content-Length: " in head:
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]))
        writer.write(OK)


async def asked(port: int, name: str, host: str = "", body: bytes = b"") -> bytes:
    """One request inside TLS, and its status."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting_client(), server_hostname=name, ssl_shutdown_timeout=0.2
    )
    try:
        head = GET % (host or name).encode()
        writer.write(head if not body else head[:-2] + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return (await reader.read())[9:12]
    finally:
        writer.close()


async def served(gate: Gateway, number: int) -> int:
    port = free_port()
    some = listener("some", "*.some.test", "*.some.test")
    await gate.apply([bind(port, listener("one", "one.test", "one.test"), some)], at(number))
    return port


TORN = hello("one.test")
CASES = {
    "nothing": b"",
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: one.test\r\n\r\n",
    "noise": os.urandom(3000),
    "an SSL 2 hello": b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(40),
    "half a hello": TORN[: len(TORN) // 2],
    "a hello with a byte turned": TORN[:60] + bytes((TORN[60] ^ 0xFF,)) + TORN[61:],
    "a hello, then noise": TORN + os.urandom(500),
    "a hello, then application data": TORN + record(23, bytes(100)),
    "a hello, then a change of cipher without end": TORN + record(20, b"\x01") * 500,
    "an alert": record(21, b"\x02\x28"),
    "application data": record(23, bytes(100)),
    "an empty record": record(22, b""),
    "a record too long": b"\x16\x03\x01\xff\xff" + bytes(70000),
    "a hello that promises too much": record(22, b"\x01\xff\xff\xff" + bytes(1000)) * 80,
    "a hello in too many records": b"".join(record(22, TORN[5 + at : 6 + at]) for at in range(len(TORN) - 5)),
    "another handshake message": record(22, b"\x02\x00\x00\x04" + bytes(4)),
    "a name of 60,000 bytes": record(22, b"\x01\x00\xea\x60" + bytes(16380)),
    "a name that nobody serves": hello("two.test"),
    "an address for a name": hello("127.0.0.1"),
}


@pytest.mark.parametrize("wire", CASES.values(), ids=CASES)
def test_what_is_no_handshake_ends_in_time_and_disturbs_nobody(wire: bytes) -> None:
    """Twenty of them beside good clients, whose connections share the buffers of the port."""

    async def one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(wire)
            await asyncio.wait_for(reader.read(), 30)
        except ConnectionError:
            pass  # a reset ends it too
        finally:
            writer.close()

    async def test() -> None:
        async with backend(answering) as number, gateway(options=OPTIONS) as gate:
            port = await served(gate, number)
            bad = [one(port) for _ in range(20)]
            good = [asked(port, "one.test", body=bytes(100_000)) for _ in range(5)]
            answers = await asyncio.gather(*bad, *good)
            assert answers[20:] == [b"200"] * 5

    run(test)


def test_a_hello_may_come_byte_by_byte() -> None:
    async def test() -> None:
        async with backend(answering) as number, gateway() as gate:
            port = await served(gate, number)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for at_byte in range(len(TORN)):
                writer.write(TORN[at_byte : at_byte + 1])
                await asyncio.sleep(0)
            assert (await reader.readexactly(3))[:2] == b"\x16\x03"  # the ServerHello
            writer.close()

    run(test)


@pytest.mark.parametrize(
    ("name", "host", "status"),
    [
        ("one.test", "one.test", b"200"),
        ("one.test", "ONE.test.:443", b"200"),
        ("a.some.test", "b.some.test", b"200"),
        ("one.test", "a.some.test", b"421"),
        ("a.some.test", "one.test", b"421"),
        ("one.test", "other.test", b"421"),
    ],
)
def test_the_host_must_belong_to_the_listener_of_the_handshake(name: str, host: str, status: bytes) -> None:
    async def test() -> None:
        async with backend(answering) as number, gateway() as gate:
            assert await asked(await served(gate, number), name, host) == status

    run(test)


def test_connections_that_share_buffers_never_see_each_others_bytes() -> None:
    """Thirty connections at once, each with bytes of its own both ways, in pieces of many sizes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 7777):
            writer.write(body[start : start + 7777])
            await writer.drain()

    async def one(port: int, number: int, ends: list[int]) -> None:
        body = bytes((number,)) * 300_000
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting_client(), server_hostname="one.test"
        )
        writer.write(b"POST / HTTP/1.1\r\nHost: one.test\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 1000 + 997 * number):
            writer.write(body[start : start + 1000 + 997 * number])
            await asyncio.sleep(0)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(body)) == body
        writer.transport.abort()
        ends.append(number)

    async def test() -> None:
        async with backend(echo) as number, gateway() as gate:
            port = await served(gate, number)
            ends: list[int] = []
            await asyncio.gather(*(one(port, client, ends) for client in range(30)))
            await eventually(lambda: len(ends) == 30)

    run(test)
