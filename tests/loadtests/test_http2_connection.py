"""The client of locust's HTTP/2 users, against a server made of the `h2` package."""

from __future__ import annotations

import socket

import pytest

from loadtests.compare.work import PAGE
from loadtests.users.http2_connection import Http2Connection, Http2Error
from tests.loadtests.referees import serving


def test_one_request_after_the_other_gets_its_own_answer() -> None:
    with serving() as (port, server):
        connection = Http2Connection(f"http://127.0.0.1:{port}/", "bench.local")
        pages = [connection.request("GET", path, [("x-a", "b")]) for path in ("/1", "/2")]
        connection.close()
    assert [page.body.decode() for page in pages] == [f"{PAGE} /1\n", f"{PAGE} /2\n"]
    assert {page.status for page in pages} == {200}
    assert server.requests[1][b":authority"] == b"bench.local"
    assert server.requests[1][b"x-a"] == b"b"


def test_a_call_gets_its_message_and_its_trailers() -> None:
    with serving() as (port, _):
        connection = Http2Connection(f"http://127.0.0.1:{port}/")
        answer = connection.request("POST", "/echo.Echo/Echo", [("content-type", "application/grpc")], b"\0\0\0\0\1a")
        connection.close()
    assert (answer.body, answer.trailers) == (b"\0\0\0\0\1a", {"grpc-status": "0"})


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_who_does_not_speak_http2_is_an_error(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connection = Http2Connection(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        peer, _ = listening.accept()
        with peer:
            peer.sendall(said)
            peer.shutdown(socket.SHUT_WR)
            with pytest.raises(Http2Error):
                connection.request("GET", "/")
    connection.close()
