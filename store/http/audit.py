"""The audit trail: one record per request, of who did what and how it ended. Off unless a sink is given.

Heads of requests and answers come in, flat records go to the sink; bodies are never looked at. Writing the records to
a file is the sink's business, and it must not block.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AuditSink = Callable[[dict[str, Any]], None]


class AuditLayer:
    """Hands a record to the sink when the answer has ended; for a watch that is when the watch ends."""

    def __init__(self, app: ASGIApp, sink: AuditSink) -> None:
        self._app = app
        self._sink = sink

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s, started = time.time(), time.perf_counter()
        code = 0

        async def noting_send(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            user = scope.get("user")
            headers = dict(scope["headers"])
            self._sink(
                {
                    "time_s": round(began_s, 3),
                    "duration_ms": round((time.perf_counter() - started) * 1000, 3),
                    "user": user.name if user else "",
                    "groups": list(user.groups) if user else [],
                    "method": scope["method"],
                    "path": scope["path"],
                    "query": scope["query_string"].decode("latin-1"),
                    "code": code,
                    "client": scope["client"][0] if scope.get("client") else "",
                    "agent": headers.get(b"user-agent", b"").decode("latin-1"),
                }
            )
