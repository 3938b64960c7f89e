"""YAML events made into JSON values, without recursion and within limits.

Bytes come in; plain dicts, lists and scalars go out, on demand with the place of every field of one document. PyYAML's
own constructors are not used: they read YAML 1.1 types (`no`, `1:30`, dates) and let the last of duplicate keys win.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import yaml

from store.yaml_events import events

Path = tuple[str | int, ...]

DEPTH_LIMIT = 100
# Nodes that aliases may add to a file; a bomb of nine levels wants 10**9, a thrifty author some hundreds.
ALIASED_NODES_LIMIT = 20_000
NODES_LIMIT = 1_000_000

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# JSON writes what lies beyond 16 bits as two escapes; YAML has no such pairs (RFC 8259, 7; YAML 1.2.2, 5.7).
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset({"str", "int", "float", "bool", "null"})
_INT64 = range(-(2**63), 2**63)


class Position(NamedTuple):
    """A place in a file, counted from 1; 0 is unknown."""

    line: int
    column: int


class TextError(Exception):
    """The text is YAML, but not of the kind that is read here."""

    def __init__(self, message: str, remedy: str, position: Position) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.position = position


class LimitError(TextError):
    """The text asks for more than it is worth: depth, aliases or sheer number of nodes."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One YAML document; value None for an empty one."""

    index: int
    value: Any
    position: Position


