"""Server-side apply: a live object and what one manager wants of it in, the new object and its owners out.

The algorithm is that of structured-merge-diff (merge/update.go): merge the configuration into the live object, prune
what the manager asked for last time and neither it nor anybody else asks for now, and refuse to change what others own
unless forced (kubernetes.io: "Server-Side Apply").
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import reduce
from typing import Any

from store.patch import last_applied
from store.patch.comparison import Comparison, compare
from store.patch.errors import ApplyConflictError, Conflict, PatchError
from store.patch.field_sets import FieldSet
from store.patch.json_values import check_depth, copied, equal
from store.patch.object_meta import object_schema
from store.patch.ownership import (
    NEVER_OWNED,
    Identity,
    Owner,
    Owners,
    ignored_fields,
    owners_by_identity,
    store_owners,
    taken,
)
from store.patch.typed_values import fields_of, merged, with_named_fields, without
from store.patch.validity import check_configuration
from store.schema.structural import Schema

BEFORE_FIRST_APPLY = "before-first-apply"


def apply(
    live: dict[str, Any] | None,
    config: dict[str, Any],
    schema: Schema,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    force: bool,
    now: str,
    reset_fields: Collection[str] | None = None,
) -> dict[str, Any]:
    """The merged object with its new metadata.managedFields; it shares nothing with the arguments, which do not change.

    live: None creates. api_version: of the endpoint. now: RFC 3339 with whole seconds. reset_fields: top-level fields
    that a write to this endpoint cannot change and so never owns; None: status on the main endpoint, metadata and spec
    on the status subresource.
    Raises ApplyConflictError, and PatchError 400 for a body that cannot be applied (Kubernetes says 500 to some).
    """
    if (version := config.get("apiVersion")) != api_version:
        raise PatchError(f"invalid object type: {version}, Kind={config.get('kind')}", 400)
    check_depth(config)
    check_configuration(config, schema)
    if (config.get("metadata") or {}).get("managedFields") is not None:
        raise PatchError("metadata.managedFields must be nil", 400)
    application = _Application(config, schema, manager, api_version, subresource, now, reset_fields)
    known, bare = application.start(live)
    try:
        result, after = application.apply(bare, known, force)
    except ApplyConflictError as error:
        if live is not None and (excused := last_applied.excused_fields(live, schema, manager, api_version)):
            if conflicts := [left for conflict in error.conflicts if (left := conflict.without(excused))]:
                raise ApplyConflictError(conflicts) from None
        else:
            raise
        result, after = application.apply(bare, known, True)
    answer: dict[str, Any] = copied(result)
    last_applied.renew(answer, config, manager)
    store_owners(answer, after)
    return answer


class _Application:
    """One configuration of one manager."""

    def __init__(
        self,
        config: dict[str, Any],
        schema: Schema,
        manager: str,
        api_version: str,
        subresource: str,
        now: str,
        reset_fields: Collection[str] | None,
    ) -> None:
        self.config, self.schema, self.root, self.now = config, schema, object_schema(schema), now
        self.reset = ignored_fields(subresource, reset_fields)
        fields = fields_of(config, self.root).without(self.reset)
        self.owner = Owner(manager, "Apply", api_version, subresource, fields, now)

    def start(self, live: dict[str, Any] | None) -> tuple[Owners, dict[str, Any]]:
        """The owners before, and the live object without them. Fields nobody tracks belong to `before-first-apply`."""
        if live is None:
            return {}, {}
        try:
            known = owners_by_identity(live, self.schema)
        except ValueError as error:
            raise PatchError(f"failed to decode managed fields: {error}", 422) from None
        metadata = {name: value for name, value in live["metadata"].items() if name != "managedFields"}
        bare = live | {"metadata": metadata}
        if not known:
            changes = compare({}, bare, self.schema).without(self.reset)
            if fields := changes.added.difference(NEVER_OWNED):
                version, subresource = self.owner.api_version, self.owner.subresource
                before = Owner(BEFORE_FIRST_APPLY, "Update", version, subresource, fields, self.now)
                known = {before.identity: before}
        return known, bare

    def apply(self, live: dict[str, Any], known: Owners, force: bool) -> tuple[dict[str, Any], Owners]:
        """The merged object and its owners. Shares containers with the live object and the configuration."""
        me = self.owner.identity
        last = known.get(me)
        known = known | {me: self.owner}
        result = merged(live, self.config, self.root)
        if last is not None and last.fields.difference(self.owner.fields):
            result = _pruned(result, last.fields, known, self.root)
        changes = compare(live, result, self.schema).without(self.reset)
        if not force and (conflicts := _conflicts(known, changes, me)):
            raise ApplyConflictError(conflicts)
        known = taken(known, changes, but=me)
        mine = self.owner.fields.difference(NEVER_OWNED)
        if not mine:
            known.pop(me, None)
        else:
            # An apply that changes nothing is no news: even a new co-owner's entry then carries no time.
            time = self.now if not equal(live, result) else (last.time if last else "")
            known[me] = replace(self.owner, fields=mine, time=time)
        return result, known


def _pruned(value: dict[str, Any], last: FieldSet, known: Owners, root: Schema) -> dict[str, Any]:
    """The value less what was applied last time and nobody asks for now.

    Removing an item removes all that is in it, so what others own comes back, and with it the way to it.
    """
    before = with_named_fields(last.tree, root)
    owned = reduce(FieldSet.union, (owner.fields for owner in known.values()), FieldSet())
    kept = FieldSet(with_named_fields(owned.tree, root))
    everything = FieldSet(with_named_fields(fields_of(value, root).tree, root))
    reduced = without(value, before, root)
    remains = FieldSet(with_named_fields(fields_of(reduced, root).tree, root))
    restored = without(value, everything.difference(remains.union(kept)).tree, root)
    remains = FieldSet(with_named_fields(fields_of(restored, root).tree, root))
    gone = everything.difference(remains).intersection(FieldSet(before))
    result: dict[str, Any] = without(value, gone.tree, root)
    return result


def _conflicts(known: Owners, changes: Comparison, me: Identity) -> list[Conflict]:
    changed = changes.modified.union(changes.added)
    return [
        Conflict(owner.manager, owner.api_version, owner.operation, owner.subresource, tuple(fields.paths()))
        for identity, owner in sorted(known.items(), key=lambda pair: pair[0])
        if identity != me and (fields := owner.fields.intersection(changed))
    ]
