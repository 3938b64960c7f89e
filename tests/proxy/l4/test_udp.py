"""UDP sessions through a real proxy."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from proxy.options import StreamOptions
from proxy.snapshot.clusters import Cluster, Endpoint
from tests.proxy.gateway import at, datagrams, eventually, free_port, gateway, port_of, run, udp


def free_udp_port() -> int:
    return free_port(socket.SOCK_DGRAM)


def echo(data: bytes) -> bytes:
    return b"<" + data + b">"


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_every_client_gets_its_own_answers_from_its_first_datagram_on(address: str) -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server, AsyncExitStack() as stack:
            front = free_udp_port()
            await gate.apply([udp(front, "c", address=address)], at(port_of(server)))
            clients = [await stack.enter_async_context(datagrams(to_port=front)) for _ in range(5)]
            for number, client in enumerate(clients):
                for part in range(3):
                    client.transport.sendto(b"%d.%d" % (number, part))
            for number, client in enumerate(clients):
                assert [await client.next() for _ in range(3)] == [b"<%d.%d>" % (number, part) for part in range(3)]

    run(test)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.77", pytest.param("::1", marks=pytest.mark.needs("IPv6"))])
def test_answers_come_from_the_address_that_was_written_to(host: str) -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c", address="")], at(port_of(server)))
            async with datagrams(to_port=front, host=host) as client:  # connected: other sources are not heard
                client.transport.sendto(b"x")
                assert await client.next() == b"<x>"

    run(test)


@pytest.mark.parametrize("size", [0, 1, 1472, 60000])
def test_datagrams_keep_their_size(size: int) -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(lambda data: data) as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            async with datagrams(to_port=front) as client:
                client.transport.sendto(bytes(size) or b"")
                client.transport.sendto(b"end")
                answers = [await client.next()]
                while answers[-1] != b"end":
                    answers.append(await client.next())
                assert bytes(size) in answers or size == 0

    run(test)


def test_a_refusing_endpoint_is_left_out_for_the_next_datagram() -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server:
            front, dead = free_udp_port(), free_udp_port()
            clusters = {
                "c": Cluster(
                    "c",
                    "udp",
                    (
                        Endpoint("ip", "127.0.0.1", dead, 100),
                        Endpoint("ip", "127.0.0.1", port_of(server)),
                    ),
                )
            }
            await gate.apply([udp(front, "c")], clusters)
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"lost")
                await eventually(lambda: any("Connection refused" in str(report) for report in gate.reports))
                client.transport.sendto(b"x")
                assert await client.next() == b"<x>"

    run(test)


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_bursts_come_whole_and_in_order(address: str) -> None:
    """Of several clients, in sizes of which some can leave in runs."""

    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server, AsyncExitStack() as stack:
            front = free_udp_port()
            await gate.apply([udp(front, "c", address=address)], at(port_of(server)))
            clients = [await stack.enter_async_context(datagrams(to_port=front)) for _ in range(3)]
            for burst in range(5):
                sent = [b"%d/%d/" % (burst, part) + bytes(size) for part, size in enumerate([50] * 20 + [1500, 7, 7])]
                for client in clients:
                    for datagram in sent:
                        client.transport.sendto(datagram)
                for client in clients:
                    assert [await client.next() for _ in sent] == [echo(datagram) for datagram in sent]

    run(test)


def test_of_a_burst_to_a_refusing_endpoint_the_rest_goes_to_another() -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server:
            front, dead = free_udp_port(), free_udp_port()
            endpoints = (Endpoint("ip", "127.0.0.1", dead, 100), Endpoint("ip", "127.0.0.1", port_of(server)))
            await gate.apply([udp(front, "c")], {"c": Cluster("c", "udp", endpoints)})
            async with datagrams(to_port=front) as client:
                for number in range(10):
                    client.transport.sendto(b"%d" % number)
                answers = [await client.next()]
                while answers[-1] != b"<9>":
                    answers.append(await client.next())
                assert (
                    len(answers) >= 8
                )  # what is lost: one that was refused, and one that was sent before that was told
                assert answers == [b"<%d>" % number for number in range(10 - len(answers), 10)]

    run(test)


def test_idle_sessions_end_and_begin_again(tmp_path: Path) -> None:
    async def test() -> None:
        log = tmp_path / "log"
        async with (
            gateway(str(log), StreamOptions(udp_idle_s=0.1)) as gate,
            datagrams(echo) as server,
        ):
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"x")
                await client.next()
                await eventually(lambda: log.read_text().count("\n") == 1)
                client.transport.sendto(b"yz")
                await client.next()
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [(line["reason"], line["request_bytes"], line["response_bytes"]) for line in lines] == [
            ("ok", 1, 3),
            ("shutdown", 2, 4),
        ]

    run(test)


def test_at_the_limit_the_session_that_was_idle_longest_makes_room(tmp_path: Path) -> None:
    async def test() -> None:
        log = tmp_path / "log"
        async with (
            gateway(str(log), StreamOptions(udp_session_limit=4)) as gate,
            datagrams(echo) as server,
            AsyncExitStack() as stack,
        ):
            front = free_udp_port()
            await gate.apply([udp(front, "c")], at(port_of(server)))
            for number in range(20):
                client = await stack.enter_async_context(datagrams(to_port=front))
                client.transport.sendto(b"%d" % number)
                assert await client.next() == b"<%d>" % number
            await eventually(lambda: log.read_text().count("overloaded") == 16)

    run(test)


def test_sessions_of_a_route_that_changed_go_to_the_new_backend() -> None:
    async def test() -> None:
        async with (
            gateway() as gate,
            datagrams(lambda data: b"old") as old,
            datagrams(lambda data: b"new") as new,
        ):
            front = free_udp_port()
            clusters = at(port_of(old), name="old") | at(port_of(new), name="new")
            await gate.apply([udp(front, "old")], clusters)
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"x")
                assert await client.next() == b"old"
                await gate.apply([udp(front, "new")], clusters)
                client.transport.sendto(b"x")
                assert await client.next() == b"new"

    run(test)


def test_without_a_route_datagrams_are_dropped() -> None:
    async def test() -> None:
        async with gateway() as gate, datagrams(echo) as server:
            front = free_udp_port()
            await gate.apply([udp(front, "c")], {})
            async with datagrams(to_port=front) as client:
                client.transport.sendto(b"dropped")
                await asyncio.sleep(0)
                await gate.apply([udp(front, "c")], at(port_of(server)))
                client.transport.sendto(b"x")
                while (answer := await client.next()) != b"<x>":
                    assert answer == b"<dropped>"

    run(test)
