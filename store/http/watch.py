"""Watches: events as JSON lines, until the client leaves, the time is up, the watcher is too slow or the server stops.

A collection and options come in, a chunked stream goes out. Queues, replay and bookmarks are the service's.
"""

from __future__ import annotations

import asyncio
import time

import orjson
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from store.errors import StatusError
from store.http import tables
from store.http.negotiation import JSON, Form
from store.http.parameters import flag
from store.http.tables import IncludeObject
from store.http.urls import version_of
from store.service import Service
from store.verbs import Collection, Event, WatchOptions

GONE = 410


def wants_watch(request: Request) -> bool:
    """The watch parameter is set."""
    return flag(request.query_params, "watch")


class WatchStream:
    """The answer to one watch request, as an ASGI application. Raises StatusError before the first byte only.

    headers: of the answer; they may be added to before it is called.

    scope["state"]["closing"], where the server puts one, is an asyncio.Event that ends all watches when it stops.
    """

    def __init__(
        self, service: Service, collection: Collection, options: WatchOptions, form: Form, include: IncludeObject
    ) -> None:
        self._service = service
        self._collection = collection
        self._options = options
        self._encoder = _Encoder(collection, form, include)
        self.headers = MutableHeaders({"Content-Type": JSON, "Cache-Control": "no-cache, private"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            watch = self._service.watch(self._collection, self._options)
        except StatusError as error:
            if error.code != GONE:
                raise
            await self._begin(send)
            await _end(send, self._encoder.error(error))
            return
        closing: asyncio.Event | None = scope.get("state", {}).get("closing")
        await self._begin(send)
        leaving = [asyncio.create_task(_disconnected(receive))]
        if closing is not None:
            leaving.append(asyncio.create_task(_stopped(closing)))
        for task in leaving:
            task.add_done_callback(lambda _: watch.close())
        try:
            async for event in watch:
                await send({"type": "http.response.body", "body": self._encoder.line(event), "more_body": True})
            last = b""
        except StatusError as error:
            last = self._encoder.error(error)
        finally:
            watch.close()
            for task in leaving:
                task.cancel()
        await _end(send, last)

    async def _begin(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.headers.raw})
        # The head must reach the client now, not with the first event.
        await send({"type": "http.response.body", "body": b"", "more_body": True})


class _Encoder:
    """Events of one watch as lines; as Tables the first line alone names the columns, as kube-apiserver does."""

    def __init__(self, collection: Collection, form: Form, include: IncludeObject) -> None:
        self._form = form
        self._include = include
        self._columns = tables.columns_of(version_of(collection).columns)
        self._definitions = tables.definitions(self._columns)

    def line(self, event: Event) -> bytes:
        value = event.value if self._form.view == "Object" else self._viewed(event)
        return b"".join((b'{"type":"', event.type.encode(), b'","object":', value, b"}\n"))

    def error(self, error: StatusError) -> bytes:
        return b"".join((b'{"type":"ERROR","object":', orjson.dumps(error.status()), b"}\n"))

    def _viewed(self, event: Event) -> bytes:
        version = self._form.version
        if self._form.view == "PartialObjectMetadata":
            return orjson.dumps(tables.partial_object(orjson.loads(event.value), version))
        metadata = {"resourceVersion": str(event.revision)}
        if event.type == "BOOKMARK":
            metadata = orjson.loads(event.value)["metadata"]
            return orjson.dumps(tables.table(self._once(), [], version, metadata))
        row = tables.row(self._columns, event.value, self._include, version, time.time())
        return orjson.dumps(tables.table(self._once(), [row], version, metadata))

    def _once(self) -> list[dict[str, object]]:
        definitions, self._definitions = self._definitions, []
        return definitions


async def _end(send: Send, last: bytes) -> None:
    await send({"type": "http.response.body", "body": last, "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stopped(closing: asyncio.Event) -> None:
    await closing.wait()
