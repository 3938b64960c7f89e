"""Flow control from end to end: whoever is slow slows its sender, within bounds, and nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.http.plan import Plan
from proxy.options import HttpTimeouts, ProxyOptions
from tests.proxy.http import stage as stages
from tests.proxy.http.h2_client import H2Client
from tests.proxy.http.stage import Stage, answering, forward, read_head, staged

OK = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi"
OPTIONS = ProxyOptions(access_log="off")
MANY_BYTES = 32 * 1024 * 1024
HELD_LIMIT_BYTES = 16 * 1024 * 1024
"""More than the kernel's buffers of two connections and the gateway's own; less than what is sent."""


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs on both: their transports differ in when they call back."""
    monkeypatch.setitem(stages.LOOPS, "default", stages.LOOPS[request.param])


@pytest.fixture(autouse=True, params=["passage", "general"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by both ways that a request may take: nothing tells from outside which it was."""
    if request.param == "general":
        monkeypatch.setattr(Plan, "_direct", lambda plan: None)


class Source:
    """A backend whose answer to /big is long; it counts what was taken of it."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.stuck = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            if b"/big" not in await read_head(reader):
                writer.write(OK)
                continue
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY_BYTES)
            piece = bytes(65536)
            try:
                while self.sent_bytes < MANY_BYTES:
                    writer.write(piece)
                    self.sent_bytes += len(piece)
                    drained = asyncio.ensure_future(writer.drain())
                    await asyncio.wait([drained], timeout=0.3)
                    if not drained.done():
                        self.stuck.set()
                    await drained
            except ConnectionError:
                self.gone.set()
                raise


def test_a_client_that_takes_nothing_holds_its_backend_up_and_no_other_stream() -> None:
    source = Source()

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        client.hold = True
        big = client.send("/big")
        await source.stuck.wait()
        assert len(client.answers[big].body) <= 65535 and source.sent_bytes < HELD_LIMIT_BYTES
        client.h2.increment_flow_control_window(1 << 20)  # of the connection: the others go on
        for _ in range(20):
            assert (await client.ask()).body == b"hi"
        client.hold = False
        client.take(big, len(client.answers[big].body))
        assert len((await client.answer(big)).body) == MANY_BYTES
        await client.close()

    staged(test, source)


def test_a_client_that_does_not_read_holds_all_its_backends_up_within_bounds() -> None:
    source = Source()

    async def test(stage: Stage) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.number, limit=1024)
        client = H2Client(reader, writer, INITIAL_WINDOW_SIZE=2**31 - 1)
        client.h2.increment_flow_control_window(2**31 - 1 - 65535)
        client.flush()
        big = client.send("/big")
        await client.until(lambda: client.answers[big].fields)
        client._task.cancel()  # windows are wide open, but nothing is read
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await source.stuck.wait()
        assert source.sent_bytes < HELD_LIMIT_BYTES * 2
        writer.transport.abort()
        await source.gone.wait()

    staged(test, source)


def test_a_backend_that_takes_nothing_holds_its_client_up_and_no_other_stream() -> None:
    release = asyncio.Event()
    taken = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        while not reader.at_eof():
            if b"/up" not in await read_head(reader):
                writer.write(OK)
                continue
            await release.wait()
            while taken < MANY_BYTES:
                taken += len(await reader.read(1 << 20))
            writer.write(OK)

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        up = client.send("/up", "POST", [("content-length", str(MANY_BYTES))], end=False)
        sending = asyncio.ensure_future(client.upload(up, MANY_BYTES))
        before = -1
        while before < client.uploaded_bytes:  # window that was given back comes before the answers of others
            before = client.uploaded_bytes
            for _ in range(20):
                assert (await client.ask()).body == b"hi"
        assert client.uploaded_bytes < HELD_LIMIT_BYTES
        release.set()
        await sending
        assert (await client.answer(up)).body == b"hi" and taken == MANY_BYTES
        await client.close()

    staged(test, handler)


def test_an_upload_whose_backend_is_not_connected_yet_takes_one_window() -> None:
    async def test(stage: Stage) -> None:
        connecting = asyncio.Event()

        class Slow:
            peers = stage.registry.upstreams["c"].peers
            connect_timeout_s = 1.0

            def pick(self, avoid: object = ()) -> object:
                return self.peers[0] if connecting.is_set() else None

            async def resolved(self) -> None:
                await connecting.wait()

        stage.registry.upstreams["c"] = Slow()  # type: ignore[assignment]
        client = await H2Client.connect(stage.number)
        up = client.send("/up", "POST", [("content-length", str(1 << 20))], end=False)
        sending = asyncio.ensure_future(client.upload(up, 1 << 20))
        assert (await client.ask("/else")).status == 404  # by then it was offered all that the window allows
        assert client.uploaded_bytes == 65535
        connecting.set()
        await sending
        assert (await client.answer(up)).body == b"hi"
        await client.close()

    staged(test, answering(OK), [forward("/up")])


def test_a_client_that_takes_nothing_for_long_loses_its_stream() -> None:
    source = Source()
    options = replace(OPTIONS, timeouts=HttpTimeouts(client_idle_s=0.2))

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number)
        client.hold = True
        answer = await client.answer(client.send("/big"))
        assert (answer.status, answer.ended, answer.reset) == (200, False, 2)
        await source.gone.wait()
        await client.close()

    staged(test, source, options=options)


def test_the_end_of_an_answer_waits_for_the_client_but_not_for_ever() -> None:
    options = replace(OPTIONS, timeouts=HttpTimeouts(client_idle_s=0.2))
    body = b"x" * 40000

    async def test(stage: Stage) -> None:
        client = await H2Client.connect(stage.number, INITIAL_WINDOW_SIZE=100)
        client.hold = True
        answer = await client.answer(client.send())
        assert (len(answer.body), answer.ended, answer.reset) == (100, False, 8)
        await client.close()

    staged(test, answering(b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 40000\r\n\r\n" + body), options=options)
