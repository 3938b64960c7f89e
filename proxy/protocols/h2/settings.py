"""SETTINGS (RFC 9113 section 6.5): what a peer's frame says, judged."""

from __future__ import annotations

import struct
from typing import Final

from proxy.protocols.h2.errors import Code, ConnectionFault
from proxy.protocols.h2.limits import WINDOW_LIMIT

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6
_SETTINGS_LIMIT = 100


def read_settings(body: bytes, *, from_server: bool) -> list[tuple[int, int]]:
    """(number, value) in their order, those that we do not know included. Raises ConnectionFault."""
    if len(body) % 6:
        raise ConnectionFault(Code.FRAME_SIZE_ERROR, "SETTINGS of a length that is not a multiple of 6")
    if len(body) > 6 * _SETTINGS_LIMIT:
        raise ConnectionFault(Code.ENHANCE_YOUR_CALM, f"more than {_SETTINGS_LIMIT} settings")
    found: list[tuple[int, int]] = []
    for number, value in struct.iter_unpack(">HI", body):
        if number == ENABLE_PUSH and value > (0 if from_server else 1):
            raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible SETTINGS_ENABLE_PUSH")
        if number == INITIAL_WINDOW_SIZE and value > WINDOW_LIMIT:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "an impossible SETTINGS_INITIAL_WINDOW_SIZE")
        if number == MAX_FRAME_SIZE and not 16384 <= value <= 16777215:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "an impossible SETTINGS_MAX_FRAME_SIZE")
        found.append((number, value))
    return found
