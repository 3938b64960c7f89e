"""Fields that a JSON body gives twice: readers differ in which one counts, so strict writers want to hear of it.

Bytes of a body that is known to be JSON come in, paths go out ("spec.rules[0].name").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from store.errors import StatusError
from store.http.errors import bad_request
from store.verbs import FieldValidation

PATHS_LIMIT = 64


def judge(
    body: bytes, document: dict[str, Any], kind: str, version: str, validation: FieldValidation
) -> tuple[str, ...]:
    """Warnings about duplicates, where they are to warn; document: the body decoded.

    Raises StatusError 400 where they are an error.
    """
    # As compact as most clients write it, and as long as what was understood of it: no field stands twice.
    if validation == "Ignore" or orjson.dumps(document) == body:
        return ()
    found = tuple(f'duplicate field "{path}"' for path in duplicate_fields(body))
    if found and validation == "Strict":
        raise _strict(kind, version, found)
    return found


def duplicate_fields(body: bytes) -> list[str]:
    """Paths of the fields that occur twice in an object."""
    doubled = False

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        built = dict(pairs)
        doubled = doubled or len(built) != len(pairs)
        return built

    json.loads(body, object_pairs_hook=look)
    # Nearly every body ends here; where fields lie costs a second reading.
    if not doubled:
        return []
    found = _paths(json.loads(body, object_pairs_hook=_Pairs), "")
    return list(islice(found, PATHS_LIMIT))


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, to tell it from an array."""


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, inner in value:
            inner_path = f"{path}.{name}" if path else name
            if name in seen:
                yield inner_path
            seen.add(name)
            yield from _paths(inner, inner_path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, f"{path}[{index}]")


def _strict(kind: str, version: str, problems: tuple[str, ...]) -> StatusError:
    return bad_request(
        f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {", ".join(problems)}'
    )
