"""Request bodies, read whole within a limit of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from store.errors import StatusError

LIMIT_BYTES = 3 * 1024 * 1024
TIMEOUT_S = 60.0


async def read_body(request: Request) -> bytes:
    """The body. Raises StatusError 413 above 3 MiB, 408 when it does not arrive."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LIMIT_BYTES:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(TIMEOUT_S):
            async for piece in request.stream():
                size += len(piece)
                if size > LIMIT_BYTES:
                    raise _too_large()
                pieces.append(piece)
    except TimeoutError:
        raise StatusError(408, "Timeout", f"the body of the request did not arrive within {TIMEOUT_S:.0f} s") from None
    except ClientDisconnect:
        raise StatusError(400, "BadRequest", "the client went away in the middle of the body") from None
    return b"".join(pieces)


def _too_large() -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LIMIT_BYTES}")
