"""A backend that speaks every version of HTTP that clients do, and WebSocket over each: echoes what it is sent.

Plain: HTTP/1.1, and HTTP/2 for clients with prior knowledge. TLS: what ALPN agrees on.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.scenarios.certificates import Pair

STARTED_WITHIN_S = 20


@contextmanager
def every_version(folder: Path, tls: Pair | None = None) -> Iterator[int]:
    """Serve on a free loopback port, which is given. folder: for certificate and key, when there are some.

    Every answer has the request's body, and in X-Version the version of HTTP in which the backend was asked.
    """
    config = _BoundConfig()
    config.bind, config.accesslog, config.errorlog = ["127.0.0.1:0"], None, None
    config.websocket_max_message_size = 1 << 24
    if tls is not None:
        config.certfile, config.keyfile = map(str, tls.write(folder, "every-version"))
    stop: concurrent.futures.Future[None] = concurrent.futures.Future()

    async def run() -> None:
        await serve(_APP, config, shutdown_trigger=lambda: asyncio.wrap_future(stop))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield config.port.result(STARTED_WITHIN_S)
    finally:
        stop.set_result(None)
        thread.join()


class _BoundConfig(Config):
    """Tells which port it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.port: concurrent.futures.Future[int] = concurrent.futures.Future()

    def create_sockets(self) -> Sockets:
        sockets = super().create_sockets()
        self.port.set_result((sockets.secure_sockets or sockets.insecure_sockets)[0].getsockname()[1])
        return sockets


async def _echo(request: Request) -> Response:
    return Response(await request.body(), headers={"X-Version": request.scope["http_version"]})


async def _echo_messages(connection: WebSocket) -> None:
    await connection.accept()
    while True:
        message: dict[str, Any] = dict(await connection.receive())
        if message["type"] == "websocket.disconnect":
            return
        if (text := message.get("text")) is not None:
            await connection.send_text(text)
        else:
            await connection.send_bytes(message["bytes"])


_APP: Any = Starlette(routes=[WebSocketRoute("/chat", _echo_messages), Route("/echo", _echo, methods=["GET", "POST"])])
