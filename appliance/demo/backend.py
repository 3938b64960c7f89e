"""The demo's backend: HTTP, WebSocket, TLS, TCP and UDP on free loopback ports, each answering with what it got."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_BODY_LIMIT_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the backend listens on 127.0.0.1."""

    http: int
    tls: int
    tcp: int
    udp: int


class EchoBackend:
    """A backend on a thread of its own, for as long as the `with` block lasts."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._started: concurrent.futures.Future[Ports] = concurrent.futures.Future()
        self._stop: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="demo-backend", daemon=True)

    @property
    def ports(self) -> Ports:
        """Where it listens; waits for it. Raises what kept it from listening."""
        return self._started.result(timeout=10)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set_result(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            http = await stack.enter_async_context(_web(None))
            tls = await stack.enter_async_context(_web(self._tls))
            tcp = await stack.enter_async_context(await asyncio.start_server(_echo_stream, "127.0.0.1", 0))
            transport, _ = await loop.create_datagram_endpoint(_EchoDatagrams, ("127.0.0.1", 0))
            stack.callback(transport.close)
            udp_port: int = transport.get_extra_info("sockname")[1]
            self._started.set_result(Ports(http, tls, tcp.sockets[0].getsockname()[1], udp_port))
            await asyncio.wrap_future(self._stop)


@contextlib.asynccontextmanager
async def _web(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """HTTP and WebSocket on one free port, which is given."""
    routes = [
        WebSocketRoute("/{path:path}", _echo_messages),
        Route("/{path:path}", _echo_request, methods=_METHODS),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes), ws="websockets-sansio", lifespan="off", log_config=None, access_log=False
    )
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # asyncio leaves out accepted connections of a socket that was given to it; head and body would wait for an ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def _echo_request(request: Request) -> JSONResponse:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_LIMIT_BYTES:
                return JSONResponse({"error": f"this echo takes at most {_BODY_LIMIT_BYTES} bytes"}, 413)
    except ClientDisconnect:
        return JSONResponse({"error": "the request broke off"}, 400)  # nobody is there to read it
    seen = {"method": request.method, "path": str(request.url.path), "headers": dict(request.headers)}
    return JSONResponse(seen | {"body": body.decode(errors="replace")})


async def _echo_messages(connection: WebSocket) -> None:
    await connection.accept()
    with contextlib.suppress(WebSocketDisconnect):  # the client is gone before its echo
        while True:
            message = await connection.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (text := message.get("text")) is not None:
                await connection.send_text(text)
            else:
                await connection.send_bytes(message["bytes"])


async def _echo_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):  # a client that leaves early is no news
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


class _EchoDatagrams(asyncio.DatagramProtocol):
    _transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # as asyncio documents it; its class says less

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)
