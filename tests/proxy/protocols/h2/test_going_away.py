"""How connections end: GOAWAY from both sides (RFC 9113 section 6.8), limits of streams, ids that run out."""

from __future__ import annotations

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.settings import MAX_CONCURRENT_STREAMS
from tests.proxy.protocols.h2.recording import ask, client
from tests.proxy.protocols.h2.scripts import (
    OK,
    PLAIN_GET,
    data,
    fields,
    frame,
    goaways,
    greeted,
    headers,
    request,
    resets,
    sent,
)


def test_a_client_is_told_twice() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    connection.go_away(final=False)
    assert goaways(connection.take()) == [(2**31 - 1, Code.NO_ERROR)]
    connection.receive(headers(3, PLAIN_GET))
    connection.go_away(final=True)
    assert goaways(connection.take()) == [(3, Code.NO_ERROR)]
    connection.receive(headers(5, request((b"a", b"b")), ended=False) + data(5, b"x") + wire.window_update(5, 1))
    connection.receive(data(1, b"goes on", ended=True))
    assert list(owner.requests) == [1, 3]
    assert owner.payload_of(1) == b"goes on"
    for stream in owner.streams.values():
        stream.head(OK, True)
    assert owner.events[-1] == ("empty",)
    assert resets(connection.take()) == []


def test_the_table_sees_blocks_of_streams_that_are_ignored() -> None:
    connection, owner = greeted()
    connection.go_away(final=True)
    connection.receive(headers(1, b"\x40\x01a\x01b"))
    assert owner.events == []
    assert connection.decoder.decode(b"\xbe")[0].line == b"a: b"


def test_streams_above_a_servers_last_id_may_be_asked_elsewhere_and_the_others_finish() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    for _ in range(3):
        ask(connection, owner)
    owner.events.clear()
    connection.receive(frame(wire.GOAWAY, 0, 0, bytes((0, 0, 0, 3, 0, 0, 0, 0)) + b"bye"))
    assert owner.events == [("going away", 0), ("lost", 5, Code.REFUSED_STREAM, True)]
    assert not connection.can_open
    connection.receive(headers(1, OK) + headers(3, OK))
    assert len(owner.told("answered")) == 2
    assert owner.events[-1] == ("empty",)


def test_a_refused_stream_may_be_asked_again_and_others_may_not() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    for _ in range(3):
        ask(connection, owner)
    connection.receive(headers(5, OK, ended=False))
    for stream_id, code in ((1, Code.REFUSED_STREAM), (3, Code.INTERNAL_ERROR), (5, Code.REFUSED_STREAM)):
        connection.receive(frame(wire.RST_STREAM, 0, stream_id, code.to_bytes(4, "big")))
    assert [event[1:] for event in owner.told("lost")] == [
        (1, Code.REFUSED_STREAM, True),
        (3, Code.INTERNAL_ERROR, False),
        (5, Code.REFUSED_STREAM, False),  # it had begun to answer
    ]


def test_the_servers_limit_of_streams_is_obeyed() -> None:
    connection, owner = client()
    connection.receive(wire.settings({MAX_CONCURRENT_STREAMS: 2}))
    possible = []
    for _ in range(2):
        ask(connection, owner)
        possible.append(connection.can_open)
    owner.events.clear()
    connection.receive(headers(1, OK))
    assert owner.events[-1] == ("room",)
    possible.append(connection.can_open)
    for limit in (0, 5):
        connection.receive(wire.settings({MAX_CONCURRENT_STREAMS: limit}))
        possible.append(connection.can_open)
    assert possible == [True, False, True, False, True]


def test_a_server_without_a_limit_is_given_ours() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    for _ in range(connection.limits.stream_limit):
        assert connection.can_open
        ask(connection, owner)
    assert not connection.can_open


def test_a_connection_is_left_before_its_ids_run_out() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    connection._next_id = 2**31 - 3
    assert ask(connection, owner).id == 2**31 - 3
    assert connection.can_open
    assert ask(connection, owner).id == 2**31 - 1
    assert not connection.lasting
    assert not connection.can_open


def test_a_lost_transport_loses_every_stream() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    for _ in range(2):
        ask(connection, owner)
    connection.transport_lost()
    assert owner.told("lost") == [("lost", 1, Code.INTERNAL_ERROR, False), ("lost", 3, Code.INTERNAL_ERROR, False)]
    assert connection.failed


def test_closing_says_goaway_and_loses_every_stream() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    connection.close(Code.SETTINGS_TIMEOUT, "too slow")
    assert sent(connection.take())[-1] == (wire.GOAWAY, 0, 0, bytes((0, 0, 0, 1, 0, 0, 0, 4)) + b"too slow")
    assert owner.events[-2:] == [("lost", 1, Code.SETTINGS_TIMEOUT, False), ("failed", Code.SETTINGS_TIMEOUT)]
    connection.receive(headers(3, PLAIN_GET))
    assert 3 not in owner.requests


def test_answers_may_end_before_trailers_were_sent_elsewhere() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    stream = ask(connection, owner, [b"POST / HTTP/1.1", b"Host: a"], ended=False)
    connection.receive(headers(1, fields((b":status", b"200"), (b"grpc-status", b"0"))))
    assert connection.streams, "our direction is still open"
    stream.send(b"", True)
    assert not connection.streams


def test_a_server_that_goes_away_while_nothing_is_asked_leaves_an_empty_connection() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    owner.events.clear()
    connection.receive(frame(wire.GOAWAY, 0, 0, bytes(8)))
    assert owner.events == [("going away", 0), ("empty",)]
