"""Bounds on requests under way: each sort has its own, and what is free again is given out again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from store.errors import StatusError
from store.http.errors import ErrorLayer
from store.http.limits import InFlightLayer, Limits

LIMITS = Limits(reads=2, writes=1, watches=1)
READ, WRITE, WATCH = ("GET", b""), ("POST", b""), ("GET", b"watch=true")


class Holding:
    """An application whose requests stay under way until they are let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.begun = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        await self.let_go.wait()


def scope_of(request: tuple[str, bytes]) -> dict[str, Any]:
    return {"type": "http", "method": request[0], "path": "/", "query_string": request[1], "headers": []}


@pytest.mark.parametrize(
    ("under_way", "next_one", "refused"),
    [
        ([READ], READ, False),
        ([READ, READ], READ, True),
        ([READ, READ], ("HEAD", b""), True),
        ([READ, READ], WRITE, False),
        ([READ, READ], WATCH, False),
        ([WRITE], ("PATCH", b""), True),
        ([WRITE], ("DELETE", b"watch=true"), True),
        ([WATCH], ("GET", b"x=1&watch=1"), True),
        ([WATCH], ("GET", b"watch=false"), False),
        ([WATCH], ("GET", b"labelSelector=watch"), False),
    ],
)
def test_one_too_many_is_refused(
    under_way: list[tuple[str, bytes]], next_one: tuple[str, bytes], refused: bool
) -> None:
    async def run() -> None:
        held = Holding()
        layer = InFlightLayer(held, LIMITS)

        async def ask(request: tuple[str, bytes]) -> None:
            await layer(scope_of(request), None, None)  # type: ignore[arg-type]  # nobody reads or sends

        tasks = [asyncio.create_task(ask(request)) for request in under_way]
        while held.begun < len(under_way):
            await asyncio.sleep(0)
        if refused:
            with pytest.raises(StatusError) as caught:
                await ask(next_one)
            assert (caught.value.code, caught.value.reason) == (429, "TooManyRequests")
        else:
            tasks.append(asyncio.create_task(ask(next_one)))
        held.let_go.set()
        await asyncio.gather(*tasks)
        await ask(next_one)  # everything is free again

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_failed_request_frees_its_place() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    layer = InFlightLayer(failing, LIMITS)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            asyncio.run(layer(scope_of(WRITE), None, None))  # type: ignore[arg-type]  # nobody reads or sends


def test_the_answer_says_when_to_come_back() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    layer = ErrorLayer(InFlightLayer(Holding, Limits(reads=0)))  # type: ignore[arg-type]  # never called
    asyncio.run(layer(scope_of(READ), None, send))  # type: ignore[arg-type]  # nobody reads
    assert sent[0]["status"] == 429
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert b'"reason": "TooManyRequests"' in sent[1]["body"]
