"""Deadlines: one timer for all, lazily armed again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import cast

import pytest

from proxy.http import deadlines
from proxy.http.deadlines import TICK_S, Deadlines


class FakeLoop:
    """Keeps the one timer instead of running it."""

    def __init__(self) -> None:
        self.turn: Callable[[], None] | None = None

    def call_later(self, delay_s: float, turn: Callable[[], None]) -> asyncio.TimerHandle:
        assert delay_s == TICK_S
        self.turn = turn
        return cast(asyncio.TimerHandle, object())


class Thing:
    def __init__(self, *next_s: float) -> None:
        self.wake_slot = 0
        self.woken: list[float] = []
        self._next = list(next_s)

    def wake(self, now_s: float) -> float:
        self.woken.append(now_s)
        return now_s + self._next.pop(0) if self._next else 0.0


class Wheel:
    """Deadlines on a clock that tests move."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now_s = monotonic()
        self.loop = FakeLoop()
        self.deadlines = Deadlines(cast(asyncio.AbstractEventLoop, self.loop))
        patch.setattr(deadlines, "monotonic", lambda: self.now_s)

    def move(self, seconds: float) -> None:
        self.now_s += seconds
        turn, self.loop.turn = self.loop.turn, None
        if turn is not None:
            turn()


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> Wheel:
    return Wheel(monkeypatch)


def test_a_thing_is_woken_once_not_before_its_time_and_within_two_ticks(wheel: Wheel) -> None:
    thing = Thing()
    due = wheel.now_s + 1.0
    wheel.deadlines.watch(thing, due)
    while not thing.woken:
        wheel.move(TICK_S)
    assert due <= thing.woken[0] <= due + 2 * TICK_S
    wheel.move(10)
    assert len(thing.woken) == 1 and wheel.loop.turn is None, "nothing is watched, so nothing ticks"


def test_an_earlier_deadline_moves_the_look_and_a_later_one_does_not(wheel: Wheel) -> None:
    thing = Thing()
    for delay_s in (5.0, 1.0, 9.0):
        wheel.deadlines.watch(thing, wheel.now_s + delay_s)
    wheel.move(1.5)
    wheel.move(10)
    assert len(thing.woken) == 1


def test_who_answers_with_a_time_is_looked_at_again_and_who_is_forgotten_is_not(wheel: Wheel) -> None:
    again, gone = Thing(1.0, 1.0), Thing()
    for thing in (again, gone):
        wheel.deadlines.watch(thing, wheel.now_s + 1)
    wheel.deadlines.forget(gone)
    for _ in range(4):
        wheel.move(1.2)
    assert len(again.woken) == 3 and not gone.woken


def test_a_loop_that_stood_still_wakes_everything_that_is_due(wheel: Wheel) -> None:
    things = [Thing() for _ in range(50)]
    for number, thing in enumerate(things):
        wheel.deadlines.watch(thing, wheel.now_s + number / 10)
    wheel.move(60)
    assert all(len(thing.woken) == 1 for thing in things)


def test_one_that_fails_does_not_stop_the_others(wheel: Wheel) -> None:
    class Failing(Thing):
        def wake(self, now_s: float) -> float:
            super().wake(now_s)
            raise ValueError("for the loop to log")

    things = [Thing(), Failing(), Thing(), Failing(), Thing()]
    later = Thing()
    for thing in things:
        wheel.deadlines.watch(thing, wheel.now_s + 1.0)
    wheel.deadlines.watch(later, wheel.now_s + 2.0)
    for _ in range(2):
        with pytest.raises(ValueError):
            wheel.move(3.0)
    wheel.move(TICK_S)
    assert [len(thing.woken) for thing in (*things, later)] == [1] * 6
    assert wheel.loop.turn is None


def test_a_deadline_that_has_passed_already_is_the_next_to_be_looked_at(wheel: Wheel) -> None:
    early, first, second = Thing(), Thing(), Thing()

    class Hasty(Thing):
        def wake(self, now_s: float) -> float:
            wheel.deadlines.watch(second, now_s - 5.0)
            return super().wake(now_s)

    wheel.deadlines.watch(early, wheel.now_s - 60.0)
    wheel.move(2 * TICK_S)
    assert len(early.woken) == 1
    wheel.deadlines.watch(Hasty(), wheel.now_s + 1.0)
    wheel.move(2.0)
    wheel.deadlines.watch(first, wheel.now_s - 1.0)
    wheel.move(2 * TICK_S)
    assert [len(thing.woken) for thing in (first, second)] == [1, 1]
    assert wheel.loop.turn is None
