"""Frames that come late, and peers that make work of beginning and giving up (RFC 9113 sections 5.1, 5.4, 10.5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from tests.proxy.protocols.h2.recording import LIMITS, Clock, Owner, ask, client, server
from tests.proxy.protocols.h2.scripts import OK, PLAIN_GET, credited, data, frame, greeted, headers, request, resets

CANCEL = bytes((0, 0, 0, 8))


@pytest.mark.parametrize("late", [data(1, b"x"), headers(1, b"\x00\x01x\x01y"), wire.window_update(1, 9)])
def test_late_frames_on_a_stream_that_we_reset_are_ignored(late: bytes) -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    owner.streams[1].reset(Code.CANCEL)
    connection.receive(late + frame(wire.RST_STREAM, 0, 1, CANCEL) + headers(3, PLAIN_GET))
    assert list(owner.requests) == [1, 3]
    assert not owner.told("failed")


@pytest.mark.parametrize("late", [data(1, b"x"), headers(1, b"\x00\x01x\x01y")])
def test_late_frames_on_any_other_closed_stream_are_an_error(late: bytes) -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    owner.streams[1].head(OK, True)
    connection.receive(late)
    assert owner.told("failed") == [("failed", Code.STREAM_CLOSED)]
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False) + frame(wire.RST_STREAM, 0, 1, CANCEL) + late)
    assert owner.told("failed") == [("failed", Code.STREAM_CLOSED)]


@pytest.mark.parametrize("late", [data(1, b"x"), headers(1, b"\x00\x01x\x01y")])
def test_frames_after_the_peers_end_of_an_open_stream_reset_it(late: bytes) -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET) + late)
    assert resets(connection.take()) == [(1, Code.STREAM_CLOSED)]
    assert owner.told("lost") == [("lost", 1, Code.STREAM_CLOSED, False)]


def test_a_stream_below_one_that_was_opened_is_a_protocol_error() -> None:
    connection, owner = greeted()
    connection.receive(headers(5, PLAIN_GET) + headers(3, PLAIN_GET))
    assert owner.told("failed") == [("failed", Code.PROTOCOL_ERROR)]


def test_late_answers_to_a_stream_that_was_given_up_are_ignored() -> None:
    connection, owner = client()
    connection.receive(wire.settings({}))
    stream = ask(connection, owner)
    stream.reset(Code.CANCEL)
    assert resets(connection.take()) == [(1, Code.CANCEL)]
    connection.receive(headers(1, OK, ended=False) + data(1, b"x", ended=True))
    assert not owner.told("answered")
    assert not owner.told("failed")


def test_payload_for_streams_that_were_given_up_still_counts_for_the_connection() -> None:
    connection, owner = greeted(replace(LIMITS, connection_window_bytes=65536))
    connection.receive(headers(1, request(), ended=False))
    owner.streams[1].reset(Code.CANCEL)
    connection.take()
    connection.receive(data(1, b"x" * 16384) * 2)
    assert wire.window_update(0, 32768) in connection.take()


def test_what_a_closed_stream_is_told_to_send_is_dropped() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, PLAIN_GET))
    stream = owner.streams[1]
    stream.reset(Code.INTERNAL_ERROR)
    connection.take()
    stream.head(OK, False)
    stream.send(b"x", True)
    stream.trailers([b"a: b"])
    stream.reset(Code.CANCEL)
    stream.resume_reading()
    assert connection.take() == b""


def test_the_rest_of_a_body_that_nobody_needs_is_refused_once_half_the_window_is_used() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    stream = owner.streams[1]
    stream.refuse_rest()
    stream.head(OK, True)
    half = LIMITS.stream_window_bytes // 2
    connection.receive(data(1, b"x" * 10_000) * ((half - 1) // 10_000))
    assert not resets(connection.take()) and 1 in connection.streams
    connection.receive(data(1, b"x" * 10_000))
    output = connection.take()
    assert resets(output) == [(1, Code.NO_ERROR)] and 1 not in credited(output)
    assert not connection.streams


def test_a_refused_body_may_end_and_until_then_the_answer_is_all_that_was_sent() -> None:
    """Some clients forget an answer when its stream is reset under what they are sending."""
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    stream = owner.streams[1]
    stream.head(OK, True)
    stream.refuse_rest()
    connection.receive(data(1, b"the body", ended=True))
    assert not resets(connection.take()) and not connection.streams


def test_a_body_of_which_much_has_come_is_refused_with_the_end_of_the_answer() -> None:
    connection, owner = greeted()
    connection.receive(headers(1, request(), ended=False))
    stream = owner.streams[1]
    stream.pause_reading()
    connection.receive(data(1, b"x" * 10_000) * (LIMITS.stream_window_bytes // 2 // 10_000 + 1))
    stream.refuse_rest()
    assert not resets(connection.take())
    stream.head(OK, True)
    assert resets(connection.take()) == [(1, Code.NO_ERROR)]
    assert not connection.streams


def upset(times: int, what: str) -> Owner:
    """A server to which a client did something useless so many times."""
    connection, owner = server()
    connection.receive(wire.PREFACE + wire.settings({}))
    for number in range(times):
        stream_id = 2 * number + 1
        if what == "resets":
            connection.receive(headers(stream_id, PLAIN_GET) + frame(wire.RST_STREAM, 0, stream_id, CANCEL))
        elif what == "makes us reset":
            connection.receive(headers(stream_id, PLAIN_GET) + wire.window_update(stream_id, 0))
        elif what == "malformed":
            connection.receive(headers(stream_id, b"\x82"))
        else:
            connection.receive((headers(1, request(), ended=False) if not number else b"") + data(1))
        connection.take()
    return owner


@pytest.mark.parametrize("what", ["resets", "makes us reset", "malformed", "sends nothing"])
def test_useless_work_is_limited_in_a_window_of_time(what: str) -> None:
    owner = upset(LIMITS.upset_limit, what)
    assert not owner.told("failed")
    owner = upset(LIMITS.upset_limit + 1, what)
    assert owner.told("failed") == [("failed", Code.ENHANCE_YOUR_CALM)]


def test_resets_now_and_then_are_borne_for_ever() -> None:
    clock = Clock()
    connection, owner = server(LIMITS, clock)
    connection.receive(wire.PREFACE + wire.settings({}))
    for number in range(3 * LIMITS.upset_limit):
        connection.receive(headers(2 * number + 1, PLAIN_GET) + frame(wire.RST_STREAM, 0, 2 * number + 1, CANCEL))
        clock.now_s += LIMITS.upset_interval_s / LIMITS.upset_limit * 1.01
    assert not owner.told("failed")
