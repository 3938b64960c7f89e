"""What a peer may ask of us on one connection."""

from __future__ import annotations

from dataclasses import dataclass

FRAME_LIMIT_BYTES = 16384
"""SETTINGS_MAX_FRAME_SIZE: the default and least, both ways."""
WINDOW_LIMIT = 2**31 - 1
DEFAULT_WINDOW = 65535


@dataclass(frozen=True, slots=True)
class Limits:
    """head_limit_bytes: of a head's fields, each counted with 32 bytes more; field_count_limit, target_limit_bytes: of
    requests. stream_limit: streams that are open at once.

    stream_window_bytes: what a stream's sender may have on its way, and so what one stream can take of our memory.
    connection_window_bytes: the same for all streams together; credited on receipt, so it holds nobody up.
    queue_limit_bytes: what may wait for a stream's window before its handler is told that it is full.
    upset_limit, upset_interval_s: resets, refusals and frames that do nothing, in so many seconds.
    """

    head_limit_bytes: int = 65536
    field_count_limit: int = 100
    target_limit_bytes: int = 16384
    stream_limit: int = 128
    stream_window_bytes: int = 262144
    connection_window_bytes: int = 16 * 1024 * 1024
    queue_limit_bytes: int = 65536
    upset_limit: int = 500
    upset_interval_s: float = 10.0
    control_limit: int = 1000
    """Answers to PING and SETTINGS that may wait for the end of a turn of the loop, or for a transport that is full."""
