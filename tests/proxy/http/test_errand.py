"""An errand's body: whatever comes in whatever order, it goes out whole, in order and once, or the errand fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http import errand as errands
from proxy.http.errand import Errand
from proxy.http.outgoing import OutgoingHead
from proxy.http.port import HttpPort
from proxy.http.retry import Processed
from proxy.http.upstream_stream import StreamUser
from proxy.options import HttpLimits, ProxyOptions
from proxy.protocols.h1_request import CHUNKED_BODY, RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason
from proxy.services import Services
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.metrics import Metrics
from tests.proxy.http.stage import FakePeer, FakeRegistry, FakeUpstream

LIMIT_BYTES = 8
OPTIONS = replace(ProxyOptions(access_log="off"), limits=HttpLimits(mirror_backlog_limit_bytes=LIMIT_BYTES))
HEAD = OutgoingHead(b"POST / HTTP/1.1\r\nHost: a", b"\r\n\r\n")
ANSWER = ResponseHead(200, [b"HTTP/1.1 200 OK"], 0, keep_alive=True, has_date=True)


@dataclass
class FakeStream:
    written: list[bytes] = field(default_factory=list)
    ended: int = 0
    abandoned: bool = False

    def begin(self, user: StreamUser, head: OutgoingHead) -> None:
        assert head is HEAD

    def write(self, payload: bytes) -> None:
        assert payload and not self.ended
        self.written.append(payload)

    def end(self, payload: bytes, trailers: tuple[bytes, ...]) -> None:
        self.ended += 1
        self.written.append(payload)

    def abandon(self) -> None:
        self.abandoned = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@dataclass
class FakeSender:
    told: list[object] = field(default_factory=list)

    def answered(self, response: ResponseHead) -> None:
        self.told.append(response)

    def payload(self, payload: bytes) -> None:
        self.told.append(payload)

    def finished(self, trailers: tuple[bytes, ...]) -> None:
        self.told.append("finished")

    def failed(self, reason: Reason) -> None:
        self.told.append(reason)


@dataclass
class Scene:
    """An errand whose streams are at hand. opened: in their order."""

    errand: Errand
    sender: FakeSender
    port: HttpPort
    opened: list[FakeStream]


def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    loop, registry = asyncio.get_running_loop(), FakeRegistry()
    registry.upstreams["m"] = FakeUpstream([FakePeer(("192.0.2.1", 80))])
    port = HttpPort(Services(loop, OPTIONS, registry, AccessLog("off"), Metrics()))
    request = RequestHead(b"POST", b"/", b"/", [], None)
    request.length = CHUNKED_BODY
    opened: list[FakeStream] = []

    def stream(*_: object) -> FakeStream:
        opened.append(FakeStream())
        return opened[-1]

    async def later(*_: object) -> FakeStream:
        return stream()

    monkeypatch.setattr(errands, "kept_stream", stream)
    monkeypatch.setattr(errands, "open_stream", later)
    sender = FakeSender()
    return Scene(Errand(port, "m", request, HEAD, sender, None, among=port.errands, life_s=60.0), sender, port, opened)


STEPS = st.lists(st.sampled_from(["turn", "full", "drained", "a", "bb", "cccc", "dddddddd"]), max_size=12)


@given(STEPS, st.booleans())
def test_a_body_goes_out_whole_and_in_order_or_the_errand_fails(steps: list[str], loses: bool) -> None:
    async def test(monkeypatch: pytest.MonkeyPatch) -> None:
        made = scene(monkeypatch)
        made.errand.begin()
        sent = b""
        for step in (*steps, "end", "drained", "turn"):
            if step == "turn":
                await asyncio.sleep(0)
            elif step == "full" and made.opened:
                made.errand.upstream_full()
            elif step == "drained" and made.opened:
                made.errand.upstream_drained()
            elif step not in ("full", "drained"):
                payload = b"" if step == "end" else step.encode()
                sent += payload
                made.errand.write(payload, end=step == "end")
        await asyncio.sleep(0)
        failed = [told for told in made.sender.told if isinstance(told, Reason)]
        if failed:
            assert failed == [Reason.OVERLOADED] and len(sent) > LIMIT_BYTES
            assert not made.port.errands and all(stream.abandoned for stream in made.opened)
            return
        assert (b"".join(made.opened[0].written), made.opened[0].ended) == (sent, 1)
        if loses:
            made.errand.lost(Reason.UPSTREAM_RESET, "no")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if len(sent) > LIMIT_BYTES:
                assert made.sender.told == [Reason.UPSTREAM_RESET] and len(made.opened) == 1
                return
            assert (b"".join(made.opened[1].written), made.opened[1].ended) == (sent, 1)
        made.errand.answered_whole(ANSWER, b"hi")
        assert made.sender.told == [ANSWER, b"hi", "finished"]
        assert not made.port.errands

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(test(monkeypatch))


def test_an_errand_that_was_abandoned_tells_nothing_more() -> None:
    async def test(monkeypatch: pytest.MonkeyPatch) -> None:
        made = scene(monkeypatch)
        made.errand.begin()
        await asyncio.sleep(0)
        made.errand.abandon()
        made.errand.abandon()
        made.errand.write(b"late", end=True)
        assert made.opened[0].abandoned and made.sender.told == []

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(test(monkeypatch))


@pytest.mark.parametrize(
    ("method", "processed", "tries"), [(b"POST", "no", 3), (b"GET", "perhaps", 3), (b"POST", "perhaps", 1)]
)
def test_what_is_lost_is_tried_again_as_often_as_an_exchange_would(
    method: bytes, processed: Processed, tries: int
) -> None:
    async def test(monkeypatch: pytest.MonkeyPatch) -> None:
        made = scene(monkeypatch)
        made.errand.request.method = method
        made.errand.begin()
        made.errand.write(b"a", end=True)
        for _ in range(10):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if made.sender.told:
                break
            made.errand.lost(Reason.UPSTREAM_RESET, processed)
        assert made.sender.told == [Reason.UPSTREAM_RESET]
        assert len(made.opened) == tries == min(tries, OPTIONS.attempt_limit)
        assert not made.port.errands

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(test(monkeypatch))
