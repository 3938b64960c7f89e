"""Shared connections: opened one at a time, lent while there is room, and never to be found by nobody."""

from __future__ import annotations

import asyncio

from proxy.upstreams.shared_pool import Crew, SharedPool

KEY = "here"


class Connection:
    """It leaves as soon as it is closed, as one that its backend has ended."""

    def __init__(self, crew: Crew[Connection]) -> None:
        self.can_open = True
        self._crew = crew

    def close(self) -> None:
        self.can_open = False
        self._crew.leave(self)


class Backend:
    """Lets connections be opened. made: all, in their order."""

    def __init__(self) -> None:
        self.made: list[Connection] = []
        self.lets = asyncio.Event()

    async def connect(self, crew: Crew[Connection]) -> Connection:
        await self.lets.wait()
        self.made.append(Connection(crew))
        return self.made[-1]


def test_all_who_wait_get_the_one_connection_that_is_opened() -> None:
    async def test() -> None:
        pool: SharedPool[Connection] = SharedPool()
        backend = Backend()
        waiting = [asyncio.create_task(pool.crew(KEY).open(backend.connect)) for _ in range(3)]
        await asyncio.sleep(0)
        backend.lets.set()
        assert await asyncio.gather(*waiting) == backend.made * 3
        assert pool.with_room(KEY) is backend.made[0]
        pool.close()
        assert pool.with_room(KEY) is None and not pool._crews

    asyncio.run(test())


def test_who_waited_for_a_connection_that_ended_at_once_opens_one_that_others_find() -> None:
    async def test() -> None:
        pool: SharedPool[Connection] = SharedPool()
        backend = Backend()

        async def connect(crew: Crew[Connection]) -> Connection:
            made = await backend.connect(crew)
            if len(backend.made) == 1:
                asyncio.get_running_loop().call_soon(made.close)  # before those who wait are told
            return made

        waiting = asyncio.create_task(pool.crew(KEY).open(connect))
        await asyncio.sleep(0)
        backend.lets.set()
        connection = await waiting
        assert connection is backend.made[1]
        assert connection.can_open and pool.with_room(KEY) is connection
        pool.close()
        assert not connection.can_open

    asyncio.run(test())
