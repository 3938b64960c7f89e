"""From a refusal of the store to problems with their places. Pure.

A StatusError and the document it refused come in; problems with line, column, field and remedy go out.
"""

from __future__ import annotations

import re

from appliance.manifests.reader import Document, Problem, describe, place_of
from store.errors import StatusError

MANAGER_PREFIX = "manifest:"

# Of strict validation.
_UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')
# Of server-side apply, which judges what it merges first: one sentence on the same line, or each on one of its own.
_NOT_MERGEABLE = "failed to create typed patch object "
_SENTENCE = re.compile(
    r'(?:: |^  )\.((?:"(?:[^"\\]|\\.)*"|[^":\n])+): '
    r"(field not declared in schema|(?:expected|duplicate entries|element \d+:) .*)$",
    re.MULTILINE,
)
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
    if error.message.startswith(_NOT_MERGEABLE) and (sentences := _SENTENCE.findall(error.message)):
        return [_not_mergeable(document, data, field, sentence) for field, sentence in sentences]
    if fields := _UNKNOWN_FIELD.findall(error.message):
        return [_unknown(document, data, field) for field in fields]
    return [_placed(document, data, error.message, "", _general_remedy(error))]


def _not_mergeable(document: Document, data: bytes, field: str, sentence: str) -> Problem:
    if sentence.startswith("field not declared"):
        return _unknown(document, data, field)
    if sentence.startswith("expected"):
        return _placed(document, data, sentence, field, _REMEDIES["FieldValueTypeInvalid"])
    remedy = _REMEDIES["FieldValueDuplicate"] if sentence.startswith("duplicate") else "Correct the items of the list."
    return _placed(document, data, sentence, field, remedy)


def _unknown(document: Document, data: bytes, field: str) -> Problem:
    return _placed(document, data, f'unknown field "{field}"', field, "Remove the field, or correct its spelling.")


def _placed(document: Document, data: bytes, message: str, field: str, remedy: str) -> Problem:
    line, column = place_of(document, data, field)
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
    if message.endswith("field is immutable"):
        return "Give the object another name, or delete it first: this field cannot be changed."
    return _REMEDIES.get(reason, "Correct the value.")


def _general_remedy(error: StatusError) -> str:
    if error.code == 404 and error.kind == "namespaces":
        return f'Create the namespace "{error.name}", in a file or with kubectl; this object follows by itself.'
    if error.code in (429, 500, 503, 504, 507):
        return "Nothing to correct in the file; it is tried again."
    return "Correct the object."
