"""Bounds on what is in flight: reads, writes and watches each have their own, and beyond it the answer is 429."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from store.errors import StatusError

RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests of each sort may be under way."""

    reads: int = 400
    writes: int = 200
    watches: int = 4000


class InFlightLayer:
    """Counts requests under way and raises StatusError 429 for those beyond the limit."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._free = {"read": limits.reads, "write": limits.writes, "watch": limits.watches}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sort = _sort(scope)
        if self._free[sort] <= 0:
            message = "the server has received too many requests and has asked us to try again later"
            raise StatusError(429, "TooManyRequests", message, retry_after_s=RETRY_AFTER_S)
        self._free[sort] -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._free[sort] += 1


def _sort(scope: Scope) -> str:
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        return "write"
    query: bytes = scope["query_string"]
    if b"watch" in query and parse_qs(query).get(b"watch", [b""])[-1] not in (b"", b"0", b"false"):
        return "watch"
    return "read"
