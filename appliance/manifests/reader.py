"""Manifest files as values: bytes come in, objects with their places go out. Pure.

YAML with JSON's types only: duplicate keys are refused, aliases and depth bounded, and `no`, `22:22` or `2024-01-01`
stay texts. What the objects mean is not known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from appliance.manifests.building import Builder, LimitError, Path, Position, TextError

_PATH_PART = re.compile(r'\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]|([^.\[\]]+)')
# One key of an item of a keyed list, or an item of a set (no key): name="http", port=80, ="a".
_ITEM_KEY = re.compile(r'([^=,"]*)=("(?:[^"\\]|\\.)*"|[^,"]+)')


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file, a document or a field is not usable. line, column: from 1, 0 when the whole file is meant.

    field: as "spec.rules[0].matches"; object: "Kind namespace/name" where known; remedy: what to do, a sentence.
    """

    message: str
    remedy: str
    line: int = 0
    column: int = 0
    object: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One object. index: the YAML document; prefix: its path in there (("items", 2) for a member of a List).

    value always has a text apiVersion, kind and metadata.name. line: where it begins.
    """

    value: dict[str, Any]
    index: int
    prefix: Path
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. readable: False when nothing of it may be believed (then documents is empty).

    complete: False when some document is no object, so that what the file leaves out is not known.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    readable: bool
    complete: bool


def read(data: bytes) -> Reading:
    """All objects of a file, Lists taken apart."""
    builder = Builder(data)
    try:
        values = [document for document in builder.documents() if document.value is not None]
    except (TextError, LimitError) as error:
        return _unreadable(error.message, error.remedy, error.position)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(0, 0)
        what = ", ".join(part for part in (error.context, error.problem) if part)
        return _unreadable(f"not YAML: {what}", "Correct the syntax at this place.", position)
    except yaml.YAMLError as error:
        return _unreadable(f"not YAML: {str(error).splitlines()[0]}", "Save the file as UTF-8 text.", Position(0, 0))
    documents: list[Document] = []
    problems: list[Problem] = []
    for parsed in values:
        for prefix, value in _members(parsed.value):
            position = locate(data, parsed.index, prefix) if prefix else parsed.position
            problem = _identity_problem(value, position)
            if problem is None:
                documents.append(Document(value, parsed.index, prefix, position.line))
            else:
                problems.append(problem)
    return Reading(tuple(documents), tuple(problems), readable=True, complete=not problems)


def locate(data: bytes, index: int, path: Path) -> Position:
    """Where a field of the index-th YAML document stands, or its nearest ancestor that is there; `data` is readable."""
    builder = Builder(data, record=index)
    for document in builder.documents():
        if document.index == index:
            break
    for length in range(len(path), -1, -1):
        if (position := builder.positions.get(path[:length])) is not None:
            return position
    return Position(0, 0)


def place_of(document: Document, data: bytes, field: str) -> Position:
    """Where a field stands that is spelt as causes or FieldSets spell it: "spec.rules[0]", ".spec.ports[port=80]"."""
    path: list[str | int] = []
    value: Any = document.value
    for step in field_path(field):
        path.append(_item(value, step) if isinstance(value, list) and isinstance(step, str) else step)
        value = _child(value, path[-1])
    return locate(data, document.index, (*document.prefix, *path))


def describe(value: Mapping[str, Any]) -> str:
    """ "Kind namespace/name" """
    metadata = value["metadata"]
    namespace = metadata.get("namespace", "")
    return f"{value['kind']} {namespace}/{metadata['name']}" if namespace else f"{value['kind']} {metadata['name']}"


def field_path(text: str) -> Path:
    """The path that a cause's field or an unknown field names: "spec.rules[0].name" is ("spec", "rules", 0, "name").

    A key in brackets that is no number ("metadata.labels[a/b]") stands for itself.
    """
    path: list[str | int] = []
    for bracketed, plain in _PATH_PART.findall(text):
        path.append(plain or (int(bracketed) if bracketed.isdigit() else _unquoted(bracketed)))
    return tuple(path)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _item(items: list[Any], keys: str) -> str | int:
    """The position of the item that has these keys, or the keys; what a file leaves to defaults is no difference."""
    try:
        wanted = [(name, json.loads(value)) for name, value in _ITEM_KEY.findall(keys)]
    except ValueError:
        return keys
    for position, item in enumerate(items if wanted else ()):
        found = (
            [(name, item.get(name)) for name, _ in wanted if name in item] if isinstance(item, dict) else [("", item)]
        )
        if found and all(pair in wanted for pair in found):
            return position
    return keys


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def unreadable(problem: Problem) -> Reading:
    """What a file says of which nothing may be believed."""
    return Reading((), (problem,), readable=False, complete=False)


def _unreadable(message: str, remedy: str, position: Position) -> Reading:
    return unreadable(Problem(message, remedy, position.line, position.column))


def _members(value: Any) -> Sequence[tuple[Path, Any]]:
    """The value itself, or the members of a v1 List (of any ...List of the API, as `kubectl get -o yaml` writes)."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        kind = value.get("kind")
        if isinstance(kind, str) and kind.endswith("List"):
            members = value["items"]
            inherited = (
                {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
            )
            return [
                (("items", place), {**inherited, **member} if isinstance(member, dict) else member)
                for place, member in enumerate(members)
            ]
    return [((), value)]


def _identity_problem(value: Any, position: Position) -> Problem | None:
    """A problem unless the value names its type and itself."""
    line, column = position
    if not isinstance(value, dict):
        return Problem("a document is no mapping", "Write an object with apiVersion, kind and metadata.", line, column)
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            return Problem(f"an object has no {field}", f"Give it a {field}.", line, column, field=field)
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        remedy = "Give it a metadata.name; generateName cannot be kept applied."
        return Problem(f"a {value['kind']} has no name", remedy, line, column, value["kind"], "metadata.name")
    namespace = metadata.get("namespace")
    if namespace is not None and not isinstance(namespace, str):
        remedy = "Write the namespace as text."
        return Problem("metadata.namespace is no text", remedy, line, column, value["kind"], "metadata.namespace")
    return None
