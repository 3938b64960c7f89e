"""Compaction: a background task that lets the log forget what nobody can need, and never the recent past.

It keeps at least the last `keep_revisions` revisions and everything of the last `keep_s` seconds.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from typing import Protocol

logger = logging.getLogger(__name__)

SAMPLES = 10


class Compactable(Protocol):
    """What compaction needs of the log."""

    revision: int

    async def compact(self, before: int) -> None: ...


def due(samples: deque[int], revision: int, keep_revisions: int) -> int:
    """The revision to compact before, from the revisions seen at regular instants, the oldest `keep_s` ago.

    0 while the samples do not reach back far enough.
    """
    if len(samples) < SAMPLES + 1:
        return 0
    return max(0, min(samples[0], revision - keep_revisions))


async def keep_compacted(log: Compactable, keep_revisions: int, keep_s: float) -> None:
    """Compact again and again, until cancelled."""
    samples: deque[int] = deque([log.revision], maxlen=SAMPLES + 1)
    while True:
        await asyncio.sleep(keep_s / SAMPLES)
        samples.append(log.revision)
        if before := due(samples, log.revision, keep_revisions):
            try:
                await log.compact(before)
            except sqlite3.Error as error:
                # A full disk is the usual cause; the next round tries again, and nothing is lost meanwhile.
                logger.warning("compaction before revision %d failed: %s", before, error)
