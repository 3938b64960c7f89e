"""The profile: the whole proxy in memory, and the two HTTP/2 ends it is driven by, with the `h2` package as referee."""

from __future__ import annotations

import asyncio
import gc

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, ResponseReceived, StreamEnded, TrailersReceived

from loadtests.profile.__main__ import main, work
from loadtests.profile.calls import TOKEN, Kind, fields, message
from loadtests.profile.drive import Driver
from loadtests.profile.end import WrongAnswerError
from loadtests.profile.gateway import gateway
from loadtests.profile.http1 import BODY, Http1Backend, Http1Client
from loadtests.profile.http2 import Http2Backend, Http2Client
from loadtests.profile.memory import MemoryLoop

ASKED = [(":method", "GET"), (":scheme", "http"), (":path", "/api/x"), (":authority", "a"), ("x-added", "added")]


class Referee:
    """A server made of the `h2` package: answers a GET, echoes gRPC messages. body: what it answers a GET with."""

    def __init__(self, body: bytes = BODY) -> None:
        self.connection = H2Connection(H2Configuration(client_side=False))
        self.connection.initiate_connection()
        self.requests: list[dict[bytes, bytes]] = []
        self._body = body

    def talk(self, client: Http2Client, answers: int) -> None:
        said = client.start()
        while client.done < answers:
            for event in self.connection.receive_data(said):
                self._follow(event)
            said = client.read(self.connection.data_to_send())
            assert said or client.done >= answers

    def _follow(self, event: object) -> None:
        connection = self.connection
        match event:
            case RequestReceived(stream_id=int(stream), headers=list(headers)):
                self.requests.append({bytes(name): bytes(value) for name, value in headers})
                connection.send_headers(stream, [(":status", "200")])
            case DataReceived(stream_id=int(stream), data=bytes(data)) if data:
                connection.send_data(stream, data)
            case StreamEnded(stream_id=int(stream)) if self.requests[-1][b":method"] == b"GET":
                connection.send_data(stream, self._body, end_stream=True)
            case StreamEnded(stream_id=int(stream)):
                connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)


@pytest.mark.parametrize("kind", ["get", "unary", "stream"])
@pytest.mark.parametrize("unique", [False, True])
def test_the_client_speaks_http2_and_checks_what_it_gets(kind: Kind, unique: bool) -> None:
    referee = Referee()
    referee.talk(Http2Client(kind, streams=3, unique=unique), 40)
    if unique and kind == "get":
        assert len({request[b"x-request-id"] for request in referee.requests}) == len(referee.requests)
    if unique and kind == "unary":
        assert len({request[b"traceparent"] for request in referee.requests}) == len(referee.requests)
        assert referee.requests[0][b"authorization"] == TOKEN.encode()


def test_a_wrong_body_is_no_answer() -> None:
    with pytest.raises(WrongAnswerError, match="the body is"):
        Referee(b"another").talk(Http2Client("get", streams=1, unique=True), 1)


def test_the_token_is_never_indexed() -> None:
    never = [field for field in fields("unary", "http", unique=True) if not field.indexable]
    assert [(str(name), str(value)) for name, value in never] == [("authorization", TOKEN)]


def test_the_backend_answers_a_get_and_echoes_messages_before_its_trailers() -> None:
    client, backend = H2Connection(), Http2Backend()
    client.initiate_connection()
    client.send_headers(1, ASKED, end_stream=True)
    client.send_headers(3, ASKED)
    client.send_data(3, message(3) + message(4), end_stream=True)
    wire, events = client.data_to_send(), []
    for at in range(0, len(wire), 7):
        events += client.receive_data(backend.read(wire[at : at + 7]))
    got = {1: b"", 3: b""}
    for event in events:
        if isinstance(event, DataReceived):
            got[event.stream_id] += event.data
    assert got == {1: BODY, 3: message(3) + message(4)}
    assert {event.stream_id for event in events if isinstance(event, StreamEnded)} == {1, 3}
    assert [event.stream_id for event in events if isinstance(event, ResponseReceived)] == [1, 3]
    trailers = [dict(event.headers or ()) for event in events if isinstance(event, TrailersReceived)]
    assert trailers == [{b"grpc-status": b"0", b"grpc-message": b""}]


def test_backends_refuse_what_the_filter_did_not_touch() -> None:
    client = H2Connection()
    client.initiate_connection()
    client.send_headers(1, ASKED[:-1], end_stream=True)
    with pytest.raises(WrongAnswerError, match="filter"):
        Http2Backend().read(client.data_to_send())
    with pytest.raises(WrongAnswerError, match="filter"):
        Http1Backend().read(Http1Client(unique=True).start())


@pytest.mark.parametrize("mode", ["http1", "http2-http1", "http2", "grpc"])
def test_what_is_over_is_freed_without_a_collection(mode: str) -> None:
    """Circles of objects wait for the collector, which holds up everything."""
    loop, ends = MemoryLoop(), work(mode, unique=True, streams=4)

    async def collected() -> int:
        async with gateway(loop, ends.speaks, tls=ends.tls, grpc=ends.grpc):
            driver = Driver(loop, ends.client, ends.backend, 2)
            await driver.run(50)
            gc.collect()
            gc.disable()
            try:
                await driver.run(200)
                return gc.collect()
            finally:
                gc.enable()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(collected()) < 50


@pytest.mark.parametrize("mode", ["http1", "https", "http2-http1", "http2", "http2-tls", "grpc", "grpc-stream"])
def test_the_whole_proxy_runs_in_memory(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([mode, "--answers", "100", "--spells", "1", "--connections", "4", "--functions", "3"]) == 0
    shown = capsys.readouterr().out
    assert ("us/message" if mode == "grpc-stream" else "us/request") in shown
    assert "tottime" in shown
