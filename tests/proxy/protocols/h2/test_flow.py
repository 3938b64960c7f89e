"""Flow control both ways (RFC 9113 sections 5.2 and 6.9), and the order of what waits for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.heads import response_block
from proxy.protocols.h2.limits import FRAME_LIMIT_BYTES
from proxy.protocols.h2.outbox import TURN_LIMIT_BYTES
from proxy.protocols.h2.settings import INITIAL_WINDOW_SIZE
from tests.proxy.protocols.h2.recording import LIMITS, Handler, ask, client, exchange_bytes, server
from tests.proxy.protocols.h2.scripts import (
    PLAIN_GET,
    credited,
    data,
    frame,
    goaways,
    greeted,
    headers,
    of_kind,
    request,
    resets,
    sent,
)

OK = response_block([b"HTTP/1.1 200 OK"])
WINDOW = LIMITS.stream_window_bytes
WHOLE = b"x" * FRAME_LIMIT_BYTES


def payload(output: bytes, stream_id: int) -> bytes:
    return b"".join(body for kind, _, of, body in sent(output) if kind == wire.DATA and of == stream_id)


def test_the_connections_window_is_given_back_on_receipt_though_a_stream_stalls() -> None:
    limits = replace(LIMITS, connection_window_bytes=100_000, stream_window_bytes=90_000)
    connection, owner = greeted(limits)
    connection.receive(headers(1, request(), ended=False) + headers(3, request(), ended=False))
    owner.streams[1].pause_reading()
    connection.receive(data(1, WHOLE) * 5)
    assert credited(connection.take()) == {0: 5 * len(WHOLE)}, "the connection's, and not the stream's"
    connection.receive(data(3, WHOLE) * 5)
    assert len(owner.payload_of(3)) == 5 * len(WHOLE)


def test_a_streams_window_is_given_back_when_its_reader_goes_on() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    owner.streams[1].pause_reading()
    connection.receive(data(1, WHOLE) * (WINDOW // len(WHOLE)))
    assert 1 not in credited(connection.take())
    owner.streams[1].resume_reading()
    assert credited(connection.take()) == {1: WINDOW}
    connection.receive(data(1, WHOLE))
    assert len(owner.payload_of(1)) == WINDOW + len(WHOLE)


def test_a_stalled_stream_takes_one_window_of_memory_and_no_more() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False) + headers(3, request(), ended=False))
    owner.streams[1].pause_reading()
    connection.receive(data(1, WHOLE) * (WINDOW // len(WHOLE)) + data(1, b"x"))
    assert resets(connection.take()) == [(1, Code.FLOW_CONTROL_ERROR)]
    assert owner.told("lost") == [("lost", 1, Code.FLOW_CONTROL_ERROR, False)]
    connection.receive(data(3, b"the other goes on", ended=True))
    assert owner.payload_of(3) == b"the other goes on"


def test_a_client_that_ignores_the_connections_window_is_cut_off() -> None:
    limits = replace(LIMITS, connection_window_bytes=65535, stream_window_bytes=65535)
    connection, owner = greeted(limits)
    connection.receive(headers(1, request(), ended=False) + headers(3, request(), ended=False))
    connection.receive((data(1, WHOLE) + data(3, WHOLE)) * 3)
    assert owner.told("failed") == [("failed", Code.FLOW_CONTROL_ERROR)]


def test_padding_is_no_payload_and_counts_for_the_windows() -> None:
    connection, owner = greeted(replace(LIMITS, stream_window_bytes=65536))
    connection.receive(headers(1, request(), ended=False))
    padded = frame(wire.DATA, wire.PADDED, 1, b"\xff" + b"payload" + b"\0" * 255)
    connection.receive(padded * 125)
    assert owner.payload_of(1) == b"payload" * 125
    given = credited(connection.take())[1]
    assert given % (1 + 7 + 255) == 0
    assert given * 2 >= 65536
    connection.receive(frame(wire.DATA, wire.PADDED | 1, 1, b"\x00" + b"the end"))
    assert owner.told("payload")[-1] == ("payload", 1, b"the end", True)


def test_payload_waits_for_the_streams_window() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 10}) + headers(1, PLAIN_GET))
    owner.streams[1].send(b"0123456789abcdef", True)
    assert payload(connection.take(), 1) == b"0123456789"
    connection.receive(wire.window_update(1, 3))
    assert payload(connection.take(), 1) == b"abc"
    connection.receive(wire.window_update(1, 100))
    assert of_kind(sent(connection.take()), wire.DATA) == [(wire.DATA, wire.END_STREAM, 1, b"def")]
    assert not connection.streams


def test_a_setting_changes_open_streams_and_may_leave_them_less_than_nothing() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 10}) + headers(1, PLAIN_GET))
    stream = owner.streams[1]
    stream.send(b"0123456789" + b"abcdef", True)
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 4}))
    assert stream.send_window == -6
    connection.take()
    connection.receive(wire.window_update(1, 6))
    assert payload(connection.take(), 1) == b"", "that only makes it nothing"
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 7}))
    assert payload(connection.take(), 1) == b"abc"


def test_a_setting_that_makes_a_window_too_large_is_an_error_of_the_connection() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + wire.window_update(1, 2**31 - 1 - 65535))
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 65536}))
    assert owner.told("failed") == [("failed", Code.FLOW_CONTROL_ERROR)]


def test_windows_that_grow_too_large_or_by_nothing() -> None:
    for stream_id, increment, expected in ((1, 0, Code.PROTOCOL_ERROR), (1, 2**31 - 1, Code.FLOW_CONTROL_ERROR)):
        connection, owner = greeted()
        connection.receive(headers(1, PLAIN_GET) + wire.window_update(stream_id, increment))
        assert resets(connection.take()) == [(1, expected)]
        assert not owner.told("failed")
    for increment, expected in ((0, Code.PROTOCOL_ERROR), (2**31 - 1, Code.FLOW_CONTROL_ERROR)):
        connection, owner = greeted()
        connection.receive(wire.window_update(0, increment))
        assert owner.told("failed") == [("failed", expected)]


def test_streams_that_wait_for_the_connection_take_turns() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 10**6}) + b"".join(headers(n, PLAIN_GET) for n in (1, 3, 5)))
    for stream_id in (1, 3, 5):
        owner.streams[stream_id].send(b"x" * 200_000, True)
    connection.take()
    connection.receive(wire.window_update(0, 6 * len(WHOLE)))
    turns = [each[2] for each in of_kind(sent(connection.take()), wire.DATA)]
    assert len(set(turns[:3])) == 3
    assert max(turns.count(stream_id) for stream_id in (1, 3, 5)) <= 3


def test_a_stream_whose_own_window_is_shut_holds_up_no_other() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET) + wire.window_update(0, 10**6))
    owner.streams[1].send(b"x" * 100_000)
    owner.streams[3].send(b"y" * 100, True)
    assert payload(connection.take(), 3) == b"y" * 100


def test_a_paused_transport_is_a_closed_window_for_heads_too() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET))
    connection.pause_writing()
    owner.streams[1].head(OK, False)
    owner.streams[1].send(b"payload", True)
    owner.streams[3].head(OK, True)
    assert connection.take() == b""
    assert len(connection.streams) == 2, "and they count as open"
    connection.resume_writing()
    assert {each[:3] for each in sent(connection.take())} == {
        (wire.HEADERS, wire.END_HEADERS, 1),
        (wire.DATA, wire.END_STREAM, 1),
        (wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, 3),
    }
    assert not connection.streams


def test_answers_that_are_asked_for_and_never_read_end_the_connection() -> None:
    for asked in (wire.ping(b"12345678", answer=False), wire.settings({})):
        connection, owner = greeted()
        connection.pause_writing()
        connection.receive(asked * LIMITS.control_limit)
        assert not owner.told("failed")
        connection.receive(asked)
        assert owner.told("failed") == [("failed", Code.ENHANCE_YOUR_CALM)]


def test_answers_that_are_taken_are_not_counted_and_those_of_one_turn_are() -> None:
    """A transport that reads on for long makes a turn of many answers, before anybody could say that it is full."""
    for asked in (wire.ping(b"12345678", answer=False), wire.settings({})):
        connection, owner = greeted()
        for _ in range(3):
            connection.receive(asked * (LIMITS.control_limit - 1))
            connection.take()
        assert not owner.told("failed")
        connection.receive(asked * (LIMITS.control_limit + 1))
        assert owner.told("failed") == [("failed", Code.ENHANCE_YOUR_CALM)]


def test_trailers_queue_behind_payload_that_waits() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 3}) + headers(1, PLAIN_GET))
    stream = owner.streams[1]
    stream.head(OK, False)
    stream.send(b"abcdef")
    stream.trailers([b"grpc-status: 0"])
    assert [each[0] for each in of_kind(sent(connection.take()), wire.HEADERS)] == [wire.HEADERS], "the head alone"
    connection.receive(wire.window_update(1, 3))
    kinds = [(each[0], each[1]) for each in sent(connection.take())]
    assert kinds == [(wire.DATA, 0), (wire.HEADERS, wire.END_HEADERS | wire.END_STREAM)]


def test_no_trailers_are_a_mere_end() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 0}) + headers(1, PLAIN_GET))
    owner.streams[1].head(OK, False)
    owner.streams[1].trailers([])
    assert sent(connection.take())[-1] == (wire.DATA, wire.END_STREAM, 1, b""), "for which no window is needed"


def test_a_handler_is_told_when_much_waits_and_when_all_is_sent() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    stream = owner.streams[1]
    stream.send(b"x" * 65535)
    stream.send(b"x" * LIMITS.queue_limit_bytes)
    assert not owner.told("full")
    stream.send(b"x")
    assert owner.told("full") == [("full", 1)]
    connection.receive(wire.window_update(1, 10**6) + wire.window_update(0, LIMITS.queue_limit_bytes))
    assert not owner.told("drained")
    connection.receive(wire.window_update(0, 1))
    assert owner.told("drained") == [("drained", 1)]


@pytest.mark.parametrize("size", [1, 16384, 16385, 300_000, 2_000_000])
def test_payload_of_any_size_arrives_whole(size: int) -> None:
    asked, answers = client()
    connection, owner = server()
    exchange_bytes(asked, connection)
    stream = ask(asked, answers, [b"POST / HTTP/1.1", b"Host: a"], ended=False)
    body = bytes(range(256)) * (size // 256 + 1)
    stream.send(body[:size], True)
    exchange_bytes(asked, connection)
    assert owner.payload_of(1) == body[:size]
    assert owner.told("payload")[-1][3] is True


def test_what_waits_for_a_stream_that_is_reset_is_dropped() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    owner.streams[1].send(b"x" * 200_000, True)
    connection.take()
    connection.receive(frame(wire.RST_STREAM, 0, 1, bytes((0, 0, 0, 8))))
    assert owner.told("lost") == [("lost", 1, Code.CANCEL, False)]
    connection.receive(wire.window_update(0, 10**6))
    assert connection.take() == b""
    assert goaways(connection.take()) == []


def test_a_stream_that_ends_while_others_are_let_send_waits_for_nothing_any_more() -> None:
    """What a handler does when its stream has drained may end one that this turn has passed over."""
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 10**6}))
    connection.receive(headers(1, request(), ended=False) + headers(3, PLAIN_GET))
    first, second = owner.streams[1], owner.streams[3]

    class Ending(Handler):
        def drained(self) -> None:
            second.reset(Code.CANCEL)

    first.handler = Ending(owner.events, 1)
    first.send(b"x" * 65535)
    first.send(b"x" * (LIMITS.queue_limit_bytes + 1))
    first.trailers([b"a: b"])
    second.send(b"y" * 200_000)
    turns = LIMITS.queue_limit_bytes // FRAME_LIMIT_BYTES
    connection.receive(wire.window_update(0, LIMITS.queue_limit_bytes + 1 + turns * FRAME_LIMIT_BYTES))
    assert owner.told("full") and second.closed
    connection.receive(wire.window_update(0, 1000))
    assert resets(connection.take()) == [(3, Code.CANCEL)]
    assert not connection.outbox.waiting and not owner.told("failed")


def test_wide_windows_are_used_up_a_bounded_piece_a_turn() -> None:
    """Whether the transport is full shows only after a turn; the peer cannot widen a turn by saying more often."""
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 2**31 - 1}) + wire.window_update(0, 10**9))
    connection.receive(headers(1, PLAIN_GET) + headers(3, PLAIN_GET))
    for stream_id in (1, 3):
        owner.streams[stream_id].head(OK, False)
        owner.streams[stream_id].send(b"x" * 500_000)
    connection.receive(wire.window_update(0, 1) * 10)
    turns = []
    while output := connection.take():
        turns.append([len(payload(output, stream_id)) for stream_id in (1, 3)])
    assert [sum(turn) for turn in turns] == [TURN_LIMIT_BYTES] * 3 + [1_000_000 - 3 * TURN_LIMIT_BYTES]
    assert all(first and second for first, second in turns[1:3]), "and the streams take turns in them"
    assert len(owner.told("drained")) == 2


def test_what_waits_for_the_next_turn_waits_for_the_transport_as_well() -> None:
    connection, owner = greeted()
    connection.receive(wire.settings({INITIAL_WINDOW_SIZE: 2**31 - 1}) + wire.window_update(0, 10**9))
    connection.receive(headers(1, PLAIN_GET))
    owner.streams[1].head(OK, False)
    owner.streams[1].send(b"x" * 2 * TURN_LIMIT_BYTES)
    connection.pause_writing()
    assert len(payload(connection.take(), 1)) == TURN_LIMIT_BYTES
    assert connection.take() == b""
    connection.resume_writing()
    assert len(payload(connection.take(), 1)) == TURN_LIMIT_BYTES
