"""The proxy over consecutive snapshots: what is reported, what goes on, what ends."""

from __future__ import annotations

import asyncio
import pickle
import socket
from pathlib import Path

import pytest

from proxy.snapshot.listeners import Bind, BindKey, HttpListener, HttpsListener, TcpListener
from proxy.snapshot.model import Snapshot
from proxy.snapshot.report import Applied, BindReport
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, VirtualHost
from tests.proxy.certificates import bundle, trusting_client
from tests.proxy.gateway import ask, at, backend, bind, echo, eventually, free_port, gateway, http, run, says, tcp

TEAPOT = (VirtualHost("", (HttpRule(HttpMatch(), HttpAction("default/r", "0", refusal=Refusal(418, "teapot"))),)),)
REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"


def test_a_snapshot_pickles_and_stays_the_same() -> None:
    listeners = (HttpsListener("h", "a.test", (bundle("a.test"),), TEAPOT),)
    snapshot = Snapshot(7, (tcp(80, "c"), bind(443, *listeners)), at(1))
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot


def test_applied_comes_after_every_bind_has_told() -> None:
    async def test() -> None:
        async with gateway() as gate:
            ports = [free_port(), free_port()]
            await gate.apply([tcp(port) for port in ports], {})
            assert {report.key.port for report in gate.reports[:2] if isinstance(report, BindReport)} == set(ports)
            assert gate.reports[2:] == [Applied(1)]
            await gate.apply([tcp(port) for port in ports], {})
            told = [report.listening for report in gate.reports[3:-1] if isinstance(report, BindReport)]
            assert told == [True, True]
            assert gate.reports[-1] == Applied(2)

    run(test)


@pytest.mark.needs("IPv6")
def test_every_address_means_both_families() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"hello")) as port:
            front = free_port()
            await gate.apply([tcp(front, "c", address="")], at(port))
            assert await ask(front) == b"hello"
            assert await ask(front, host="127.0.0.3") == b"hello"
            assert await ask(front, host="::1") == b"hello"

    run(test)


def test_a_taken_port_is_told_and_taken_over_when_it_is_free() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"ours")) as port:
            with socket.create_server(("127.0.0.1", 0)) as holder:
                taken = holder.getsockname()[1]
                fine = free_port()
                await gate.apply([tcp(taken, "c"), tcp(fine, "c")], at(port))
                (report,) = gate.bind_reports(taken)
                assert not report.listening
                assert (report.error, report.error_code) == ("Address already in use", "EADDRINUSE")
                assert await ask(fine) == b"ours"
            await eventually(lambda: gate.bind_reports(taken)[-1].listening)
            assert await ask(taken) == b"ours"

    run(test)


def test_an_address_that_is_not_here_is_told() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([tcp(front, address="192.0.2.1")], {})
            (report,) = gate.bind_reports(front)
            assert (report.listening, report.error_code) == (False, "EADDRNOTAVAIL")

    run(test)


def test_a_changed_route_serves_new_connections_and_established_ones_go_on() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(echo) as old, backend(says(b"new")) as new:
            front = free_port()
            await gate.apply([tcp(front, "old")], at(old, name="old"))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"a")
            assert await reader.read(1) == b"a"
            await gate.apply([tcp(front, "new")], at(new, name="new"))
            assert await ask(front) == b"new"
            writer.write(b"b")
            assert await reader.read(1) == b"b"
            writer.close()

    run(test)


def test_a_bind_that_is_gone_refuses_and_its_relays_may_end() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            writer.write(b"a")
            assert await reader.read(1) == b"a"
            await gate.apply([], {})
            with pytest.raises(ConnectionRefusedError):
                await ask(front)
            writer.write(b"b")
            assert await reader.read(1) == b"b"
            with pytest.raises(ConnectionResetError):  # the bound on how long it may go on
                await reader.read(-1)
            writer.close()

    run(test)


def test_a_port_changes_its_kind_and_refuses_nobody() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"raw")) as port:
            front = free_port()
            refused: list[Exception] = []
            done = False

            async def knock() -> None:
                while not done:
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", front)
                        writer.close()
                    except ConnectionRefusedError as error:
                        refused.append(error)

            kinds = [
                tcp(front, "c"),
                bind(front, HttpListener("h", "", TEAPOT)),
                bind(front, HttpsListener("s", "a.test", (bundle("a.test"),), TEAPOT)),
            ]
            await gate.apply(kinds[:1], at(port))
            knocking = asyncio.create_task(knock())
            for kind in kinds[1:] + kinds:
                await gate.apply([kind], at(port))
            done = True
            await knocking
            assert not refused
            client = trusting_client()
            answer = await ask(front, REQUEST, ssl=client, server_hostname="a.test")
            assert answer.startswith(b"HTTP/1.1 418")

    run(test)


