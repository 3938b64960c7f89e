"""Datagrams that are too many, too early, too large, forged, or sent to nobody."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from proxy.options import ProxyOptions, StreamOptions
from proxy.snapshot.clusters import Cluster, Endpoint
from tests.proxy.gateway import Gateway, at, datagrams, eventually, free_port, gateway, port_of, run, udp


def free_udp_port() -> int:
    return free_port(socket.SOCK_DGRAM)


def echo(data: bytes) -> bytes:
    return b"<" + data + b">"


def named(host: str, port: int) -> dict[str, Cluster]:
    return {"c": Cluster("c", "udp", (Endpoint("name", host, port),))}


def metric(gate: Gateway, line: str) -> float:
    """The value of one series, as a scrape shows it."""
    registry = CollectorRegistry()
    registry.register(gate.proxy.metrics)
    for text in generate_latest(registry).decode().splitlines():
        if text.startswith(line + " "):
            return float(text.rpartition(" ")[2])
    return 0.0


class Names:
    """A resolver whose answers a test gives when it likes."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.open = asyncio.Event()

    async def __call__(self, host: str) -> tuple[Sequence[str], float]:
        await self.open.wait()
        if not self.addresses:
            raise OSError(f"{host} does not exist (NXDOMAIN)")
        return self.addresses, 60.0


@pytest.mark.parametrize(("sent", "kept"), [(1, 1), (3, 3), (50, 8)])
def test_first_datagrams_wait_for_the_first_answer_of_dns(sent: int, kept: int) -> None:
    """In their order, and no more of them than the bound."""

    async def test() -> None:
        names = Names("127.0.0.1")
        async with gateway(lookup=names) as gate, datagrams() as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], named("slow.test", port_of(server)))
            async with datagrams(to_port=front) as client, datagrams(to_port=front) as other:
                for number in range(sent):
                    client.transport.sendto(b"%d" % number)
                other.transport.sendto(b"mark")
                # One socket takes both in their order: with the mark the gateway has had all that was sent before it.
                await eventually(lambda: metric(gate, SESSIONS) == 2)
                names.open.set()
                got = [await server.next() for _ in range(kept + 1)]
                got.remove(b"mark")
                assert got == [b"%d" % number for number in range(kept)]
                client.transport.sendto(b"later")
                assert await server.next() == b"later"

    run(test)


SESSIONS = 'gatehouse_stream_sessions_total{protocol="UDP",route="default/route"}'


def test_what_is_held_is_bounded_over_all_clients_and_goes_when_the_name_is_unknown(tmp_path: Path) -> None:
    async def test() -> None:
        log, names = tmp_path / "log", Names()
        options = ProxyOptions(access_log=str(log), streams=StreamOptions(udp_session_limit=64))
        async with gateway(options=options, lookup=names) as gate, AsyncExitStack() as stack:
            front = free_udp_port()
            before = psutil.Process().memory_info().rss
            await gate.apply([udp(front, "c")], named("none.test", 9))
            for _ in range(200):
                client = await stack.enter_async_context(datagrams(to_port=front))
                for _ in range(4):
                    client.transport.sendto(bytes(60000))
                await asyncio.sleep(0)
            await eventually(lambda: log.read_text().count("overloaded") >= 100)
            assert psutil.Process().memory_info().rss - before < 32 << 20
            names.open.set()
            await eventually(lambda: log.read_text().count("no_endpoint") == 64)

    run(test)


def test_a_route_that_changes_ends_what_is_held() -> None:
    async def test() -> None:
        names = Names("127.0.0.1")
        async with gateway(lookup=names) as gate, datagrams(echo) as server:
            front = free_udp_port()
            clusters = named("slow.test", 9) | at(port_of(server), name="new")
            await gate.apply([udp(front, "c")], clusters)
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"held")
                await eventually(lambda: metric(gate, SESSIONS) == 1)
                await gate.apply([udp(front, "new")], clusters)
                client.transport.sendto(b"x")
                assert await client.next() == b"<x>"

    run(test)


