"""Ending one direction of a connection whose peer is there, or was."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from proxy.half_close import end_sending
from tests.proxy.http.stage import DEADLINE_S, LOOPS


class Server(asyncio.Protocol):
    """made, lost: done when it is so; lost with what connection_lost was told."""

    def __init__(self) -> None:
        self.made: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.set_result(cast(asyncio.Transport, transport))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


def connected(loop: str, test: Callable[[Server, socket.socket], Awaitable[None]]) -> None:
    async def run() -> None:
        made = Server()
        server = await asyncio.get_running_loop().create_server(lambda: made, "127.0.0.1", 0)
        async with asyncio.timeout(DEADLINE_S):
            with socket.create_connection(server.sockets[0].getsockname()) as client:
                await made.made
                await test(made, client)
                client.close()
                await made.lost
        server.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(run())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_peer_reads_what_was_sent_and_the_end(loop: str) -> None:
    async def test(server: Server, client: socket.socket) -> None:
        transport = await server.made
        transport.write(b"the last")
        end_sending(transport)
        with client.makefile("rb") as reader:
            assert await asyncio.to_thread(reader.read) == b"the last"
        assert not transport.is_closing(), "and may go on sending"

    connected(loop, test)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_peer_that_has_reset_the_connection_meanwhile_is_only_lost(loop: str) -> None:
    async def test(server: Server, client: socket.socket) -> None:
        transport = await server.made
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        end_sending(transport)
        await server.lost

    connected(loop, test)
