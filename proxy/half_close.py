"""The end of one direction of a connection, the same on every event loop: a transport comes in and sends no more."""

from __future__ import annotations

import asyncio


def end_sending(transport: asyncio.Transport) -> None:
    """Send what waits, then say that there is nothing more; receiving goes on.

    A peer that has reset the connection, of which nobody has heard yet, makes asyncio's transports raise here, where
    others tell `connection_lost`: so do these then.
    """
    try:
        transport.write_eof()
    except OSError:
        transport.abort()
