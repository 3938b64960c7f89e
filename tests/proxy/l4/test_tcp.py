"""TCP relays through a real proxy: both directions, both ends, both ways of moving bytes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import struct
from collections import Counter
from pathlib import Path

import pytest

from proxy.options import StreamOptions
from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.listeners import Bind, BindKey, TcpListener
from proxy.snapshot.report import EndpointReport
from proxy.snapshot.routes import Forward, Refusal, WeightedBackend
from tests.proxy.gateway import ask, at, backend, echo, eventually, free_port, gateway, run, says, tcp

MOVING = [StreamOptions(), StreamOptions(pipe_limit=0)]
WAYS = pytest.mark.parametrize("streams", MOVING, ids=["spliced", "copied"])


@WAYS
@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_everything_arrives_and_both_ends_are_passed_on(streams: StreamOptions, size: int) -> None:
    data = random.Random(size).randbytes(size)

    async def test() -> None:
        async with gateway(streams=streams) as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            answers = await asyncio.gather(*(ask(front, data) for _ in range(4)))
            assert {hashlib.sha256(answer).digest() for answer in answers} == {hashlib.sha256(data).digest()}

    run(test)


@WAYS
def test_the_server_may_speak_first_and_end_first(streams: StreamOptions) -> None:
    got = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready")
        writer.write_eof()
        got.extend(await reader.read(-1))

    async def test() -> None:
        async with gateway(streams=streams) as gate, backend(talk) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            assert await reader.read(-1) == b"220 ready"
            writer.write(b"still sending")
            writer.write_eof()
            await eventually(lambda: bytes(got) == b"still sending")
            writer.close()

    run(test)


@WAYS
def test_a_side_that_does_not_read_stops_the_other(streams: StreamOptions) -> None:
    sent = 0
    go = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        total = 0
        while data := await reader.read(1 << 16):
            total += len(data)
        writer.write(b"%d" % total)
        await writer.drain()

    async def test() -> None:
        nonlocal sent
        async with gateway(streams=streams) as gate, backend(talk) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            loop = asyncio.get_running_loop()
            client = socket.create_connection(("127.0.0.1", front))
            client.setblocking(False)
            quiet = 0
            while quiet < 10:  # until nothing is taken any more
                try:
                    sent += client.send(bytes(1 << 16))
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    await asyncio.sleep(0.02)
            assert sent < 64 << 20
            go.set()
            client.shutdown(socket.SHUT_WR)
            assert await asyncio.wait_for(loop.sock_recv(client, 100), 30) == b"%d" % sent
            client.close()

    run(test)


def test_a_reset_of_one_side_resets_the_other() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read(1) == b"x"
        begun.set()
        try:
            await reader.read(-1)
        except ConnectionResetError:
            ended.set()

    async def test() -> None:
        async with gateway() as gate, backend(talk) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            _, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"x")
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.wait_for(begun.wait(), 30)
            writer.transport.abort()
            await asyncio.wait_for(ended.wait(), 30)

    run(test)


def test_a_refusing_endpoint_is_left_out_and_another_is_tried() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"here")) as port:
            front, dead = free_port(), free_port()
            await gate.apply([tcp(front, "c")], at(dead, port))
            assert [await ask(front) for _ in range(4)] == [b"here"] * 4
            down = [report for report in gate.reports if isinstance(report, EndpointReport)]
            assert [(report.address, report.state) for report in down] == [(f"127.0.0.1:{dead}", "down")]

    run(test)


def nowhere(front: int) -> list[tuple[Bind, dict[str, Cluster], str]]:
    key = BindKey("127.0.0.1", front, "tcp")
    refused = Forward("default/route", "0", (WeightedBackend(1, Refusal(500, "backend_not_found")),))
    return [
        (Bind(key, (TcpListener("l", None),)), {}, "route_not_found"),
        (Bind(key, (TcpListener("l", Forward("r", "0", ())),)), {}, "no_backend"),
        (Bind(key, (TcpListener("l", refused),)), {}, "backend_not_found"),
        (tcp(front, "c"), {}, "no_endpoint"),
        (tcp(front, "c"), {"c": Cluster("c", "tcp", ())}, "no_endpoint"),
        (tcp(front, "c"), at(free_port()), "connect_failed"),
    ]


@pytest.mark.parametrize("case", range(6))
def test_a_connection_that_leads_nowhere_is_reset_and_logged(case: int, tmp_path: Path) -> None:
    async def test() -> None:
        front = free_port()
        bind, clusters, reason = nowhere(front)[case]
        async with gateway(str(tmp_path / "log")) as gate:
            await gate.apply([bind], clusters)
            with pytest.raises(ConnectionResetError):
                await ask(front, b"x")
        line = json.loads((tmp_path / "log").read_text())
        assert (line["reason"], line["termination"], line["protocol"]) == (reason, "gateway", "TCP")

    run(test)


def test_weights_choose_clusters_for_each_connection() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"a")) as a, backend(says(b"b")) as b:
            front = free_port()
            await gate.apply([tcp(front, (3, "a"), (1, "b"))], at(a, name="a") | at(b, name="b"))
            answers = Counter([await ask(front) for _ in range(8)])
            assert answers == {b"a": 6, b"b": 2}

    run(test)


def test_a_unix_socket_is_a_backend(tmp_path: Path) -> None:
    async def test() -> None:
        path = str(tmp_path / "s")
        async with gateway() as gate, backend(echo, path=path):
            front = free_port()
            await gate.apply([tcp(front, "c")], {"c": Cluster("c", "tcp", (Endpoint("unix", path, 0),))})
            assert await ask(front, b"hello") == b"hello"

    run(test)


def test_an_idle_relay_is_closed_and_an_active_one_is_not(tmp_path: Path) -> None:
    async def test() -> None:
        streams = StreamOptions(tcp_idle_s=0.3)
        async with gateway(str(tmp_path / "log"), streams) as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            idle, idle_writer = await asyncio.open_connection("127.0.0.1", front)
            busy, busy_writer = await asyncio.open_connection("127.0.0.1", front)
            over = asyncio.create_task(idle.read(-1))
            while not over.done():
                busy_writer.write(b"x")
                assert await busy.read(1) == b"x"
                await asyncio.sleep(0.02)
            with pytest.raises(ConnectionResetError):
                await over
            idle_writer.close()
            busy_writer.close()

    run(test)


def test_clients_over_the_limit_wait_their_turn() -> None:
    async def test() -> None:
        async with gateway(streams=StreamOptions(tcp_connection_limit=2)) as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            answers = await asyncio.gather(*(ask(front, b"%d" % number) for number in range(12)))
            assert answers == [b"%d" % number for number in range(12)]

    run(test)


def test_the_log_line_of_a_connection(tmp_path: Path) -> None:
    async def test() -> None:
        async with gateway(str(tmp_path / "log")) as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            await ask(front, b"12345")
            expected = f"127.0.0.1:{port}"
        line = json.loads((tmp_path / "log").read_text())
        assert (line["reason"], line["termination"], line["endpoint"]) == ("ok", "complete", expected)
        assert (line["request_bytes"], line["response_bytes"]) == (5, 5)
        assert (line["route"], line["listener"]) == ("default/route", "default/gw/tcp")
        assert line["client"].startswith("127.0.0.1:")

    run(test)
