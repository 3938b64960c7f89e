"""Frames that carry no part of a message (RFC 9113 sections 6.3 to 6.9): each a function of the connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code, ConnectionFault, StreamFault
from proxy.protocols.h2.limits import WINDOW_LIMIT
from proxy.protocols.h2.settings import INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, read_settings

if TYPE_CHECKING:
    from proxy.protocols.h2.connection import Connection


def _settings(connection: Connection, flags: int, stream_id: int, body: bytes) -> None:
    _connection_wide(stream_id)
    if flags & wire.ACK:
        if body:
            raise _wrong_size()
        connection.owner.settled()
        return
    values = read_settings(body, from_server=connection.from_server)
    connection.outbox.answer(wire.SETTINGS_ACK)  # before any payload that they let go
    for number, value in values:
        if number == INITIAL_WINDOW_SIZE:
            _change_windows(connection, value)
        elif number == MAX_CONCURRENT_STREAMS:
            connection.may_open(value)
    connection.greeted()


def _change_windows(connection: Connection, value: int) -> None:
    """Section 6.9.2: streams that are open change by the difference, and may have less than nothing left."""
    difference = value - connection.peer_window
    connection.peer_window = value
    streams = list(connection.streams.values()) if difference else ()
    if any(stream.send_window + difference > WINDOW_LIMIT for stream in streams):
        raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "a window above 2^31-1")
    for stream in streams:
        stream.widen(difference)


def _ping(connection: Connection, flags: int, stream_id: int, body: bytes) -> None:
    _connection_wide(stream_id)
    if len(body) != 8:
        raise _wrong_size()
    if flags & wire.ACK:
        connection.owner.pong(body)
    else:
        connection.outbox.answer(wire.ping(body, answer=True))


def _window_update(connection: Connection, _: int, stream_id: int, body: bytes) -> None:
    if len(body) != 4:
        raise _wrong_size()
    increment = int.from_bytes(body, "big") & 0x7FFFFFFF
    if not stream_id:
        if not increment:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "a window that grows by nothing")
        connection.outbox.widen(increment)
        return
    stream = connection.streams.get(stream_id)
    if stream is None:
        if connection.is_idle(stream_id):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "WINDOW_UPDATE on a stream that was never opened")
        return
    try:
        if not increment:
            raise StreamFault(Code.PROTOCOL_ERROR, "a window that grows by nothing")
        stream.widen(increment)
    except StreamFault as fault:
        connection.stream_fault(stream, fault)


def _reset(connection: Connection, _: int, stream_id: int, body: bytes) -> None:
    if len(body) != 4:
        raise _wrong_size()
    if not stream_id or connection.is_idle(stream_id):
        raise ConnectionFault(Code.PROTOCOL_ERROR, "RST_STREAM on a stream that was never opened")
    stream = connection.streams.get(stream_id)
    if stream is not None:
        code = int.from_bytes(body, "big")
        connection.forget(stream)
        stream.handler.lost(code, code == Code.REFUSED_STREAM and not stream.answered)
    connection.upset()


def _goaway(connection: Connection, _: int, stream_id: int, body: bytes) -> None:
    _connection_wide(stream_id)
    if len(body) < 8:
        raise _wrong_size()
    connection.went_away(int.from_bytes(body[:4], "big") & 0x7FFFFFFF, int.from_bytes(body[4:8], "big"))


def _priority(connection: Connection, _: int, stream_id: int, body: bytes) -> None:
    """Deprecated, and without effect (section 5.3.2)."""
    if not stream_id:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "PRIORITY on stream 0")
    wrong = None
    if len(body) != 5:
        wrong = StreamFault(Code.FRAME_SIZE_ERROR, "PRIORITY of a wrong size")
    elif int.from_bytes(body[:4], "big") & 0x7FFFFFFF == stream_id:
        wrong = StreamFault(Code.PROTOCOL_ERROR, "a stream that depends on itself")
    if wrong is None:
        return
    stream = connection.streams.get(stream_id)
    if stream is None:
        raise ConnectionFault(wrong.code, wrong.message)
    connection.stream_fault(stream, wrong)


def _push_promise(_: Connection, __: int, ___: int, ____: bytes) -> None:
    raise ConnectionFault(Code.PROTOCOL_ERROR, "PUSH_PROMISE, which we never allow")


def _continuation(_: Connection, __: int, ___: int, ____: bytes) -> None:
    raise ConnectionFault(Code.PROTOCOL_ERROR, "CONTINUATION without HEADERS")


def _connection_wide(stream_id: int) -> None:
    if stream_id:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "a frame of the connection on a stream")


def _wrong_size() -> ConnectionFault:
    return ConnectionFault(Code.FRAME_SIZE_ERROR, "a frame of a wrong size")


CONTROLS: Final[dict[int, Callable[[Connection, int, int, bytes], None]]] = {
    wire.PRIORITY: _priority,
    wire.RST_STREAM: _reset,
    wire.SETTINGS: _settings,
    wire.PUSH_PROMISE: _push_promise,
    wire.PING: _ping,
    wire.GOAWAY: _goaway,
    wire.WINDOW_UPDATE: _window_update,
    wire.CONTINUATION: _continuation,
}
"""By frame type. Types that are not here are ignored (section 5.5)."""
