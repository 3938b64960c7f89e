"""Keeps GatewayClasses that Gateways use from being deleted: objects come in, finalizers are written.

Without its class a Gateway is nobody's: it would be served no more, and its status would stay as it was. A class that
is deleted goes with the last Gateway that uses it (Gateway API: GatewayClass, "gateway-exists-finalizer").
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from appliance.gatewayapi.classes import own_classes
from appliance.gatewayapi.resources import GATEWAY_GROUP, Key, Objects
from store.errors import StatusError
from store.service import Service
from store.verbs import Target, WriteOptions

_LOG = logging.getLogger(__name__)
FINALIZER: Final = "gateway-exists-finalizer.gateway.networking.k8s.io"
_WRITE: Final = WriteOptions(manager="gatehouse-gateways")
_RETRY_S: Final = 0.5
_RETRY_LATEST_S: Final = 60.0


class ClassFinalizers:
    """`look_again` says that somebody touched objects; `run` gives and takes finalizers."""

    def __init__(self, service: Service, objects: Objects, latest: Mapping[Key, bytes]) -> None:
        """objects, latest: as in Cache."""
        self._service = service
        self._objects = objects
        self._latest = latest
        self._due = asyncio.Event()
        self._due.set()
        self._refusals = 0

    def look_again(self, keys: Iterable[Key]) -> None:
        """These objects changed."""
        if any(key.kind in ("Gateway", "GatewayClass") for key in keys):
            self._due.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            used = {gateway.spec.get("gatewayClassName") for gateway in self._objects.of("Gateway").values()}
            for name, gateway_class in own_classes(self._objects).items():
                await self._settle(gateway_class.key, used=name in used)

    async def _settle(self, key: Key, *, used: bool) -> None:
        value = self._latest.get(key)
        if value is None:
            return
        body: dict[str, Any] = orjson.loads(value)
        held = body["metadata"].get("finalizers") or []
        if (FINALIZER in held) == used or (used and "deletionTimestamp" in body["metadata"]):
            return  # what is being deleted can be given no finalizer
        kept = [finalizer for finalizer in held if finalizer != FINALIZER]
        body["metadata"]["finalizers"] = [*kept, FINALIZER] if used else kept
        try:
            await self._service.replace(self._target(key), body, _WRITE)
            self._refusals = 0
        except StatusError as error:
            if error.code not in (404, 409):  # gone; or changed, and the change is on its way here
                _LOG.warning("cannot write the finalizers of GatewayClass %s: %s", key.name, error)
                delay_s = min(_RETRY_S * 2 ** min(self._refusals, 10), _RETRY_LATEST_S)
                self._refusals += 1
                asyncio.get_running_loop().call_later(delay_s, self._due.set)

    def _target(self, key: Key) -> Target:
        kind = self._service.registry.by_name(GATEWAY_GROUP, "GatewayClass")
        assert kind is not None
        return Target(kind, kind.storage_version.name, "", key.name)
