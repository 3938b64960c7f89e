"""What whole header blocks meant on one connection, while its table has not changed: bytes come in, a meaning goes out.

Bounded in number and in bytes; nothing in it is shared with another connection, for blocks hold what one client sent.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from proxy.memo import Memo
from proxy.protocols.h2.decoder import Decoder

_BLOCK_LIMIT_BYTES = 512
_BLOCKS_LIMIT = 64

V = TypeVar("V")


class BlockMemory(Generic[V]):
    """At most 64 KiB of blocks. state: the decoder's when they were remembered; in another they mean nothing.

    Hot paths compare it themselves and read `known.young`; `recall` answers what that lacks.
    """

    __slots__ = ("_decoder", "known", "state")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.state = decoder.state
        self.known: Memo[bytes, V] = Memo(_BLOCKS_LIMIT)

    def recall(self, block: bytes) -> V | None:
        """What the block meant, if that still holds."""
        return self.known.recall(block) if self.state == self._decoder.state else None

    def remember(self, block: bytes, meaning: V) -> None:
        """Only for the block that was decoded last, and not when it changed the table."""
        if self.state != self._decoder.state:
            self.known = Memo(_BLOCKS_LIMIT)
            self.state = self._decoder.state
        if len(block) <= _BLOCK_LIMIT_BYTES:
            self.known.remember(block, meaning)
