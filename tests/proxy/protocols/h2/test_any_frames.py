"""Frames of every kind in any order: a connection goes on or ends by the rules, whatever a peer says.

Valid blocks and small windows are among them, so that much of it is nearly right.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h2 import frames as wire
from proxy.protocols.h2.errors import Code
from proxy.protocols.h2.heads import response_block
from proxy.protocols.h2.request_blocks import RequestBlock
from proxy.protocols.h2.stream import Stream
from tests.proxy.protocols.h2.recording import Owner, ask, client, server
from tests.proxy.protocols.h2.scripts import PLAIN_GET, fields, frame, request, sent

ids = st.sampled_from((0, 1, 1, 1, 2, 3, 3, 5, 5, 7, 2**31 - 1))
blocks = st.sampled_from(
    (
        PLAIN_GET,
        request((b"content-length", b"3")),
        request((b"te", b"trailers"), (b"cookie", b"a"), (b"cookie", b"b")),
        fields((b":status", b"200")),
        fields((b":status", b"200"), (b"content-length", b"3")),
        fields((b":status", b"103")),
        fields((b"grpc-status", b"0")),
        b"\x40\x01a\x01b",
        b"\xbe",
        b"\x20",
    )
)
heads = st.builds(frame, st.just(wire.HEADERS), st.sampled_from((0, 1, 4, 4, 5, 5)), ids, blocks)
payloads = st.builds(
    frame, st.just(wire.DATA), st.sampled_from((0, 0, 1, 8)), ids, st.sampled_from((b"", b"abc", b"\2abc\0\0"))
)
updates = st.builds(wire.window_update, ids, st.sampled_from((0, 1, 65535, 2**31 - 1)))
resets = st.builds(wire.reset, ids, st.sampled_from((Code.CANCEL, Code.NO_ERROR, Code.REFUSED_STREAM)))
initial_windows = st.builds(lambda size: wire.settings({4: size}), st.sampled_from((0, 1, 65535, 2**31 - 1)))
streams_allowed = st.builds(lambda count: wire.settings({3: count}), st.sampled_from((0, 1, 100)))
goaways = st.builds(lambda last: wire.goaway(last, Code.NO_ERROR, ""), st.sampled_from((0, 1, 3, 2**31 - 1)))
others = st.builds(frame, st.integers(0, 11), st.integers(0, 255), ids, st.binary(max_size=12))
said = st.lists(
    st.one_of(heads, heads, payloads, payloads, updates, resets, initial_windows, streams_allowed, goaways, others),
    max_size=25,
)


def _check_told(owner: Owner) -> None:
    """Nothing of an answer is told after its end, and nothing at all of a stream that is lost."""
    whole: set[object] = set()
    lost: set[object] = set()
    for kind, *rest in owner.events:
        if kind in ("interim", "answered", "payload", "trailers"):
            assert rest[0] not in whole | lost
            if kind == "trailers" or rest[-1] is True:
                whole.add(rest[0])
        elif kind in ("lost", "full", "drained"):
            assert rest[0] not in lost
            if kind == "lost":
                lost.add(rest[0])


@given(said)
@settings(max_examples=400)
def test_a_server_bears_anything(frames: list[bytes]) -> None:
    connection, owner = server()

    def answer(stream: Stream, _: RequestBlock, __: bool) -> None:
        if stream.id % 4 == 1:
            stream.head(response_block([b"HTTP/1.1 200 OK"]), False)
            stream.send(b"x" * 70000)
            stream.trailers([b"a: b"])

    owner.on_request = answer
    connection.receive(wire.PREFACE + wire.settings({}) + b"".join(frames))
    sent(connection.take())
    assert len(owner.told("failed")) == connection.failed
    if connection.failed:
        assert not connection.streams
    for stream_id, stream in owner.streams.items():
        assert (stream_id in connection.streams) != stream.closed


@given(said)
@settings(max_examples=400)
def test_a_client_bears_anything(frames: list[bytes]) -> None:
    connection, owner = client()
    for number in range(3):
        stream = ask(connection, owner, [b"POST / HTTP/1.1", b"Host: a"], ended=number == 0)
        if number == 1:
            stream.send(b"x" * 70000)
            stream.trailers([b"a: b"])
    connection.receive(wire.settings({}) + b"".join(frames))
    sent(connection.take())
    assert len(owner.told("failed")) == connection.failed
    for stream_id, stream in owner.streams.items():
        assert (stream_id in connection.streams) != stream.closed
    _check_told(owner)
