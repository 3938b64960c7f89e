"""What goes into the verbs of the store and what comes out; `store.service.Service` carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from store.kinds.kind import Kind

FieldValidation = Literal["Strict", "Warn", "Ignore"]
PatchType = Literal["json", "merge", "strategic", "apply"]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@dataclass(frozen=True, slots=True)
class Collection:
    """All objects of a kind, in one namespace or ("" ) in all; answers carry apiVersion of `version`."""

    kind: Kind
    version: str
    namespace: str = ""

    def object(self, name: str, namespace: str = "", subresource: str = "") -> Target:
        """The target with this name in this collection."""
        return Target(self.kind, self.version, namespace or self.namespace, name, subresource)


@dataclass(frozen=True, slots=True)
class Target:
    """One object, or one of its subresources ("status", "finalize")."""

    kind: Kind
    version: str
    namespace: str
    name: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects: label and field selectors in the text form of query parameters; "" selects all."""

    labels: str = ""
    fields: str = ""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """manager: field manager, never empty ("unknown" where the client gave none). force: of server-side apply; on
    other writes it lets a REST writer take fields that a manifest file owns."""

    manager: str = "unknown"
    validation: FieldValidation = "Warn"
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch body, decoded: a list of operations for "json", a mapping otherwise."""

    type: PatchType
    body: Any


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """propagation: None is the kind's default (Background). grace_period_s 0 with `force` set by --force clients."""

    propagation: Literal["Orphan", "Background", "Foreground"] | None = None
    grace_period_s: int | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False
    manager: str = "unknown"
    force: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    """As the query parameters of the same names."""

    selection: Selection = field(default_factory=Selection)
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    resource_version_match: str = ""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """As the query parameters of the same names. timeout_s None: the server chooses (30 to 60 minutes)."""

    selection: Selection = field(default_factory=Selection)
    resource_version: str = ""
    resource_version_match: str = ""
    bookmarks: bool = False
    send_initial_events: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The object after a write, as JSON bytes in the asked version; created: answered 201 rather than 200.

    deleted: the write removed the object for good (its last finalizer went, or a delete took effect).
    """

    value: bytes
    revision: int
    created: bool = False
    deleted: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. items: JSON bytes in the asked version; remaining: None when unknown or nothing is left."""

    items: tuple[bytes, ...]
    revision: int
    continue_: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One watch event; value: the object as JSON bytes in the asked version (a bookmark has only metadata)."""

    type: EventType
    revision: int
    value: bytes