def test_a_port_moves_from_every_address_to_one_and_back() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"x")) as port:
            front = free_port()
            for address in ("", "127.0.0.1", ""):
                await gate.apply([tcp(front, "c", address=address)], at(port))
                assert gate.bind_reports(front)[-1].listening, gate.bind_reports(front)[-1]
                assert await ask(front) == b"x"

    run(test)


def test_an_http_port_moves_from_every_address_to_one() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            for address in ("", "127.0.0.1", ""):
                await gate.apply([Bind(BindKey(address, front, "tcp"), (HttpListener("h", "", TEAPOT),))], {})
                assert gate.bind_reports(front)[-1].listening, gate.bind_reports(front)[-1]
                assert (await ask(front, REQUEST)).startswith(b"HTTP/1.1 418")

    run(test)


def test_a_bind_that_cannot_be_compiled_says_so_and_serves_what_it_did() -> None:
    async def test() -> None:
        async with gateway() as gate:
            broken, fine = free_port(), free_port()
            await gate.apply([bind(port, HttpListener("h", "", TEAPOT)) for port in (broken, fine)], {})
            action = HttpAction("default/r", "0", refusal=Refusal(417, "other"))
            other = (VirtualHost("", (HttpRule(HttpMatch(), action),)),)
            regex = (VirtualHost("", (HttpRule(HttpMatch("regex", "("), action),)),)
            await gate.apply([bind(broken, HttpListener("h", "", regex)), bind(fine, HttpListener("h", "", other))], {})
            assert [report.listening for report in gate.bind_reports(broken)] == [True, False]
            assert "fault of the proxy" in gate.bind_reports(broken)[-1].error
            assert gate.bind_reports(fine)[-1].listening
            assert (await ask(broken, REQUEST)).startswith(b"HTTP/1.1 418")
            assert (await ask(fine, REQUEST)).startswith(b"HTTP/1.1 417")
            await gate.apply([bind(port, HttpListener("h", "", other)) for port in (broken, fine)], {})
            assert gate.bind_reports(broken)[-1].listening
            assert (await ask(broken, REQUEST)).startswith(b"HTTP/1.1 417")

    run(test)


def test_the_latest_of_many_snapshots_wins() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(says(b"last")) as port:
            front = free_port()
            loop = asyncio.get_running_loop()

            def bring() -> None:
                for serial in range(1, 51):
                    name = "c" if serial == 50 else "none"
                    gate.proxy.apply(Snapshot(serial, (tcp(front, name),), at(port)))

            await loop.run_in_executor(None, bring)
            await eventually(lambda: Applied(50) in gate.reports)
            assert await ask(front) == b"last"
            serials = [report.serial for report in gate.reports if isinstance(report, Applied)]
            assert serials == sorted(serials)

    run(test)


def test_draining_waits_for_what_goes_on_and_cuts_it_in_the_end() -> None:
    async def test() -> None:
        async with gateway() as gate, backend(echo) as port:
            front = free_port()
            await gate.apply([tcp(front, "c")], at(port))
            quick, quick_writer = await asyncio.open_connection("127.0.0.1", front)
            stuck, stuck_writer = await asyncio.open_connection("127.0.0.1", front)
            for writer in (quick_writer, stuck_writer):
                writer.write(b"a")
            assert await quick.read(1) + await stuck.read(1) == b"aa"
            draining = asyncio.create_task(gate.proxy.drain(0.5))
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await ask(front)
            quick_writer.write(b"b")
            quick_writer.write_eof()
            assert await quick.read(-1) == b"b"
            with pytest.raises(ConnectionResetError):
                await stuck.read(-1)
            await draining
            quick_writer.close()
            stuck_writer.close()

    run(test)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def a_short_life() -> None:
    async with gateway() as gate, backend(echo) as port:
        front = free_port()
        await gate.apply([tcp(front, "c")], at(port))
        await asyncio.gather(*(ask(front, bytes(100_000)) for _ in range(10)))
        await gate.apply([Bind(BindKey("127.0.0.1", front, "tcp"), (TcpListener("l", None),))], {})


def test_connections_that_wait_for_work_end_with_the_gateway() -> None:
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert await reader.read() == b""
        ended.set()

    async def test() -> None:
        async with backend(talk) as port:
            async with gateway() as gate:
                front = free_port()
                await gate.apply([http(front, "c")], at(port))
                assert await ask(front, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert not ended.is_set()
            await asyncio.wait_for(ended.wait(), 30)

    run(test)


def test_nothing_is_left_open() -> None:
    async def test() -> None:
        await a_short_life()  # the event loop and the executor open some of their own at first use
        before = descriptors()
        for _ in range(3):
            await a_short_life()
        await eventually(lambda: descriptors() <= before)

    run(test)
