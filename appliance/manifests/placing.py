"""From a refusal of the store to problems with their places. Pure.

A StatusError and the document it refused come in; problems with line, column, field and remedy go out.
"""

from __future__ import annotations

import re

from appliance.manifests.reader import Document, Problem, describe, field_path, locate
from store.errors import StatusError

MANAGER_PREFIX = "manifest:"

# Of strict validation; and of server-side apply, which judges what it merges first.
_UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"|: \.(\S+): field not declared in schema')
_WRONG_TYPE = re.compile(r"failed to create typed patch object .*?: \.(\S+): (expected .*)\Z", re.DOTALL)
# The API's remark that rules were left out because of the other causes.
_NOT_A_FIELD = "<nil>"
_CONFLICT = re.compile(r'conflict with "([^"]+)"')
_REMEDIES = {
    "FieldValueRequired": "Add the field.",
    "FieldValueNotSupported": "Use one of the values that the message lists.",
    "FieldValueTypeInvalid": "Write a value of the expected type; quote texts that look like numbers.",
    "FieldValueDuplicate": "Remove one of the two.",
    "FieldValueForbidden": "Remove the field.",
}


def manager_of(path: str) -> str:
    """The field manager of a manifest file."""
    return MANAGER_PREFIX + path


def file_of(manager: str) -> str:
    """The manifest file that a field manager stands for, or ""."""
    return manager.removeprefix(MANAGER_PREFIX) if manager.startswith(MANAGER_PREFIX) else ""


def conflicting_managers(error: StatusError) -> set[str]:
    """Who owns the fields that an apply wanted to change; empty when the error is no such conflict."""
    found = (_CONFLICT.search(cause.message) for cause in error.causes if cause.reason == "FieldManagerConflict")
    return {match[1] for match in found if match}


def place(error: StatusError, document: Document, data: bytes) -> list[Problem]:
    """Every cause of the refusal, each with its place in the file."""
    causes = [cause for cause in error.causes if cause.field != _NOT_A_FIELD] or error.causes
    if causes:
        return [
            _placed(
                document, data, _message(cause.message, cause.field), cause.field, _remedy(cause.reason, cause.message)
            )
            for cause in causes
        ]
    if fields := [strict or applied for strict, applied in _UNKNOWN_FIELD.findall(error.message)]:
        return [
            _placed(document, data, f'unknown field "{field}"', field, "Remove the field, or correct its spelling.")
            for field in fields
        ]
    if match := _WRONG_TYPE.search(error.message):
        return [_placed(document, data, match[2], match[1], _REMEDIES["FieldValueTypeInvalid"])]
    return [_placed(document, data, error.message, "", _general_remedy(error))]


def _placed(document: Document, data: bytes, message: str, field: str, remedy: str) -> Problem:
    path = field_path(field.removeprefix("."))
    line, column = locate(data, document.index, (*document.prefix, *path))
    return Problem(message, remedy, line, column, describe(document.value), field.removeprefix("."))


def _message(message: str, field: str) -> str:
    """Conflicts name the other writer; a file is named as a file."""
    if match := _CONFLICT.search(message):
        if file := file_of(match[1]):
            return f"{field} is already set by the file {file}"
        return f"{field} was set by {match[1]}"
    return message


def _remedy(reason: str, message: str) -> str:
    if reason == "FieldManagerConflict":
        match = _CONFLICT.search(message)
        if match and file_of(match[1]):
            return "Keep the field in one of the two files."
        return "Remove the field here, or give it the same value as the object has now."
    return _REMEDIES.get(reason, "Correct the value.")


def _general_remedy(error: StatusError) -> str:
    if error.code == 404 and error.kind == "namespaces":
        return f'Create the namespace "{error.name}", in a file or with kubectl; this object follows by itself.'
    if error.code in (429, 500, 503, 504, 507):
        return "Nothing to correct in the file; it is tried again."
    return "Correct the object."
