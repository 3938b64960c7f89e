"""Connections to backends that many requests share, by what they may be used for: one with room goes out.

There is one connection for a key while it has room for another request, and one more when it has not. They are opened
one at a time, for all who wait. It refuses to know protocols, and how a connection is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Shared(Protocol):
    """A connection that carries several requests at once. can_open: it can take another now."""

    @property
    def can_open(self) -> bool: ...
    def close(self) -> None: ...


C = TypeVar("C", bound=Shared)


class Crew(Generic[C]):
    """The connections of one key that may be given requests, the oldest first. opening: makes another one now."""

    __slots__ = ("_key", "_members", "_pool", "opening")

    def __init__(self, pool: SharedPool[C], key: Hashable) -> None:
        self._pool = pool
        self._key = key
        self._members: list[C] = []
        self.opening: asyncio.Task[None] | None = None

    def with_room(self) -> C | None:
        """The first connection that can take another request, or None."""
        for connection in self._members:
            if connection.can_open:
                return connection
        return None

    async def open(self, connecting: Callable[[Crew[C]], Awaitable[C]]) -> C:
        """A connection with room, for a request that begins in the same turn of the loop; a new one if need be.

        connecting: makes one, which has room, or raises, which is raised here. Being cancelled ends the waiting alone:
        the connection is for others too.
        """
        crew = self
        while (connection := crew.with_room()) is None:
            crew = self._pool.crew(self._key)  # this one may have been dropped while its opening was waited for
            await crew._enlarged(connecting)
        return connection

    async def _enlarged(self, connecting: Callable[[Crew[C]], Awaitable[C]]) -> None:
        if self.opening is None:
            self.opening = asyncio.get_running_loop().create_task(self._enlarge(connecting))
            self.opening.add_done_callback(_look)
        await asyncio.shield(self.opening)

    async def _enlarge(self, connecting: Callable[[Crew[C]], Awaitable[C]]) -> None:
        try:
            self._members.append(await connecting(self))
        finally:
            self.opening = None
            self._tidy()

    def leave(self, connection: C) -> None:
        """A connection takes no requests any more; harmless when it is not here."""
        if connection in self._members:
            self._members.remove(connection)
        self._tidy()

    def close(self) -> None:
        """Close all connections."""
        if self.opening is not None:
            self.opening.cancel()
        for connection in self._members.copy():
            connection.close()

    def _tidy(self) -> None:
        if not self._members and self.opening is None:
            self._pool.forget(self._key, self)


class SharedPool(Generic[C]):
    """The crews by key; a key is such as an address, with how TLS is spoken there."""

    __slots__ = ("_crews",)

    def __init__(self) -> None:
        self._crews: dict[Hashable, Crew[C]] = {}

    def with_room(self, key: Hashable) -> C | None:
        """A connection that is open and can take another request, or None."""
        crew = self._crews.get(key)
        return crew.with_room() if crew is not None else None

    def known(self, key: Hashable) -> Crew[C] | None:
        """The connections for `key`, if there are any or are about to be."""
        return self._crews.get(key)

    def crew(self, key: Hashable) -> Crew[C]:
        """The connections for `key`, if only those to come."""
        crew = self._crews.get(key)
        if crew is None:
            crew = self._crews[key] = Crew(self, key)
        return crew

    def forget(self, key: Hashable, crew: Crew[C]) -> None:
        """A crew that has nobody any more."""
        if self._crews.get(key) is crew:
            del self._crews[key]

    def close(self) -> None:
        """Close everything."""
        for crew in list(self._crews.values()):
            crew.close()


def _look(opening: asyncio.Task[None]) -> None:
    """Whoever waited was told; nobody may have waited to the end."""
    if not opening.cancelled():
        opening.exception()
