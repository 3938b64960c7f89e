"""Field managers: who owns which fields of an object, kept in its metadata.managedFields.

Enters: objects before and after a write. Leaves: the managedFields of the object after it. The rules are those of
Kubernetes (kubernetes.io: "Server-Side Apply"; apimachinery managedfields): whoever changes a field takes it, whoever
removes a field frees it of all its owners.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

from store.patch.comparison import Comparison, compare
from store.patch.field_sets import FieldSet
from store.patch.object_meta import object_schema
from store.patch.typed_values import every_field, whole_where_atomic
from store.schema.structural import Schema

Operation = Literal["Apply", "Update"]

UPDATE_ENTRIES_LIMIT = 10
ANCIENT = "ancient-changes"
NEVER_OWNED = FieldSet.of(
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(
        ("f:metadata", "f:" + name)
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of managedFields. time: RFC 3339 in UTC with whole seconds, "" when unknown."""

    manager: str
    operation: Operation
    api_version: str
    subresource: str
    fields: FieldSet
    time: str = ""

    @property
    def identity(self) -> Identity:
        """What makes two entries the same owner: an applier stays one through all versions it applies."""
        version = self.api_version if self.operation == "Update" else ""
        return Identity(self.manager, self.operation, version, self.subresource)


class Identity(NamedTuple):
    manager: str
    operation: Operation
    api_version: str
    subresource: str


Owners = dict[Identity, Owner]


def owners(obj: dict[str, Any]) -> list[Owner]:
    """The owners that an object names, in its order. Raises ValueError for managedFields that cannot be understood."""
    return [_read(entry) for entry in obj.get("metadata", {}).get("managedFields") or ()]


def record_update(
    old: dict[str, Any] | None,
    new: dict[str, Any],
    schema: Schema,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    now: str,
    reset_fields: Collection[str] | None = None,
) -> None:
    """Set new.metadata.managedFields after a create (old None), replace or patch by `manager`; nothing else of `new`.

    The object may bring managedFields of its own, which then count as the state before; a list of one empty entry gives
    up tracking (an empty list does not), and an object that is not tracked stays so until somebody applies to it.
    now: RFC 3339 with whole seconds. reset_fields: see store.patch.apply.apply.
    """
    known = _known(old, new, schema, subresource)
    if not known and old is not None:
        _store(new, known)
        return
    reset = ignored_fields(subresource, reset_fields)
    changes = compare(_bare(old or {}), _bare(new), schema).without(reset)
    known = taken(known, changes)
    fields = changes.modified.union(changes.added).difference(NEVER_OWNED)
    if fields:
        owner = Owner(manager, "Update", api_version, subresource, fields, now)
        if (before := known.get(owner.identity)) is not None:
            owner = replace(owner, fields=before.fields.union(fields))
        known[owner.identity] = owner
    _store(new, _capped(known))


def owners_by_identity(obj: dict[str, Any], schema: Schema) -> Owners:
    """The owners of an object under the schema of today. Raises ValueError as `owners` does."""
    root, result = object_schema(schema), dict[Identity, Owner]()
    for owner in owners(obj):
        tree = whole_where_atomic(owner.fields.tree, root)
        result[owner.identity] = owner if tree == owner.fields.tree else replace(owner, fields=FieldSet(tree))
    return result


def taken(known: Owners, changes: Comparison, but: Identity | None = None) -> Owners:
    """The owners after a change: all but one lose what was changed, added or removed; who has nothing left is gone."""
    lost = changes.modified.union(changes.added).union(changes.removed)
    result: Owners = {}
    for identity, owner in known.items():
        fields = owner.fields if identity == but else owner.fields.difference(lost)
        if fields:
            result[identity] = owner if fields is owner.fields else replace(owner, fields=fields)
    return result


def store_owners(obj: dict[str, Any], known: Owners) -> None:
    """Write the owners into metadata.managedFields, in the order that Kubernetes keeps."""
    _store(obj, known)


def ignored_fields(subresource: str, reset_fields: Collection[str] | None) -> FieldSet:
    """The top-level fields that a write to this endpoint never owns because it cannot change them."""
    if reset_fields is None:
        reset_fields = {"": ("status",), "status": ("metadata", "spec")}.get(subresource, ())
    return FieldSet.of(*(("f:" + name,) for name in reset_fields))


def _known(old: dict[str, Any] | None, new: dict[str, Any], schema: Schema, subresource: str) -> Owners:
    """The owners before a write. A client may set managedFields, but not through a subresource."""
    brought = new.get("metadata", {}).get("managedFields")
    if not subresource and brought == [{}]:
        return {}
    sources: Iterable[dict[str, Any] | None] = (old,) if subresource else (new, old)
    for source in sources:
        try:
            if source is not None and (known := owners_by_identity(source, schema)):
                return known
        except ValueError:
            continue  # a client that garbles managedFields must not be able to lose those of others
    return {}


def _capped(known: Owners) -> Owners:
    """Keep at most 10 Update entries: the oldest of a version become one, named for being ancient."""
    updates = [owner for owner in known.values() if owner.operation == "Update"]
    surplus = len(updates) - UPDATE_ENTRIES_LIMIT
    if surplus <= 0:
        return known
    updates.sort(key=lambda owner: (owner.time, _identifier(owner)))
    result, first = dict(known), dict[str, Owner]()
    for owner in updates:
        if surplus <= 0:
            break
        if owner.api_version not in first:
            first[owner.api_version] = owner
            continue
        bucket = Identity(ANCIENT, "Update", owner.api_version, "")
        older = result.get(bucket)
        if older is None:
            older = result.pop(first[owner.api_version].identity)
        result.pop(owner.identity)
        fields = owner.fields.union(older.fields)
        result[bucket] = Owner(ANCIENT, "Update", owner.api_version, "", fields, owner.time)
        surplus -= 1
    return result


def _identifier(owner: Owner) -> Sequence[str]:
    return owner.manager, owner.api_version, owner.subresource


def _bare(obj: dict[str, Any]) -> dict[str, Any]:
    """The object without its managedFields, which nobody owns."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return obj | {"metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _read(entry: Any) -> Owner:
    if not isinstance(entry, dict) or entry.get("operation") not in ("Apply", "Update"):
        raise ValueError("operation must be `Apply` or `Update`")
    if not entry.get("apiVersion"):
        raise ValueError("apiVersion must not be empty")
    if entry.get("fieldsType") != "FieldsV1":
        raise ValueError(f'invalid fieldsType "{entry.get("fieldsType", "")}" in managed fields entry')
    return Owner(
        manager=entry.get("manager", ""),
        operation=cast(Operation, entry["operation"]),
        api_version=entry["apiVersion"],
        subresource=entry.get("subresource", ""),
        fields=FieldSet.from_json(entry.get("fieldsV1") or {}),
        time=entry.get("time") or "",
    )


def _store(obj: dict[str, Any], known: Owners) -> None:
    metadata = obj.setdefault("metadata", {})
    if not known:
        metadata.pop("managedFields", None)
        return
    ordered = sorted(known.values(), key=lambda o: (o.operation, o.time, o.manager, o.api_version, o.subresource))
    metadata["managedFields"] = [_written(owner) for owner in ordered]


def _written(owner: Owner) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": owner.api_version,
        "time": owner.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": owner.fields.to_json(),
        "subresource": owner.subresource,
    }
    return {name: value for name, value in entry.items() if value or name == "fieldsV1"}


def fields_present(obj: dict[str, Any], schema: Schema) -> FieldSet:
    """Every path of an object that somebody could own, the ways to its leaves included."""
    return FieldSet(every_field(_bare(obj), object_schema(schema)))
