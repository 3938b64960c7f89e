"""The API's listening socket: uvicorn over TLS inside a running event loop, on whatever thread that loop has.

An ASGI application and an SSL context come in, connections are served until stop. Which certificate to show and what
the application answers are not decided here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_S = 120  # Go clients keep idle connections for 90 s and fail requests that race with our close
HEAD_TIMEOUT_S = 30.0
HEAD_LIMIT_BYTES = 64 * 1024
BACKLOG = 1024
LINGER_S = 1.0


class HeadTooLargeError(Exception):
    """Raised inside the parser, which answers 400 and closes."""


class ApiProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on request heads, and the client's certificate in scope["state"]."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert() if tls is not None else None
        self.app_state = {**self.app_state, "client_certificate": certificate or None}
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        if self._head_timer is None:
            self._expect_head()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_arrived()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT_BYTES:
            raise HeadTooLargeError

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class ApiServer:
    """Serves one application; ssl_context None serves it in plain text. All methods belong to the loop of start()."""

    def __init__(
        self, app: ASGIApp, ssl_context: ssl.SSLContext | None, host: str, port: int, drain_timeout_s: int = 5
    ) -> None:
        config = uvicorn.Config(
            app,
            http=ApiProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=drain_timeout_s,
            backlog=BACKLOG,
        )
        config.load()
        self._config = config
        self._context = ssl_context
        self._host = host
        self._wanted_port = port
        self._closing = asyncio.Event()
        self._uvicorn = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port, also where 0 was asked for. Valid after start()."""
        if self._socket is None:
            raise RuntimeError("the server is not started")
        port: int = self._socket.getsockname()[1]
        return port

    async def start(self) -> None:
        """Bind and serve. Raises OSError where the address cannot be had."""
        infos = await asyncio.get_running_loop().getaddrinfo(self._host, self._wanted_port, type=socket.SOCK_STREAM)
        family, _, _, _, address = infos[0]
        self._socket = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self._config.ssl = self._context
        self._uvicorn.lifespan = self._config.lifespan_class(self._config)
        self._uvicorn.lifespan.state["closing"] = self._closing
        await self._uvicorn.startup([self._socket.dup()])
        self._ticking = asyncio.create_task(self._uvicorn.main_loop())

    async def renew(self, ssl_context: ssl.SSLContext) -> None:
        """New connections get this context; those that are open keep theirs, and none is refused in between."""
        if self._socket is None:
            raise RuntimeError("the server is not started")
        self._config.ssl = ssl_context
        previous = self._uvicorn.servers
        await self._uvicorn.startup([self._socket.dup()])
        for server in previous:
            server.close()

    async def stop(self) -> None:
        """Refuse new connections, end watches, let requests finish within the drain timeout, then cut."""
        if self._socket is None or self._ticking is None:
            return
        self._closing.set()
        self._uvicorn.should_exit = True
        await self._ticking
        self._socket.close()
        ending = asyncio.create_task(self._uvicorn.shutdown())
        while not (await asyncio.wait([ending], timeout=LINGER_S))[0]:
            if not self._uvicorn.server_state.tasks:
                self._cut()
        await ending
        self._cut()
        self._socket = None

    def _cut(self) -> None:
        """Closing TLS waits for the peer's farewell, half a minute if need be; nobody is owed that at the end."""
        for connection in list(self._uvicorn.server_state.connections):
            connection.transport.abort()
