"""Admission: what a client sends becomes what is stored, or a refusal. No IO, no clock: `now` and old objects come in.

For every write in this order: decode (apiVersion, kind, metadata, unknown fields), names and namespace, what only the
server sets, schema, metadata rules, rules of single kinds, generation. Objects are dicts in the asked version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from store import strategies
from store.errors import Cause, StatusError
from store.kinds.decoding import misread
from store.kinds.kind import Kind, Version
from store.objects import metadata as meta
from store.objects import names
from store.patch.json_values import DEPTH_LIMIT, deeper_than
from store.refusals import MODIFIED, bad_request, conflict, invalid
from store.schema.compile import compile_schema
from store.schema.paths import NOWHERE
from store.verbs import Collection, FieldValidation, Target
from store.versions import version_of

Object = dict[str, Any]
SERVER_FIELDS = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
WARNINGS_LIMIT = 64
OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


@dataclass(slots=True)
class Draft:
    """An object on its way in, with what is to be said about it."""

    obj: Object
    warnings: list[str] = field(default_factory=list)


_POINTED = re.compile(rb"[0-9]\.0[,\]}]").search
_EXACT_LIMIT = 2.0**53


def copied(obj: Any) -> Any:
    """A deep copy of JSON."""
    return orjson.loads(orjson.dumps(obj))


def creation(
    collection: Collection,
    body: Any,
    validation: FieldValidation,
    now: str,
    check_place: Callable[[Kind, Object], None] = lambda kind, metadata: None,
) -> Draft:
    """A new object, complete but for managedFields and revision. Raises StatusError 400 or 422.

    check_place: may refuse where the object is to be, after it was decoded and before it is validated.
    """
    kind, version = collection.kind, version_of(collection.kind, collection.version)
    draft, unknown = _decoded(kind, collection.version, body)
    obj = draft.obj
    metadata = obj["metadata"]
    _place(kind, metadata, collection.namespace)
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = names.generated(metadata["generateName"])
    for name in (*SERVER_FIELDS, "selfLink"):
        metadata.pop(name, None)
    metadata["uid"] = names.new_uid()
    metadata["creationTimestamp"] = now
    if kind.counts_generation:
        metadata["generation"] = 1
    if version.status:
        obj.pop("status", None)
    strategies.prepare_create(kind, obj)
    unknown, causes = _admitted(version, obj, None, unknown)
    _judge_types(kind, version, obj, causes)
    _judge_unknown(draft, kind, collection.version, unknown, validation)
    check_place(kind, metadata)
    causes = [*meta.faults(metadata, kind.resource, kind.namespaced), *strategies.faults(kind, obj, None), *causes]
    if causes:
        raise invalid(kind.name, kind.group, metadata.get("name", ""), causes)
    _warn(draft, kind, version, None)
    return draft


def update(
    target: Target, body: Any, old: Object, validation: FieldValidation, *, patch_text: Callable[[], str] | None = None
) -> Draft:
    """The object after a write of `body` over `old`; its resourceVersion is the old one's. Raises StatusError.

    patch_text: the patch that made `body` from `old`, for messages about what cannot be decoded; None for a
    replacement.
    """
    kind, version = target.kind, version_of(target.kind, target.version)
    draft, unknown = _decoded(kind, target.version, body)
    identity = _check_identity(target, draft.obj["metadata"], old, patched=patch_text is not None)
    _check_revision(target, draft.obj["metadata"], old["metadata"])
    obj = draft.obj = _merged(version, target.subresource, draft.obj, old)
    metadata = obj["metadata"]
    for name in SERVER_FIELDS:
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    strategies.prepare_update(kind, target.subresource, obj, old)
    unknown, causes = _admitted(version, obj, old, unknown)
    _judge_types(kind, version, obj, causes, patch_text)
    _judge_unknown(draft, kind, target.version, unknown, validation, patch_text)
    causes = [*identity, *meta.update_faults(metadata, old["metadata"]), *strategies.faults(kind, obj, old), *causes]
    if causes:
        raise invalid(kind.name, kind.group, target.name, causes)
    if kind.counts_generation and _content_changed(kind, version, obj, old):
        metadata["generation"] = old["metadata"].get("generation", 0) + 1
    _warn(draft, kind, version, old)
    return draft


def _decoded(kind: Kind, version: str, body: Any) -> tuple[Draft, list[str]]:
    """A copy of the body with apiVersion, kind and metadata in front, and the paths of unknown metadata."""
    if not isinstance(body, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.name})")
    api_version = kind.api_version(version)
    given_version, given_kind = body.get("apiVersion") or api_version, body.get("kind") or kind.name
    if given_version != api_version:
        raise bad_request(
            f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )
    if given_kind != kind.name:
        raise bad_request(f'{given_kind} in version "{version}" cannot be handled as a {kind.name}: no kind match')
    copy = _copy_of(body)
    try:
        metadata, unknown = meta.decode(copy.get("metadata"))
    except ValueError as error:
        raise _undecodable(kind, version, str(error), None) from None
    obj = {"apiVersion": api_version, "kind": kind.name, **copy, "metadata": metadata}
    return Draft(obj | {"apiVersion": api_version, "kind": kind.name}), unknown


def _copy_of(body: Object) -> Object:
    """A deep copy of what a client sent, unless it is nested too deeply for the walks that follow."""
    try:
        encoded = orjson.dumps(body)
    except TypeError as error:  # orjson's own bound on depth, or an integer that JSON cannot carry everywhere
        raise bad_request(f"the object cannot be written as JSON: {error}") from None
    # Few objects have containers enough to need a closer look; the trees in managedFields may go deeper.
    if encoded.count(b"{") + encoded.count(b"[") > DEPTH_LIMIT:
        content = {name: value for name, value in body.items() if name != "metadata"}
        if deeper_than(DEPTH_LIMIT, content):
            raise bad_request(f"the object is nested more than {DEPTH_LIMIT} levels deep")
    copy: Object = orjson.loads(encoded)
    return _without_points(copy) if _POINTED(encoded) else copy


def _without_points(value: Any) -> Any:
    """Whole numbers as Kubernetes keeps them, without a point: 80.0 is 80. orjson has bounded the depth."""
    if isinstance(value, dict):
        return {name: _without_points(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_points(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_LIMIT else value


def _place(kind: Kind, metadata: Object, namespace: str) -> None:
    """Put the object where the request says; a body that says otherwise is refused."""
    if not kind.namespaced:
        return
    given = metadata.setdefault("namespace", namespace) or namespace
    if namespace and given != namespace:
        raise bad_request(OTHER_NAMESPACE)
    metadata["namespace"] = given


def _check_identity(target: Target, new: Object, old: Object, *, patched: bool) -> list[Cause]:
    """Refuse a body that means another object. A replacement's uid is a precondition, a patch's only a wrong field."""
    name, namespace = new.get("name", ""), new.get("namespace", "")
    if name != target.name:
        if not name:
            new["name"] = target.name
        else:
            raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({target.name})")
    if target.kind.namespaced:
        if namespace and namespace != target.namespace:
            if patched:
                raise bad_request(OTHER_NAMESPACE)
            raise bad_request(
                f"the namespace of the object ({namespace}) does not match the namespace on the request "
                f"({target.namespace})"
            )
        new["namespace"] = target.namespace
    uid = old["metadata"]["uid"]
    if new.get("uid", uid) != uid:
        if patched:
            return [Cause("FieldValueInvalid", f'Invalid value: "{new["uid"]}": field is immutable', "metadata.uid")]
        why = f"Precondition failed: UID in precondition: {new['uid']}, UID in object meta: {uid}"
        raise conflict(target.kind, target.name, why)
    return []


def _check_revision(target: Target, new: Object, old: Object) -> None:
    given = new.get("resourceVersion", "")
    if not given:
        if target.kind.custom:
            message = "Invalid value: 0x0: must be specified for an update"
            cause = Cause("FieldValueInvalid", message, "metadata.resourceVersion")
            raise invalid(target.kind.name, target.kind.group, target.name, (cause,))
        new["resourceVersion"] = old["resourceVersion"]
    elif given != old["resourceVersion"]:
        raise conflict(target.kind, target.name, MODIFIED)


def _merged(version: Version, subresource: str, new: Object, old: Object) -> Object:
    """What of the new object this endpoint may write, and the rest from the old one."""
    if subresource == "":
        if version.status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copied(old["status"])
        return new
    merged: Object = copied(old)
    if subresource == "finalize":
        merged["spec"] = {**merged.get("spec", {}), "finalizers": (new.get("spec") or {}).get("finalizers") or []}
        return merged
    merged.pop("status", None)
    if "status" in new:
        merged["status"] = new["status"]
    if "managedFields" in new["metadata"]:
        merged["metadata"]["managedFields"] = new["metadata"]["managedFields"]
    return merged


def _admitted(
    version: Version, obj: Object, old: Object | None, unknown: Sequence[str]
) -> tuple[list[str], list[Cause]]:
    """Prune, default and validate in place."""
    admission = compile_schema(version.schema).admit(obj, old)
    return [*admission.unknown, *unknown], list(admission.causes)


def _judge_types(
    kind: Kind, version: Version, obj: Object, causes: Sequence[Cause], patch_text: Callable[[], str] | None = None
) -> None:
    """Kubernetes decodes its own kinds into structs, so a value of a wrong type is no object at all, however valid."""
    if kind.custom:
        return
    wrong = [
        f"{cause.field}: {cause.message}"
        for cause in causes
        if cause.reason == "FieldValueTypeInvalid" or cause.field == NOWHERE  # a number too large for its field
    ]
    if wrong:
        why = misread(kind.name, version.schema, obj) or "; ".join(wrong)
        raise _undecodable(kind, version.name, why, patch_text)


def _undecodable(kind: Kind, version: str, why: str, patch_text: Callable[[], str] | None) -> StatusError:
    """400 for a body that cannot be read as its kind, 422 for a patch that leads to one."""
    if patch_text is None:
        return bad_request(f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: {why}')
    message = f"Invalid value: {orjson.dumps(patch_text()).decode()}: {why}"
    return invalid("", "", "", (Cause("FieldValueInvalid", message, "patch"),))


def _judge_unknown(
    draft: Draft,
    kind: Kind,
    version: str,
    unknown: Sequence[str],
    validation: FieldValidation,
    patch_text: Callable[[], str] | None = None,
) -> None:
    if not unknown or validation == "Ignore":
        return
    texts = [f'unknown field "{path}"' for path in unknown[:WARNINGS_LIMIT]]
    if validation == "Warn":
        draft.warnings.extend(texts)
        return
    raise _undecodable(kind, version, f"strict decoding error: {', '.join(texts)}", patch_text)


def _content_changed(kind: Kind, version: Version, obj: Object, old: Object) -> bool:
    """Whether anything but metadata (and status, where it has its own endpoint) differs."""
    if strategies.counts_labels(kind) and obj["metadata"].get("labels") != old["metadata"].get("labels"):
        return True
    apart = {"metadata", "status"} if version.status else {"metadata"}
    return any(obj.get(name) != old.get(name) for name in (obj.keys() | old.keys()) - apart)


def _warn(draft: Draft, kind: Kind, version: Version, old: Object | None) -> None:
    draft.warnings.extend(strategies.advice(kind, draft.obj, old))
    if warning := meta.deduplicated_owners(draft.obj["metadata"]):
        draft.warnings.append(warning)
    if version.deprecation:
        draft.warnings.append(version.deprecation)
