"""The two ends that the driver plays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class WrongAnswerError(Exception):
    """The proxy passed on something else than it should have."""


class Backend(Protocol):
    """One connection that the proxy made."""

    def read(self, data: bytes) -> bytes:
        """What to answer to what the proxy sent, or b"" when that is not a whole request yet."""


class Client(Protocol):
    """One connection to the proxy."""

    @property
    def done(self) -> int:
        """Answers so far that were whole and right."""

    def start(self) -> bytes:
        """The first bytes."""

    def read(self, data: bytes) -> bytes:
        """What to send on what the proxy answered. Raises WrongAnswerError."""


MakeClient = Callable[[], Client]
MakeBackend = Callable[[], Backend]
