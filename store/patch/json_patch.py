"""JSON Patch (RFC 6902) with JSON Pointer (RFC 6901): a document and operations in, a new document out.

Strict where Kubernetes' library is lax (negative indexes, copies of what is missing, operations without a value), with
two exceptions that its users rely on: `replace` may create a member, and a missing member passes a `test` for null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.patch.errors import PatchError
from store.patch.json_values import check_depth, copied, equal

OPERATIONS_LIMIT = 10_000
COPIED_LIMIT_BYTES = 3 << 20  # what all `copy` operations of a patch together may add


class _MissingError(Exception):
    """A pointer that leads nowhere."""


def apply(document: Any, operations: Any) -> Any:
    """The document after all operations, or none of them.

    Raises PatchError: 400 for a malformed patch, 413 for too many operations, 422 where one does not fit the document.
    """
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise PatchError("error decoding patch: a JSON patch is an array of operations", code=400)
    if len(operations) > OPERATIONS_LIMIT:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {OPERATIONS_LIMIT}, got {len(operations)}", code=413
        )
    box = {"": copied(document)}  # the document hangs below a key, so that even the root can be replaced
    check_depth(operations)
    budget = COPIED_LIMIT_BYTES
    for operation in operations:
        budget = _operate(box, operation, budget)
    check_depth(box)
    return box[""]


def _operate(box: dict[str, Any], operation: Mapping[str, Any], budget: int) -> int:
    kind, path = operation.get("op"), _pointer(operation, "path")
    match kind:
        case "add":
            _add(box, path, _value(operation), operation["path"])
        case "remove":
            _remove(box, path, operation["path"], "remove")
        case "replace":
            _replace(box, path, _value(operation), operation["path"])
        case "move":
            source = _pointer(operation, "from")
            if path[: len(source)] == source and path != source:
                raise PatchError("error in move: a value cannot be moved into itself")
            _add(box, path, _remove(box, source, operation["from"], "move"), operation["path"])
        case "copy":
            origin = _found(box, _pointer(operation, "from"), operation["from"], "copy")
            check_depth(origin)  # a copy below itself doubles the depth
            value = copied(origin)
            if (budget := budget - _weight(value)) < 0:
                raise PatchError(f"the copies of a JSON patch may not exceed {COPIED_LIMIT_BYTES} bytes", code=413)
            _add(box, path, value, operation["path"])
        case "test":
            _test(box, path, operation.get("value"), operation["path"])
        case _:
            raise PatchError(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")
    return budget


def _pointer(operation: Mapping[str, Any], member: str) -> list[str]:
    """The tokens of a JSON Pointer, led by the key that the document hangs below."""
    text = operation.get(member)
    if not isinstance(text, str):
        raise PatchError(f'a JSON patch operation needs a "{member}"')
    if text and not text.startswith("/"):
        raise PatchError(f'{member} "{text}" is no JSON pointer: it must start with "/"')
    return [token.replace("~1", "/").replace("~0", "~") for token in text.split("/")]


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError(f'a JSON patch operation "{operation.get("op")}" needs a "value"')
    return copied(operation["value"])


def _add(box: dict[str, Any], path: list[str], value: Any, text: str) -> None:
    parent, token = _parent(box, path, text, "add"), path[-1]
    if isinstance(parent, dict):
        parent[token] = value
    else:
        parent.insert(_index(token, len(parent) + 1, text, "add", end=True), value)


def _remove(box: dict[str, Any], path: list[str], text: str, kind: str) -> Any:
    parent, token = _parent(box, path, text, kind), path[-1]
    if isinstance(parent, list):
        return parent.pop(_index(token, len(parent), text, kind))
    if len(path) == 1:
        raise PatchError("the whole document cannot be removed")
    if token not in parent:
        raise _misses(kind, text)
    return parent.pop(token)


def _replace(box: dict[str, Any], path: list[str], value: Any, text: str) -> None:
    parent, token = _parent(box, path, text, "replace"), path[-1]
    if isinstance(parent, list):
        parent[_index(token, len(parent), text, "replace")] = value
    else:
        parent[token] = value  # also where the member is missing: scripts written against Kubernetes rely on it


def _test(box: dict[str, Any], path: list[str], expected: Any, text: str) -> None:
    try:
        actual = _walk(box, path)
    except _MissingError:
        actual = None  # an absent member passes a test for null, as it does in Kubernetes
        if expected is not None:
            raise PatchError(f"testing path {text} failed") from None
    if not equal(actual, expected):
        raise PatchError(f"testing value {text} failed")


def _found(box: dict[str, Any], path: list[str], text: str, kind: str) -> Any:
    try:
        return _walk(box, path)
    except _MissingError:
        raise _misses(kind, text) from None


def _parent(box: dict[str, Any], path: list[str], text: str, kind: str) -> Any:
    try:
        parent = _walk(box, path[:-1])
    except _MissingError:
        parent = None
    if not isinstance(parent, dict | list):
        raise PatchError(f"{kind} operation does not apply: doc is missing path: {text}: missing value")
    return parent


def _walk(value: Any, path: list[str]) -> Any:
    for token in path:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and _is_index(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise _MissingError
    return value


def _index(token: str, length: int, text: str, kind: str, *, end: bool = False) -> int:
    """A position in an array of which `length` positions may be named. RFC 6901, section 4: no leading zeros."""
    if end and token == "-":
        return length - 1
    if not _is_index(token):
        raise PatchError(f"{kind} operation does not apply: {text}: {token} is no array index")
    if int(token) >= length:
        raise PatchError(f"{kind} operation does not apply: {text}: Unable to access invalid index: {token}")
    return int(token)


def _is_index(token: str) -> bool:
    return token.isascii() and token.isdigit() and len(token) < 10 and (token == "0" or token[0] != "0")


def _misses(kind: str, text: str) -> PatchError:
    return PatchError(f"{kind} operation does not apply: doc is missing key: {text}: missing value")


def _weight(value: Any) -> int:
    """Roughly how many bytes of memory a value takes; small containers cost more than their JSON shows."""
    if isinstance(value, dict):
        return 64 + sum(len(key) + _weight(item) for key, item in value.items())
    if isinstance(value, list):
        return 64 + sum(map(_weight, value))
    return 8 + (len(value) if isinstance(value, str) else 0)
