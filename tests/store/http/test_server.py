"""The listening socket: certificates, limits on heads, renewal under load, and a stop that ends watches."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from certs.authority import Authority
from certs.contexts import client_context, server_context
from store.http import server as server_module
from store.http.server import ApiServer

DEADLINE_S = 30.0


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the common name of the client's certificate."""
    certificate = scope["state"]["client_certificate"]
    subject = certificate["subject"] if certificate else ()
    body = "".join(value for part in subject for key, value in part if key == "commonName").encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _hang(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams until the server closes, as a watch does."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await scope["state"]["closing"].wait()
    await send({"type": "http.response.body", "body": b"ended"})


def _serving(
    folder: Path, app: ASGIApp, test: Callable[[ApiServer, Authority], Awaitable[None]], drain_timeout_s: int = 5
) -> None:
    async def run() -> None:
        authority = Authority.open(folder)
        server = ApiServer(app, _context(authority), "127.0.0.1", 0, drain_timeout_s)
        await server.start()
        try:
            await test(server, authority)
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))


def _context(authority: Authority) -> ssl.SSLContext:
    context = server_context(authority.issue_server(("127.0.0.1",)))
    context.load_verify_locations(cadata=authority.ca_pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def _connect(
    server: ApiServer, authority: Authority, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = context or client_context(authority.ca_pem)
    return await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="127.0.0.1")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    return head, await reader.readexactly(length)


def test_a_client_certificate_reaches_the_application(tmp_path: Path) -> None:
    async def test(server: ApiServer, authority: Authority) -> None:
        bundle = authority.issue_client("alice", ("team",))
        file = tmp_path / "client.pem"
        file.write_bytes(bundle.certificate_pem + bundle.key_pem)
        context = client_context(authority.ca_pem)
        context.load_cert_chain(file)
        reader, writer = await _connect(server, authority, context)
        head, body = await _ask(reader, writer)
        assert body == b"alice"
        assert b"server:" not in head.lower()
        writer.close()
        reader, writer = await _connect(server, authority)
        assert (await _ask(reader, writer))[1] == b""
        writer.close()

    _serving(tmp_path, _echo, test)


def test_a_renewed_certificate_disturbs_nobody(tmp_path: Path) -> None:
    async def test(server: ApiServer, authority: Authority) -> None:
        old = await _connect(server, authority)
        before = old[1].get_extra_info("ssl_object").getpeercert(True)
        for _ in range(5):
            renewal = asyncio.create_task(server.renew(_context(authority)))
            fresh = await asyncio.gather(*(_connect(server, authority) for _ in range(5)))
            await renewal
            for connection in fresh:
                assert b"200 OK" in (await _ask(*connection))[0]
                connection[1].close()
        new = await _connect(server, authority)
        assert new[1].get_extra_info("ssl_object").getpeercert(True) != before
        assert b"200 OK" in (await _ask(*old))[0], "the connection from before is still served"
        old[1].close()
        new[1].close()

    _serving(tmp_path, _echo, test)


def test_a_stop_ends_streams_and_refuses_newcomers(tmp_path: Path) -> None:
    async def test(server: ApiServer, authority: Authority) -> None:
        port = server.port
        reader, writer = await _connect(server, authority)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"begun")
        await server.stop()
        assert (await reader.read()).endswith(b"ended\r\n0\r\n\r\n")
        writer.close()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    _serving(tmp_path, _hang, test)


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_heads_that_are_too_long_or_nonsense_are_refused(tmp_path: Path, request_head: bytes) -> None:
    async def test(server: ApiServer, authority: Authority) -> None:
        reader, writer = await _connect(server, authority)
        writer.write(request_head)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()

    _serving(tmp_path, _echo, test)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_a_head_that_does_not_arrive_closes_the_connection(
    tmp_path: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "HEAD_TIMEOUT_S", 0.05)

    async def test(server: ApiServer, authority: Authority) -> None:
        reader, writer = await _connect(server, authority)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()

    _serving(tmp_path, _echo, test)


def test_a_taken_port_is_an_error_to_whoever_starts(tmp_path: Path) -> None:
    async def test(server: ApiServer, authority: Authority) -> None:
        second = ApiServer(_echo, _context(authority), "127.0.0.1", server.port)
        with pytest.raises(OSError, match="in use"):
            await second.start()

    _serving(tmp_path, _echo, test)
