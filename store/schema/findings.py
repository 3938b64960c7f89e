"""What one pass over an object gathers: causes with their places, repeated entries, rules that wait for the end."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from store.errors import Cause
from store.schema import causes
from store.schema.paths import Path, render
from store.schema.structural import Schema

_SEEN = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_SEEN_FORMATS = {int: "int64", float: "float64"}


class Finding(NamedTuple):
    """A cause and the node that it blames (the holder, where a required field is missing)."""

    cause: Cause
    node: Path


# A node whose rules run once the whole object has its shape. A plain tuple: one is made for every such node.
Pending: TypeAlias = tuple[Schema, Any, Path]


class Findings:
    """The mutable side of a pass; every method but the constructor is called only when something is wrong."""

    __slots__ = ("found", "pending", "repeated", "unknown")

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.found: list[Finding] = []
        self.repeated: list[Finding] = []
        self.pending: list[Pending] = []

    def add(self, cause: Cause, node: Path) -> None:
        """Any other cause."""
        self.found.append(Finding(cause, node))

    def blocking(self) -> bool:
        """Whether the shape is wrong, so that rules must not look at the object."""
        return any(finding.cause.reason in causes.BLOCKING for finding in self.found)

    def mismatch(self, path: Path, value: Any, type_: str, format_: str = "") -> None:
        """A value of the wrong type. Kubernetes names the format instead where there is one and neither fits."""
        seen, wanted = ("null", type_) if value is None else (_SEEN[type(value)], type_)
        if format_ and value is not None and not isinstance(value, str | list):
            seen, wanted = _SEEN_FORMATS.get(type(value), ""), format_
        self.add(causes.mismatched(render(path), seen, wanted), path)

    def malformed(self, path: Path, value: str, format_: str) -> None:
        """A text that its format does not accept."""
        self.add(causes.mismatched(render(path), value, format_), path)

    def invalid(self, path: Path, value: Any, detail: str) -> None:
        """A value that breaks a bound."""
        self.add(causes.invalid(render(path), value, detail), path)

    def missing(self, path: Path, name: str) -> None:
        """A required field that the object at `path` lacks."""
        self.add(causes.required(render((path, name))), path)

    def duplicate(self, path: Path, key: Any) -> None:
        """An entry with the key of an earlier one."""
        self.repeated.append(Finding(causes.duplicate(render(path), key), path))
