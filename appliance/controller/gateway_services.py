"""Keeps the Service that stands for each Gateway: drafts and statuses of Gateways come in, Services are written.

What others write into such a Service stays theirs, and a Service of somebody else that has its name is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import orjson

from appliance.gatewayapi.drafts import Drafts, GatewayDraft, Status
from appliance.gatewayapi.infrastructure import (
    LOAD_BALANCER_CLASS,
    MANAGED_BY,
    MANAGER,
    GatewayService,
    ingress,
    manifest,
)
from appliance.gatewayapi.resources import Key
from store.errors import StatusError
from store.service import Service
from store.verbs import DeleteOptions, Patch, Target, WriteOptions

_LOG = logging.getLogger(__name__)
_WRITE: Final = WriteOptions(manager="gatehouse-gateways")
_RETRY_S: Final = 0.5
_RETRY_LATEST_S: Final = 60.0

_MARK: Final = LOAD_BALANCER_CLASS.encode()
"""Stands in every Service of ours as it is stored, and hardly in others."""

Json = dict[str, Any]


class Wanted(NamedTuple):
    """A Service, and where it says that its Gateway is reached."""

    service: GatewayService
    ingress: list[dict[str, str]]


Step = Literal["nothing", "create", "apply", "delete", "foreign"]


def decide(current: Json | None, wanted: GatewayService | None, applied: GatewayService | None) -> Step:
    """What to do about a Service. applied: what was last written, by this process; then what differs is others' will.

    "foreign": somebody else's Service has the name.
    """
    if current is None:
        return "create" if wanted is not None else "nothing"
    if "deletionTimestamp" in current["metadata"]:
        return "nothing"  # there will be a change when it is gone
    owner = _owner(current)
    ours = (current["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER and owner.get("kind") == "Gateway"
    if wanted is None:
        return "delete" if ours else "nothing"
    if owner.get("uid") != wanted.uid:
        return "delete" if ours else "foreign"  # of a Gateway that had the same name before
    return "nothing" if wanted == applied or _says(current, manifest(wanted)) else "apply"


def _owner(current: Json) -> Json:
    return next((o for o in current["metadata"].get("ownerReferences") or () if o.get("controller")), {})


def _says(current: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is there, whatever else is."""
    if isinstance(wanted, dict):
        return isinstance(current, dict) and all(_says(current.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(current, list)
            and len(current) == len(wanted)
            and all(_says(one, other) for one, other in zip(current, wanted, strict=True))
        )
    return bool(current == wanted)


def _yielding(wanted: Json, current: Json) -> Json:
    """Without the labels and annotations that have another value."""
    metadata = dict(wanted["metadata"])
    for field in ("labels", "annotations"):
        there = current["metadata"].get(field) or {}
        metadata[field] = {
            name: text for name, text in metadata.get(field, {}).items() if there.get(name, text) == text
        }
    return {**wanted, "metadata": metadata}


class GatewayServices:
    """`want` says what there should be, `look_again` that somebody touched objects; `run` makes it so."""

    def __init__(self, service: Service, latest: Mapping[Key, bytes]) -> None:
        self._service = service
        self._latest = latest
        self._wanted: dict[Key, dict[Key, Wanted]] = {}  # by Service, then by Gateway: two may come to one name
        self._named: dict[Key, Key] = {}  # the Service of each Gateway
        self._applied: dict[Key, GatewayService] = {}
        self._attempts: dict[Key, int] = {}
        self._due: asyncio.Queue[Key] = asyncio.Queue()
        self._queued: set[Key] = set()
        self._begun = False

    def want(self, drafts: Drafts, statuses: Mapping[Key, Status], changed: Iterable[Key]) -> None:
        """changed: whose drafts or statuses may be others than before."""
        for key in changed:
            if key.kind == "Gateway":
                draft, status = drafts.waiting.get(key), statuses.get(key)
                service = draft.service if isinstance(draft, GatewayDraft) else None
                self._want(key, Wanted(service, ingress(status.body)) if service and status else None)
        if not self._begun:
            self._begun = True
            self.look_again(self._latest)

    def _want(self, gateway: Key, wanted: Wanted | None) -> None:
        old = self._named.pop(gateway, None)
        before = self._wanted[old].pop(gateway) if old is not None else None
        if old is not None and not self._wanted[old]:
            del self._wanted[old]
        if wanted is not None:
            self._named[gateway] = wanted.service.key
            self._wanted.setdefault(wanted.service.key, {})[gateway] = wanted
        if before != wanted:
            for changed in (before, wanted):
                if changed is not None:
                    self._enqueue(changed.service.key)

    def _holder(self, key: Key, current: Json | None) -> Wanted | None:
        """What a Service should be: its owner's, as long as that wants it, else the first Gateway's by name."""
        wanted = self._wanted.get(key)
        if not wanted:
            return None
        uid = _owner(current).get("uid") if current is not None else None
        return next((one for one in wanted.values() if one.service.uid == uid), wanted[min(wanted)])

    def look_again(self, keys: Iterable[Key]) -> None:
        """The objects changed; those that neither are ours nor should be are none of our business."""
        if self._begun:
            for key in keys:
                known = key in self._wanted or key in self._applied
                if key.kind == "Service" and (known or _MARK in self._latest.get(key, b"")):
                    self._enqueue(key)

    def _enqueue(self, key: Key) -> None:
        if key not in self._queued:
            self._queued.add(key)
            self._due.put_nowait(key)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            key = await self._due.get()
            self._queued.discard(key)
            try:
                await self._settle(key)
                self._attempts.pop(key, None)
            except StatusError as error:
                self._refused(key, error)
            await asyncio.sleep(0)  # where nothing is written nothing else would let others have the loop

    def _refused(self, key: Key, error: StatusError) -> None:
        tried = self._attempts.pop(key, 0)
        if key not in self._wanted or error.code == 404:  # gone, or about to: nothing is left to do
            return
        if error.code != 409 or tried > 2:
            _LOG.warning("cannot write Service %s/%s, which stands for a Gateway: %s", key.namespace, key.name, error)
        self._attempts[key] = tried + 1
        delay_s = min(_RETRY_S * 2 ** min(tried, 10), _RETRY_LATEST_S)
        asyncio.get_running_loop().call_later(delay_s, self._enqueue, key)

    async def _settle(self, key: Key) -> None:
        """Make one Service right."""
        value = self._latest.get(key)
        current: Json | None = orjson.loads(value) if value is not None else None
        wanted = self._holder(key, current)
        target = self._target(key)
        if wanted is None and current is None:
            self._applied.pop(key, None)
            return
        step = decide(current, wanted.service if wanted else None, self._applied.get(key))
        if step == "foreign":
            self._applied.pop(key, None)
            _LOG.warning("Service %s/%s has the name of one that would stand for a Gateway", key.namespace, key.name)
        elif step == "delete" and current is not None:
            self._applied.pop(key, None)
            await self._service.delete(target, DeleteOptions(uid=current["metadata"]["uid"], manager=_WRITE.manager))
        elif wanted is not None and step == "create" and self._exists(target):
            return  # since a moment ago: the change is on its way here
        elif wanted is not None and step in ("create", "apply"):
            current = await self._apply(target, current, wanted.service)
            self._applied[key] = wanted.service
        if wanted is not None and current is not None and step in ("nothing", "create", "apply"):
            await self._tell(target, current, wanted)

    def _exists(self, target: Target) -> bool:
        try:
            self._service.get(target)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return True

    async def _apply(self, target: Target, current: Json | None, wanted: GatewayService) -> Json | None:
        """The Service after it. Labels and annotations that others want otherwise stay theirs; where they claim more,
        it is left as it is."""
        full = manifest(wanted)
        for body in (full, _yielding(full, current or full)):
            try:
                answer = await self._service.patch(target, Patch("apply", body), _WRITE)
            except StatusError as error:
                if error.code != 409:
                    raise
                _LOG.warning("Service %s/%s stands for a Gateway and is not as that asks: %s", *wanted.key[1:], error)
            else:
                written: Json = orjson.loads(answer.value)
                return written
        return current

    async def _tell(self, target: Target, current: Json, wanted: Wanted) -> None:
        """Say in its status where the Gateway is reached."""
        status = current.get("status") or {}
        balancer = status.get("loadBalancer") or {}
        if (balancer.get("ingress") or []) != wanted.ingress:
            status = {**status, "loadBalancer": {"ingress": wanted.ingress} if wanted.ingress else {}}
            await self._service.replace(replace(target, subresource="status"), {**current, "status": status}, _WRITE)

    def _target(self, key: Key) -> Target:
        kind = self._service.registry.find("", "services")
        assert kind is not None
        return Target(kind, kind.storage_version.name, key.namespace, key.name)
