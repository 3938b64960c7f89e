"""The simple JSONPath of printer columns (kubernetes.io: "JSONPath Support"), compiled once.

A path comes in, a function from an object to its first match goes out: members, quoted members, indexes, [*] and
equality filters; no recursion, no scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterable[Any]]

_TOKEN = re.compile(
    r"""
    \.?\[\s*\?\(\s*@(?P<path>[^=!)]+?)\s*==\s*(?P<quote>["'])(?P<wanted>.*?)(?P=quote)\s*\)\s*\]  # [?(@.a=="b")]
  | \.?\[\s*(?P<index>-?\d+)\s*\]                                                              # [0]
  | \.?\[\s*(?P<all>\*)\s*\]                                                                   # [*]
  | \.?\[\s*(?P<mark>["'])(?P<quoted>.*?)(?P=mark)\s*\]                                        # ['a.b']
  | \.(?P<member>(?:\\.|[^.\[\]\\])+)                                                          # .member, dots escaped
    """,
    re.VERBOSE,
)


class JsonPathError(ValueError):
    """The path is not of the simple kind."""


@lru_cache(maxsize=1024)
def compile_path(path: str) -> Callable[[Any], Any]:
    """first(value): the first match, or None where there is none. Raises JsonPathError."""
    steps = tuple(_steps(path))

    def first(value: Any) -> Any:
        found: Iterable[Any] = (value,)
        for step in steps:
            found = [match for item in found for match in step(item)]
        return next(iter(found), None)

    return first


def _steps(path: str) -> Iterator[Step]:
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise JsonPathError(f"cannot read {path!r} at {text[at:]!r}")
        at = token.end()
        if token["path"] is not None:
            yield _filter(compile_path(token["path"]), token["wanted"])
        elif token["index"] is not None:
            yield _item(int(token["index"]))
        elif token["all"] is not None:
            yield _every
        elif token["quoted"] is not None:
            yield _member(token["quoted"])
        elif token["member"] == "*":
            yield _every
        else:
            yield _member(re.sub(r"\\(.)", r"\1", token["member"]))


def _member(name: str) -> Step:
    return lambda value: (value[name],) if isinstance(value, dict) and name in value else ()


def _item(index: int) -> Step:
    return lambda value: value[index:][:1] if isinstance(value, list) else ()


def _every(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _filter(path: Callable[[Any], Any], wanted: str) -> Step:
    return lambda value: [item for item in _every(value) if path(item) == wanted]
