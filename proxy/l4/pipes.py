"""Pipes for splicing: lent while bytes flow, given back empty.

A big pipe moves a gigabyte for half the CPU of a small one, but the kernel gives an ordinary user only 64 MiB of
them: the 65th of 1 MiB is refused (EPERM) and later ones shrink to two pages. So they are pooled, smaller ones are
taken as they come, and a relay does without when there is none.
"""

from __future__ import annotations

import fcntl
import os

PIPE_BYTES = 1 << 20
SPARE_LIMIT = 32
CAN_SPLICE = hasattr(os, "splice")


class Pipe:
    """Both ends and how much it holds at most."""

    __slots__ = ("limit_bytes", "read_end", "write_end")

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self.limit_bytes = fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:  # over this user's share: the size it was made with must do
            self.limit_bytes = fcntl.fcntl(self.write_end, fcntl.F_GETPIPE_SZ)

    def close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)


class Pipes:
    """The pool of one event loop; at most `limit` pipes exist."""

    __slots__ = ("_limit", "_made", "_spare")

    def __init__(self, limit: int) -> None:
        self._limit = limit if CAN_SPLICE else 0
        self._made = 0
        self._spare: list[Pipe] = []

    def lend(self) -> Pipe | None:
        """An empty pipe; None when the limit is reached or the system has no more."""
        if self._spare:
            return self._spare.pop()
        if self._made >= self._limit:
            return None
        try:
            pipe = Pipe()
        except OSError:  # out of descriptors: the caller copies
            return None
        self._made += 1
        return pipe

    def give_back(self, pipe: Pipe, *, empty: bool) -> None:
        """Take a pipe back. One that is not empty is closed: its bytes belong to a connection that is gone."""
        if empty and len(self._spare) < SPARE_LIMIT:
            self._spare.append(pipe)
        else:
            self._made -= 1
            pipe.close()

    def close(self) -> None:
        """Close what nobody has borrowed."""
        while self._spare:
            self._made -= 1
            self._spare.pop().close()
