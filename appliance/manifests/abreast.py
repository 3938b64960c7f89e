"""Writes side by side, so that the log commits many of them with one sync of the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

ABREAST = 32


async def abreast(work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    """`work` for every item, begun in their order, at most ABREAST at a time."""
    left = iter(items)

    async def one_after_the_other() -> None:
        for item in left:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(ABREAST):
            tasks.create_task(one_after_the_other())
