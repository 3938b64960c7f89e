"""Patches: an object and a patch of any type come in, the patched body goes out, before admission sees it. Pure."""

from __future__ import annotations

from typing import Any, assert_never

import orjson

from store import definitions, refusals
from store.admission import Object
from store.errors import Cause, StatusError
from store.patch import apply, json_patch, merge_patch, strategic_merge
from store.patch.errors import ApplyConflictError, PatchError
from store.protection import REMEDY, file_of
from store.schema.causes import number
from store.verbs import Patch, Target, WriteOptions
from store.versions import version_of

SHOWN_LIMIT = 4_096


def patched(target: Target, old: Object | None, patch: Patch, options: WriteOptions, now: str) -> Object:
    """The body that the patch makes of `old` (None: only an apply goes on). Raises StatusError."""
    schema = version_of(target.kind, target.version).schema
    try:
        match patch.type:
            case "json":
                return _object(json_patch.apply(old, patch.body))
            case "merge":
                return _object(merge_patch.apply(old, patch.body))
            case "strategic":
                if target.kind.custom:
                    raise StatusError(415, "UnsupportedMediaType", _unsupported())
                return strategic_merge.apply(old or {}, patch.body, schema)
            case "apply":
                return _applied(target, old, patch.body, options, now)
            case _:
                assert_never(patch.type)
    except PatchError as error:
        raise _refusal(error) from None
    except ApplyConflictError as error:
        raise _conflict(error) from None


def _applied(target: Target, old: Object | None, body: Any, options: WriteOptions, now: str) -> Object:
    """Server-side apply. A definition that nobody wrote to yet belongs to nobody, so nothing conflicts with it."""
    nobodys = old is not None and target.kind.resource == definitions.RESOURCE and not _managed(old)
    result = apply.apply(
        old,
        named(target, body),
        version_of(target.kind, target.version).schema,
        manager=options.manager,
        api_version=target.kind.api_version(target.version),
        subresource=target.subresource,
        force=options.force or nobodys,
        now=now,
    )
    if nobodys:
        result["metadata"]["managedFields"] = [
            entry for entry in _managed(result) if entry["manager"] != apply.BEFORE_FIRST_APPLY
        ]
    return result


def _managed(obj: Object) -> list[Object]:
    return obj["metadata"].get("managedFields") or []


def shown(patch: Patch, result: Object) -> str:
    """A patch in messages about what it leads to: a strategic one as Go prints maps, others as their result in JSON."""
    text = go_text(patch.body) if patch.type == "strategic" else orjson.dumps(result).decode()
    return text if len(text) <= SHOWN_LIMIT else f"{text[:SHOWN_LIMIT]}..."


def go_text(value: Any) -> str:
    """A value as Go prints it with %v."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "<nil>", True: "true", False: "false"}[value]
    return number(value) if isinstance(value, float) else str(value)


def named(target: Target, body: Any) -> Object:
    """An applied configuration with the name and namespace of the URL. Raises StatusError 400."""
    if not isinstance(body, dict):
        raise refusals.bad_request("error decoding YAML: the body of an apply must be an object")
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise refusals.bad_request("error decoding YAML: metadata must be an object")
    metadata = dict(metadata or {})
    metadata.setdefault("name", target.name)
    if target.kind.namespaced:
        metadata.setdefault("namespace", target.namespace)
    return {**body, "metadata": metadata}


def _object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise PatchError("the patch does not leave an object", 422)
    return value


def _unsupported() -> str:
    accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    return f"the body of the request was in an unknown format - accepted media types include: {accepted}"


def _refusal(error: PatchError) -> StatusError:
    reason = {400: "BadRequest", 413: "RequestEntityTooLarge", 422: "Invalid"}.get(error.code, "")
    return StatusError(error.code, reason, error.message)


def _conflict(error: ApplyConflictError) -> StatusError:
    """409 with a cause for each field; a manifest file is named with what to do about it."""
    causes = tuple(
        Cause("FieldManagerConflict", f"conflict with {conflict}", path)
        for conflict in error.conflicts
        for path in conflict.paths
    )
    message = str(error)
    if files := sorted({file for conflict in error.conflicts if (file := file_of(conflict.manager))}):
        message += "\n" + REMEDY.format(files=", ".join(files))
    return StatusError(409, "Conflict", message, causes=causes)
