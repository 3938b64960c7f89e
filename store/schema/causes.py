"""The words of Kubernetes' field errors (k8s.io/apimachinery util/validation/field, kube-openapi validation/errors).

Values and bounds come in, causes go out. Clients and their tests compare these sentences.
"""

from __future__ import annotations

import json
from typing import Any, Final

from store.errors import Cause
from store.schema.paths import NOWHERE

OMITTED: Final[Any] = object()  # stands for a value that the message does not show

_TITLES = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueTypeInvalid": "Invalid value",
    "FieldValueRequired": "Required value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueNotFound": "Not found",
    "FieldValueTooLong": "Too long",
    "FieldValueTooShort": "Too short",
    "FieldValueTooMany": "Too many",
    "FieldValueTooFew": "Too few",
}
_WITHOUT_VALUE = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "FieldValueTooShort"}

# With one of these a value cannot be trusted to have its shape, so cross-field rules do not run.
BLOCKING = {
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
}


def cause(reason: str, field: str, value: Any = OMITTED, detail: str = "") -> Cause:
    """One cause: title, the value where the reason shows it, and the detail."""
    message = _TITLES.get(reason, reason)
    if value is not OMITTED and reason not in _WITHOUT_VALUE:
        message = f"{message}: {shown(value)}"
    return Cause(reason, f"{message}: {detail}" if detail else message, field)


def shown(value: Any) -> str:
    """A value as Go prints it in an error: a quoted string, a plain number or boolean, or compact JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if isinstance(value, dict | list):  # Go's JSON is safe for HTML, its quoted strings are not
        text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return text


def number(value: float) -> str:
    """A number as Go's %v prints it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)


def required(field: str, detail: str = "") -> Cause:
    """A field that must be there is not."""
    return cause("FieldValueRequired", field, detail=detail)


def invalid(field: str, value: Any, detail: str) -> Cause:
    """A value that breaks a bound; detail: what was wanted, without the field's name."""
    return cause("FieldValueInvalid", field, value, f"{field} in body {detail}")


def mismatched(field: str, seen: str, wanted: str) -> Cause:
    """A value of the wrong JSON type or format. seen: the type that was found, or the text that breaks the format."""
    detail = f"{field} in body must be of type {wanted}: {shown(seen)}"
    return cause("FieldValueTypeInvalid", field, seen, detail)


def unsupported(field: str, value: Any, supported: tuple[Any, ...]) -> Cause:
    """A value outside of an enumeration."""
    listed = ", ".join(shown(v if isinstance(v, str) else shown(v)) for v in supported)
    return cause("FieldValueNotSupported", field, "" if value is None else value, f"supported values: {listed}")


def too_long(field: str, limit: int) -> Cause:
    """A string longer than its limit, which Kubernetes counts in characters and calls bytes."""
    unit = "byte" if limit == 1 else "bytes"
    return cause("FieldValueTooLong", field, detail=f"may not be more than {limit} {unit}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """A list or an object with more entries than its limit."""
    unit = "item" if limit == 1 else "items"
    return cause("FieldValueTooMany", field, count, f"must have at most {limit} {unit}")


def duplicate(field: str, value: Any) -> Cause:
    """A second entry with the key of an earlier one."""
    return cause("FieldValueDuplicate", field, value)


def about_the_whole(detail: str, value: Any = "") -> Cause:
    """An error that Kubernetes attaches to no field."""
    return cause("FieldValueInvalid", NOWHERE, value, detail)


def rules_not_checked() -> Cause:
    """The note that cross-field rules did not run."""
    detail = "some validation rules were not checked because the object was invalid; "
    return about_the_whole(f"{detail}correct the existing errors to complete validation", None)
