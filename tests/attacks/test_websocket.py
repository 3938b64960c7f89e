"""WebSocket through the gateway and directly: both ends see the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.proxy.gateway import at, free_port, gateway, http, run

Talk = Callable[[ClientConnection], Awaitable[object]]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "close 4321":
            await connection.close(4321, "as asked")
            return
        await connection.send(message)


async def one(client: ClientConnection, message: str | bytes) -> object:
    await client.send(message)
    return await client.recv()


async def fragments(client: ClientConnection) -> object:
    await client.send(["frag", "", "ments", "é" * 1000])
    return await client.recv()


async def pings(client: ClientConnection) -> object:
    for number in range(20):
        await (await client.ping(b"%d" % number))
    return "pong"


async def closed(client: ClientConnection, say: str) -> object:
    await client.send(say)
    try:
        while True:
            await client.recv()
    except ConnectionClosed as end:
        return end.rcvd and (end.rcvd.code, end.rcvd.reason)


async def many(client: ClientConnection) -> object:
    """A thousand on their way at once."""
    sending = asyncio.ensure_future(asyncio.gather(*(client.send(f"{number}") for number in range(1000))))
    received = [await client.recv() for _ in range(1000)]
    await sending
    return received


async def settled(client: ClientConnection) -> object:
    """What the handshake agreed on."""
    assert client.response is not None
    names = ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Upgrade")
    return client.protocol.extensions and [client.response.headers.get(name, "").lower() for name in names]


CASES: dict[str, Talk] = {
    "text": lambda client: one(client, "hello"),
    "empty": lambda client: one(client, ""),
    "bytes": lambda client: one(client, bytes(range(256))),
    "125, 126 and 65536 bytes": lambda client: one(client, b"x" * 125 + b"y" * 126 + b"z" * 65536),
    "16 MiB": lambda client: one(client, b"\xa5\x5a" * (8 << 20)),
    "fragments": fragments,
    "pings": pings,
    "a close with a code": lambda client: closed(client, "close 4321"),
    "many": many,
    "permessage-deflate and a subprotocol": settled,
}


@pytest.mark.parametrize("deflate", ["deflate", None])
@pytest.mark.parametrize("talk", CASES.values(), ids=CASES)
def test_through_the_gateway_is_as_without(talk: Talk, deflate: str | None) -> None:
    async def test() -> None:
        options = {"max_size": None, "compression": deflate, "subprotocols": ["chat"]}
        async with serve(echo, "127.0.0.1", 0, **options) as server, gateway() as gate:  # type: ignore[arg-type]
            (listening,) = server.sockets
            direct, front = listening.getsockname()[1], free_port()
            await gate.apply([http(front, "c")], at(direct))
            seen = []
            for port in (direct, front):
                async with connect(f"ws://127.0.0.1:{port}/", **options) as client:  # type: ignore[arg-type]
                    seen.append(await talk(client))
            assert seen[0] == seen[1]

    run(test)
