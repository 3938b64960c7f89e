"""Kept-alive connections to backends, by what they may be used for: idle ones come in, the last used goes out.

It refuses to know protocols; whether a connection may be used again was decided by the one who gives it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

Address = tuple[str, int] | str
"""(IP address, port) or the path of a Unix socket."""

PoolKey = Hashable
"""What connections must have in common: an address, and what `Security` they were made with if they are TLS."""


class Pooled(Protocol):
    """A connection that can wait."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Pooled)


class Stack(list[C]):
    """Idle connections of one key. Last in, first out, so that surplus ones age and go."""

    __slots__ = ("__weakref__",)

    def give(self, connection: C, limit: int) -> bool:
        """Keep `connection` for later; False when `limit` connections wait already."""
        if len(self) >= limit:
            return False
        self.append(connection)
        return True

    def forget(self, connection: C) -> None:
        """Drop a connection that closed while it waited; harmless when it is not here."""
        if connection in self:
            self.remove(connection)


class Pool(Generic[C]):
    """The stacks by key. A stack lives for as long as anybody holds it: its connections do."""

    __slots__ = ("_stacks",)

    def __init__(self) -> None:
        self._stacks: WeakValueDictionary[PoolKey, Stack[C]] = WeakValueDictionary()

    def stack(self, key: PoolKey) -> Stack[C]:
        """The connections that wait for work of `key`."""
        stack = self._stacks.get(key)
        if stack is None:
            stack = self._stacks[key] = Stack()
        return stack

    def take(self, key: PoolKey) -> C | None:
        """An idle connection for `key`, now the caller's, or None."""
        stack = self._stacks.get(key)
        return stack.pop() if stack else None

    def idle_count(self, key: PoolKey) -> int:
        """How many connections for `key` wait."""
        return len(self._stacks.get(key, ()))

    def close(self) -> None:
        """Close everything that waits."""
        for stack in list(self._stacks.values()):
            while stack:
                stack.pop().close()
