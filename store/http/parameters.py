"""Query parameters and DeleteOptions bodies as the options of the verbs.

Text comes in, frozen options go out, or a StatusError with the words of Kubernetes. Selectors and continue tokens are
passed on unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import orjson

from store.http.errors import bad_request, invalid_options
from store.verbs import DeleteOptions, FieldValidation, ListOptions, Selection, WatchOptions, WriteOptions

_FALSE = ("", "false", "0", "f", "F", "False", "FALSE")
_PROPAGATION = ("Foreground", "Background", "Orphan")
MANAGER_LIMIT = 128
_DIGITS_LIMIT = 18


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean parameter; absent is False."""
    return query.get(name, "") not in _FALSE


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number, None where absent. Raises StatusError 400."""
    text = query.get(name, "")
    if not text:
        return None
    if len(text) > _DIGITS_LIMIT:
        raise bad_request(f'strconv.ParseInt: parsing "{text[:64]}": value out of range')
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def selection(query: Mapping[str, str]) -> Selection:
    """Label and field selector, as text."""
    return Selection(query.get("labelSelector", ""), query.get("fieldSelector", ""))


def list_options(query: Mapping[str, str]) -> ListOptions:
    """Of GET on a collection without watch."""
    return ListOptions(
        selection(query),
        limit=number(query, "limit") or 0,
        continue_=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
    )


def watch_options(query: Mapping[str, str], name: str = "") -> WatchOptions:
    """Of GET with watch; name: only that object, from a watch on an object's own URL."""
    chosen = selection(query)
    if name:
        terms = [term for term in (chosen.fields, f"metadata.name={name}") if term]
        chosen = Selection(chosen.labels, ",".join(terms))
    timeout_s = number(query, "timeoutSeconds")
    return WatchOptions(
        chosen,
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
        bookmarks=flag(query, "allowWatchBookmarks"),
        send_initial_events=flag(query, "sendInitialEvents"),
        timeout_s=None if not timeout_s else float(timeout_s),
    )


def write_options(query: Mapping[str, str], user_agent: str, options_kind: str) -> WriteOptions:
    """Of POST, PUT and PATCH; options_kind names the options in refusals ("CreateOptions", ...)."""
    validation = query.get("fieldValidation", "") or "Warn"
    if validation not in get_args(FieldValidation):
        problem = f'Unsupported value: "{validation}": supported values: "Ignore", "Strict", "Warn"'
        raise invalid_options(options_kind, "fieldValidation", problem, "FieldValueNotSupported")
    return WriteOptions(
        manager=_manager(query, user_agent, options_kind),
        validation=validation,  # type: ignore[arg-type]  # a member of the Literal, checked above
        dry_run=_dry_run([query["dryRun"]] if "dryRun" in query else [], options_kind),
        force=flag(query, "force"),
    )


def delete_options(query: Mapping[str, str], body: Mapping[str, Any], user_agent: str) -> DeleteOptions:
    """Of DELETE; what the body says wins over the query. body: a DeleteOptions object, or empty.

    gracePeriodSeconds 0 is how kubectl says --force, so it also frees objects that a manifest file owns.
    """
    preconditions = body.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        raise bad_request("preconditions must be an object")
    dry_run = body.get("dryRun") or ([query["dryRun"]] if "dryRun" in query else [])
    grace_period_s = body.get("gracePeriodSeconds")
    if grace_period_s is None:
        grace_period_s = number(query, "gracePeriodSeconds")
    if grace_period_s is not None and not isinstance(grace_period_s, int):
        raise bad_request("gracePeriodSeconds must be a whole number")
    return DeleteOptions(
        propagation=_propagation(query, body),
        grace_period_s=grace_period_s,
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
        dry_run=_dry_run(dry_run, "DeleteOptions"),
        manager=_manager(query, user_agent, "DeleteOptions"),
        force=grace_period_s == 0 or flag(query, "force"),
    )


def _propagation(query: Mapping[str, str], body: Mapping[str, Any]) -> Any:
    policy = body.get("propagationPolicy") or query.get("propagationPolicy", "")
    orphan = body.get("orphanDependents")
    if orphan is None and "orphanDependents" in query:
        orphan = flag(query, "orphanDependents")
    if orphan is not None:
        if policy:
            problem = "Invalid value: orphanDependents and deletionPropagation cannot be both set"
            raise invalid_options("DeleteOptions", "propagationPolicy", problem)
        return "Orphan" if orphan else "Background"
    if not policy:
        return None
    if policy not in _PROPAGATION:
        problem = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        raise invalid_options("DeleteOptions", "propagationPolicy", problem, "FieldValueNotSupported")
    return policy


def _dry_run(values: object, options_kind: str) -> bool:
    if not isinstance(values, list):
        raise bad_request("dryRun must be a list")
    for value in values:
        if value != "All":
            given = orjson.dumps(values).decode()
            problem = f'Unsupported value: {given}: supported values: "All"'
            raise invalid_options(options_kind, "dryRun", problem, "FieldValueNotSupported")
    return bool(values)


def _manager(query: Mapping[str, str], user_agent: str, options_kind: str) -> str:
    manager = query.get("fieldManager", "")
    if not manager:
        return user_agent.partition("/")[0][:MANAGER_LIMIT].strip() or "unknown"
    if problem := _manager_problem(manager):
        raise invalid_options(options_kind, "fieldManager", problem[1], problem[0])
    return manager


def _manager_problem(manager: str) -> tuple[str, str] | None:
    if len(manager) > MANAGER_LIMIT:
        return "FieldValueTooLong", f"Too long: may not be more than {MANAGER_LIMIT} bytes"
    if not manager.isprintable():
        return "FieldValueInvalid", f'Invalid value: "{manager}": should only contain printable characters'
    if manager.startswith("manifest:"):
        return "FieldValueForbidden", "Forbidden: managers named manifest: are the appliance's own"
    return None


def require_manager(query: Mapping[str, str]) -> None:
    """Server-side apply must name its manager. Raises StatusError 422."""
    if not query.get("fieldManager"):
        problem = "Required value: is required for apply patch"
        raise invalid_options("PatchOptions", "fieldManager", problem, "FieldValueRequired")
