"""Deadlines by the thousand for the price of one timer: things say when to be looked at, and are, within a tick.

Whoever is watched keeps its real deadline to itself and answers `wake` with the next time to look; so moving a deadline
back, which every byte of traffic does, costs nothing here.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Protocol

TICK_S = 0.05


class Watched(Protocol):
    """wake_slot: the tick this is registered for, 0 when it is not; kept here, for `Deadlines` alone."""

    wake_slot: int

    def wake(self, now_s: float) -> float:
        """Do what is due; the time of the next look, or 0 for none. Times are `time.monotonic()` seconds."""


class Deadlines:
    """A timer wheel with lazy re-arming. The loop's timer runs only while something is watched."""

    __slots__ = ("_due_slot", "_loop", "_slots", "_timer", "_turned")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Watched]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._turned = 0  # the last slot that was looked at whole
        self._due_slot = 0  # the last whose time has come

    def watch(self, thing: Watched, due_s: float) -> None:
        """Look at `thing` at `due_s` or soon after, unless it will be looked at earlier anyway."""
        slot = int(due_s / TICK_S) + 1
        if thing.wake_slot and thing.wake_slot <= slot:
            return
        if self._timer is None:
            self._turned = self._due_slot = int(monotonic() / TICK_S) - 1
            self._timer = self._loop.call_later(TICK_S, self._turn)
        thing.wake_slot = slot = max(slot, self._due_slot + 1)
        self._slots.setdefault(slot, []).append(thing)

    def forget(self, thing: Watched) -> None:
        """Do not look at `thing` any more; its entry goes when its tick comes."""
        thing.wake_slot = -1

    def _turn(self) -> None:
        """Wake what is due. An error ends the turn and is the loop's to log; the next turn goes on with the others."""
        now = monotonic()
        self._due_slot = int(now / TICK_S)
        try:
            while self._turned < self._due_slot:
                slot = self._turned + 1
                things = self._slots.get(slot)
                if things is not None:
                    while things:
                        self._look(things.pop(), slot, now)
                    del self._slots[slot]
                self._turned = slot
        finally:
            self._timer = self._loop.call_later(TICK_S, self._turn) if self._slots else None

    def _look(self, thing: Watched, slot: int, now_s: float) -> None:
        if thing.wake_slot != slot:
            return  # registered anew for another tick, or forgotten
        thing.wake_slot = 0
        due = thing.wake(now_s)
        if due and thing.wake_slot >= 0:
            self.watch(thing, max(due, now_s))