def test_a_flood_of_source_ports_is_bounded_and_a_client_that_goes_on_is_served() -> None:
    """Thousands of sources, then none of their sockets is left behind."""

    async def test() -> None:
        streams = StreamOptions(udp_session_limit=200, udp_idle_s=0.2)
        async with gateway(streams=streams) as gate, datagrams(echo) as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            process = psutil.Process()
            before = process.num_fds()
            async with datagrams(to_port=front) as steady:
                for number in range(3000):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
                        source.sendto(b"flood", ("127.0.0.1", front))
                    if number % 50 == 0:
                        steady.transport.sendto(b"%d" % number)
                        assert await steady.next() == b"<%d>" % number
                        assert process.num_fds() - before <= 210
                assert metric(gate, SESSIONS) >= 2000
            await eventually(lambda: process.num_fds() <= before + 1)
            await eventually(lambda: metric(gate, SESSIONS.replace("sessions_total", "sessions_open")) == 0)

    run(test)


def test_only_the_endpoint_may_answer() -> None:
    """What arrives at a session's socket from any other address never reaches the client."""

    async def test() -> None:
        async with gateway() as gate, datagrams() as server, datagrams() as stranger:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"question")
                _, session = await asyncio.wait_for(server.queue.get(), 30)
                for _ in range(20):
                    stranger.transport.sendto(b"forged", session)
                server.transport.sendto(b"true", session)
                assert await client.next() == b"true"
                assert client.queue.empty()

    run(test)


def test_nothing_is_sent_to_a_client_that_did_not_ask() -> None:
    """No amplification of our own: one answer per answer, none without a question, and none from a closed port."""

    async def test() -> None:
        async with gateway() as gate:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(free_udp_port()))
            async with datagrams(to_port=front) as client:
                for _ in range(50):
                    client.transport.sendto(b"?")
                await eventually(lambda: any("refused" in str(report) for report in gate.reports))
                assert client.queue.empty()

    run(test)


@pytest.mark.parametrize("size", [0, 1, 65507])
def test_datagrams_of_every_size_pass_whole(size: int) -> None:
    """Plain sockets on both sides: an event loop's transports leave empty datagrams out."""

    def socket_on_loopback() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.settimeout(30)
        return made

    async def test() -> None:
        async with gateway() as gate:
            with socket_on_loopback() as server, socket_on_loopback() as client:
                front = free_udp_port()
                await gate.apply([udp(front, "c")], at(server.getsockname()[1]))
                payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
                client.sendto(payload, ("127.0.0.1", front))
                received, session = await asyncio.to_thread(server.recvfrom, 65535)
                assert received == payload
                server.sendto(payload, session)
                assert await asyncio.to_thread(client.recv, 65535) == payload

    run(test)


def test_a_backend_that_comes_and_goes_is_found_again(tmp_path: Path) -> None:
    """ICMP tells that nobody listens; the session ends, the next one is tried anew, and nothing stays open."""

    async def test() -> None:
        log = tmp_path / "log"
        async with gateway(str(log)) as gate, AsyncExitStack() as stack:
            front, back = free_udp_port(), free_udp_port()
            await gate.apply([udp(front, "c")], at(back))
            client = await stack.enter_async_context(datagrams(to_port=front))
            client.transport.sendto(b"lost")
            await eventually(lambda: "connect_failed" in log.read_text())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.bind(("127.0.0.1", back))
                server.setblocking(False)
                client.transport.sendto(b"found")
                assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(server, 100), 30) == b"found"
        reasons = [json.loads(line)["reason"] for line in log.read_text().splitlines()]
        assert reasons == ["connect_failed", "shutdown"]

    run(test)


def test_bytes_are_counted_both_ways_by_route() -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(lambda data: data * 3) as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            async with datagrams(to_port=front) as client:
                for _ in range(5):
                    client.transport.sendto(b"1234")
                    await client.next()
            series = 'gatehouse_stream_bytes_total{direction="%s",protocol="UDP",route="default/route"}'
            assert metric(gate, series % "from_client") == 20
            assert metric(gate, series % "to_client") == 60

    run(test)