@dataclass(slots=True)
class _Open:
    """A mapping or list under construction. nodes: how many nodes it holds so far, aliases counted in full."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    merges: Any = None
    nodes: int = 1


class Builder:
    """Builds the documents of one file. record: the document whose fields' places go into `positions`."""

    def __init__(self, data: bytes, record: int | None = None) -> None:
        self._data = data
        self._record = record
        self.positions: dict[Path, Position] = {}
        self._recording = False
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._nodes = 0
        self._result: Any = None

    def documents(self) -> Iterator[Parsed]:
        """Every document in turn. Raises TextError, LimitError and yaml.YAMLError."""
        try:
            text = self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = self._data[: error.start]
            column = error.start - before.rfind(b"\n")
            position = Position(before.count(b"\n") + 1, column)
            raise TextError("not UTF-8 text", "Save the file as UTF-8.", position) from None
        if _PAIR.search(text) and _is_json(text):
            text = _PAIR.sub(_joined, text)
        index = -1
        position = Position(1, 1)
        for event in events(text):
            if isinstance(event, yaml.DocumentStartEvent):
                index += 1
                self._anchors.clear()
                self._recording = index == self._record
                self._result = None
                position = Position(0, 0)
            elif isinstance(event, yaml.DocumentEndEvent):
                yield Parsed(index, self._result, position)
            elif isinstance(event, (yaml.NodeEvent, yaml.CollectionEndEvent)):
                if position.line == 0:
                    position = _position(event)
                self._take(event)

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._count(event)
                if self._expects_key():
                    self._begin_field(event)
                else:
                    value = _scalar(event)
                    self._remember(event.anchor, value, 1)
                    self._place(value, 1, event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.CollectionEndEvent():
                self._end(event)
            case yaml.AliasEvent():
                self._alias(event)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _begin_field(self, event: yaml.ScalarEvent) -> None:
        frame = self._open[-1]
        assert isinstance(frame.value, dict)
        key = event.value
        if key in frame.value:
            raise TextError(f'key "{key}" appears twice', "Remove one of the two.", _position(event))
        frame.key = key
        if self._recording:
            self.positions[self._path()] = _position(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event)
        if self._expects_key():
            raise TextError("a key is no text", "Write keys as plain texts.", _position(event))
        if len(self._open) >= DEPTH_LIMIT:
            raise LimitError(f"nested more than {DEPTH_LIMIT} deep", "Flatten the document.", _position(event))
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, _TAG + ("map" if mapping else "seq")):
            raise TextError(f"tag {event.tag} is not supported", "Remove the tag.", _position(event))
        if self._recording:
            self.positions.setdefault(self._path(), _position(event))
        self._open.append(_Open({} if mapping else [], event.anchor))

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._open.pop()
        if frame.merges is not None and isinstance(frame.value, dict):
            _merge(frame.value, frame.merges, event)
        self._remember(frame.anchor, frame.value, frame.nodes)
        self._place(frame.value, frame.nodes, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._expects_key():
            raise TextError("an alias is used as a key", "Write the key out.", _position(event))
        if event.anchor not in self._anchors:
            remedy = "Define the anchor before its use; it cannot contain itself."
            raise TextError(f"alias *{event.anchor} has no anchor yet", remedy, _position(event))
        value, nodes = self._anchors[event.anchor]
        self._aliased += nodes
        if self._aliased > ALIASED_NODES_LIMIT:
            message = f"aliases add more than {ALIASED_NODES_LIMIT} values"
            raise LimitError(message, "Write the values out, in several files.", _position(event))
        depth = len(self._open) + _depth(value)
        if depth > DEPTH_LIMIT:
            raise LimitError(f"nested more than {DEPTH_LIMIT} deep", "Flatten the document.", _position(event))
        self._place(_copy(value), nodes, event)

    def _place(self, value: Any, nodes: int, event: yaml.Event) -> None:
        """Put a finished value where it belongs."""
        if not self._open:
            self._result = value
            return
        frame = self._open[-1]
        frame.nodes += nodes
        if isinstance(frame.value, list):
            if self._recording:
                self.positions.setdefault((*self._path()[:-1], len(frame.value)), _position(event))
            frame.value.append(value)
        elif frame.key == "<<" and isinstance(value, (dict, list)):
            frame.merges, frame.key = value, None
        else:
            assert frame.key is not None
            frame.value[frame.key] = value
            frame.key = None

    def _path(self) -> Path:
        return tuple(
            frame.key if isinstance(frame.value, dict) else len(frame.value)  # type: ignore[misc]  # a key is set here
            for frame in self._open
        )

    def _remember(self, anchor: str | None, value: Any, nodes: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, nodes)

    def _count(self, event: yaml.Event) -> None:
        self._nodes += 1
        if self._nodes > NODES_LIMIT:
            raise LimitError(f"more than {NODES_LIMIT} values", "Split the file.", _position(event))


def _is_json(text: str) -> bool:
    """Whether every backslash is in a quoted text, so that escapes mean what JSON says."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return pair[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _position(event: yaml.Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(0, 0)


def _scalar(event: yaml.ScalarEvent) -> Any:
    """The value of a scalar: JSON's grammar decides what is a number; what is quoted is a text (YAML 1.2, 10.2)."""
    text, tag = event.value, event.tag
    if tag is None or tag == "!":
        if not event.implicit[0] or tag == "!":
            return text
        return _plain(text, event)
    kind = tag.removeprefix(_TAG)
    if kind not in _SCALAR_TAGS or not tag.startswith(_TAG):
        raise TextError(f"tag {tag} is not supported", "Remove the tag.", _position(event))
    if kind == "str":
        return text
    value = _plain(text, event)
    if kind == "float" and type(value) is int:
        return float(value)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}[kind]
    if type(value) is not wanted:
        raise TextError(f'"{text}" is no {kind}', "Correct the value or its tag.", _position(event))
    return value


def _plain(text: str, event: yaml.Event) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _NUMBER.match(text):
        return text
    if _INTEGER.match(text):
        if len(text) > 20 or int(text) not in _INT64:
            raise TextError(f"{text[:40]} does not fit 64 bits", "Quote it if it is a text.", _position(event))
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise TextError(f"{text[:40]} is too large a number", "Quote it if it is a text.", _position(event))
    return number


def _merge(target: dict[str, Any], merges: Any, event: yaml.Event) -> None:
    """`<<`: take keys that are not there from one mapping, or from several, the first winning (YAML merge keys)."""
    for source in merges if isinstance(merges, list) else [merges]:
        if not isinstance(source, dict):
            raise TextError("<< merges something that is no mapping", "Merge mappings only.", _position(event))
        for key, value in source.items():
            target.setdefault(key, value)


def _copy(value: Any) -> Any:
    """A copy of its own, so that no two objects share a part. Depth is bounded by DEPTH_LIMIT."""
    if isinstance(value, dict):
        return {key: _copy(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_copy(member) for member in value]
    return value


def _depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max((_depth(member) for member in members), default=0)
