"""Event (core group): something that happened to an object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.columns import UNKNOWN
from store.kinds.fields import int32, record, string, time
from store.kinds.kind import Column, Kind, Version
from store.schema.causes import cause
from store.schema.structural import Schema


def _reference(description: str) -> Schema:
    return record(
        description,
        {
            "apiVersion": string("Group and version."),
            "fieldPath": string("Part of the object."),
            "kind": string("Kind."),
            "name": string("Name."),
            "namespace": string("Namespace."),
            "resourceVersion": string("Revision."),
            "uid": string("Identity."),
        },
        atomic=True,
    )


def _series(lasted: str) -> Schema:
    return record(
        "How an event goes on that happens again and again.",
        {"count": int32("How often so far."), lasted: time("When it last happened.", format_="micro-time")},
    )


_TIMES = ("eventTime", "firstTimestamp", "lastTimestamp")
_SOURCE = record("Who says so.", {"component": string("The program."), "host": string("The machine.")})


def _seen(value: dict[str, Any], field: str) -> Any:
    return value.get(field) or value.get("eventTime") or UNKNOWN


def _last_seen(value: dict[str, Any]) -> Any:
    series = value.get("series") or {}
    return series.get("lastObservedTime") or value.get("lastTimestamp") or _seen(value, "firstTimestamp")


def _object(value: dict[str, Any]) -> str:
    involved = value.get("involvedObject") or {}
    kind, name = str(involved.get("kind", "")).lower(), involved.get("name", "")
    return f"{kind}/{name}" if name else kind


def _source(value: dict[str, Any]) -> str:
    source = value.get("source") or {}
    component = source.get("component") or value.get("reportingComponent") or ""
    host = source.get("host") or value.get("reportingInstance") or ""
    return ", ".join(filter(None, (component, host)))


def _count(value: dict[str, Any]) -> int:
    return int((value.get("series") or {}).get("count") or value.get("count") or 1)


def _prepare(value: dict[str, Any]) -> None:
    """Clients of Kubernetes read these times as null where there are none."""
    for name in _TIMES:
        value.setdefault(name, None)


def _judge(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    """An event lies where its object does."""
    own = (value.get("metadata") or {}).get("namespace", "")
    involved = (value.get("involvedObject") or {}).get("namespace", "")
    if involved and own and involved != own:
        yield cause("FieldValueInvalid", "involvedObject.namespace", involved, "does not match event.namespace")


_COLUMNS = (
    Column("Last Seen", "date", cell=_last_seen),
    Column("Type", "string", cell=lambda value: value.get("type", "")),
    Column("Reason", "string", cell=lambda value: value.get("reason", "")),
    Column("Object", "string", cell=_object),
    Column("Subobject", "string", cell=lambda v: (v.get("involvedObject") or {}).get("fieldPath", ""), priority=1),
    Column("Source", "string", cell=_source, priority=1),
    Column("Message", "string", cell=lambda value: value.get("message", "").strip()),
    Column("First Seen", "date", cell=lambda value: _seen(value, "firstTimestamp"), priority=1),
    Column("Count", "string", cell=_count, priority=1),
    Column("Name", "string", ".metadata.name", format="name", priority=1),
)
_FIELDS = record(
    "Something that happened to an object.",
    {
        "action": string("What was done or failed."),
        "count": int32("How often it happened."),
        "eventTime": time("When it was first seen.", format_="micro-time", nullable=True),
        "firstTimestamp": time("When it first happened.", nullable=True),
        "involvedObject": _reference("Object that it happened to."),
        "lastTimestamp": time("When it last happened.", nullable=True),
        "message": string("What happened, for people."),
        "reason": string("What happened, in one word for programs."),
        "related": _reference("Another object that has to do with it."),
        "reportingComponent": string("Controller that says so.", default=""),
        "reportingInstance": string("Instance of that controller.", default=""),
        "series": _series("lastObservedTime"),
        "source": _SOURCE,
        "type": string("Normal or Warning."),
    },
    stated_required=("metadata", "involvedObject"),
)
_SCHEMA = replace(_FIELDS, prepare=_prepare, judge=_judge)
EVENT = Kind(
    group="",
    name="Event",
    plural="events",
    singular="event",
    custom=False,
    short_names=("ev",),
    versions=(Version("v1", _SCHEMA, _COLUMNS, storage=True, status=False),),
)
