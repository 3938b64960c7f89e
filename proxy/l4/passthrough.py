"""TLS that is relayed as it is: a transport whose ClientHello was read comes in, its socket goes to be relayed.

The event loop's transport is left behind for a duplicate of its descriptor, because the kernel is to move the bytes.
"""

from __future__ import annotations

import asyncio
import os
import socket


def take_socket(transport: asyncio.Transport) -> socket.socket:
    """The connection of a transport as a non-blocking socket of its own; the transport is closed, the connection not.

    Raises OSError when there are no descriptors left.
    """
    transport.pause_reading()
    descriptor = os.dup(transport.get_extra_info("socket").fileno())
    taken = socket.socket(fileno=descriptor)
    taken.setblocking(False)
    transport.abort()
    return taken
