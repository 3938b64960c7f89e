"""A body on its way: what came early is sent once there is a stream, in order and once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from proxy.http.outgoing import OutgoingHead
from proxy.http.request_body import RequestBody
from proxy.http.upstream_stream import StreamUser
from proxy.protocols.h2.stream import Stream


@dataclass
class FakeStream:
    told: list[tuple[object, ...]] = field(default_factory=list)
    h2: Stream | None = None

    def begin(self, user: StreamUser, head: OutgoingHead) -> None:
        self.told.append(("begin", head))

    def hand_over(self, user: StreamUser) -> None:
        self.told.append(("hand over",))

    def write(self, payload: bytes) -> None:
        self.told.append((payload,))

    def end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        self.told.append(("end", payload, trailers))

    def abandon(self) -> None:
        self.told.append(("abandon",))

    def pause_reading(self) -> None:
        self.told.append(("pause",))

    def resume_reading(self) -> None:
        self.told.append(("resume",))


@pytest.mark.parametrize("held", range(4))
def test_what_came_before_the_stream_goes_first(held: int) -> None:
    body, stream = RequestBody(), FakeStream()
    pieces: list[tuple[bytes, bool]] = [(b"a", False), (b"b", False), (b"", True)]
    for payload, end in pieces[:held]:
        body.hold(payload, end=end, trailers=(b"X: 1",) if end else ())
    spent_while_held = body.spent
    assert (spent_while_held, body.release(stream)) == (False, bool(held))
    for payload, end in pieces[held:]:
        body.pass_on(stream, payload, end=end, trailers=(b"X: 1",) if end else ())
    assert (body.complete, body.spent) == (True, True)
    if held == 3:  # an end that waited comes with what it ended
        assert stream.told == [(b"a",), ("end", b"b", (b"X: 1",))]
    else:
        assert stream.told == [(b"a",), (b"b",), ("end", b"", (b"X: 1",))]


def test_a_piece_without_payload_spends_nothing() -> None:
    body, stream = RequestBody(), FakeStream()
    body.pass_on(stream, b"", end=False, trailers=())
    assert stream.told == [] and not body.spent


@pytest.mark.parametrize("limit", [0, 2, 3, 4])
def test_what_is_within_the_limit_can_be_sent_again(limit: int) -> None:
    body, first, second = RequestBody(), FakeStream(), FakeStream()
    body.replay_limit_bytes = limit
    body.hold(b"ab", end=False)
    body.release(first)
    body.pass_on(first, b"c", end=False, trailers=())
    assert body.spent == (limit < 3)
    if body.spent:
        return
    body.rewind()
    body.hold(b"d", end=True, trailers=(b"X: 1",))
    assert body.release(second)
    assert first.told == [(b"ab",), (b"c",)]
    assert second.told == [(b"ab",), (b"c",), ("end", b"d", (b"X: 1",))]
    assert body.spent == (limit < 4)


def test_an_end_alone_can_be_sent_again() -> None:
    body, first, second = RequestBody(), FakeStream(), FakeStream()
    body.replay_limit_bytes = 8
    body.pass_on(first, b"a", end=False, trailers=())
    body.pass_on(first, b"", end=True, trailers=())
    body.rewind()
    assert body.release(second) and not body.spent
    assert second.told == [("end", b"a", ())]
