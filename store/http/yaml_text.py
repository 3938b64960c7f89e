"""YAML with JSON's scalar types only, no duplicate keys and bounded aliases; and objects written as YAML.

Bytes come in, JSON-like values go out, and the other way round. Folders of YAML files are no concern of this module.
Values are built from libyaml's events: its own composer recurses in C without a bound, and a body of brackets ends the
process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from store.yaml_events import events

EXPANDED_NODES_LIMIT = 200_000
DEPTH_LIMIT = 100

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LONGEST_INTEGER = len("-9223372036854775808")
_TAG = "tag:yaml.org,2002:"
_TYPES: Mapping[str, tuple[type, ...]] = {
    _TAG + "null": (type(None),),
    _TAG + "bool": (bool,),
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
}


class YamlError(ValueError):
    """The text is not one acceptable document; the message says why, on one line."""


class _Dumper(yaml.CSafeDumper):
    """Writes shared values twice rather than as aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def load(text: bytes) -> Any:
    """One document as JSON-like values. Raises YamlError."""
    try:
        return _Builder().build(events(text))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(" ".join(str(error).split())) from None


def dump(value: Any) -> bytes:
    """Block style, keys in their given order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, encoding="utf-8")


@dataclass(slots=True)
class _Open:
    """A mapping or list under construction. weight: its nodes so far, aliases counted in full; height: levels in it."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    weight: int = 1
    height: int = 1


class _Builder:
    """Builds one value from events; anchors maps a name to (value, weight, height), or to None while it is open."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int] | None] = {}
        self._documents = 0
        self._result: Any = None

    def build(self, events: Iterable[yaml.Event]) -> Any:
        """The value of the only document, None where there is none. Raises YamlError and yaml.YAMLError."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.CollectionStartEvent():
                    self._begin(event)
                case yaml.CollectionEndEvent():
                    frame = self._open.pop()
                    self._finish(frame.anchor, frame.value, frame.weight, frame.height)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise YamlError("expected a single document in the stream, but found another document")
        return self._result

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        frame = self._open[-1] if self._open else None
        if frame is None or frame.key is not None or not isinstance(frame.value, dict):
            self._finish(event.anchor, _scalar(event), 1, 0)
            return
        if event.value in frame.value:
            raise YamlError(f'{_line(event)}: key "{event.value}" already set in map')
        frame.key = event.value

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._refuse_as_key(event)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            raise YamlError(f"{_line(event)}: no constructor for the tag {event.tag}")
        if len(self._open) >= DEPTH_LIMIT:
            raise YamlError(f"{_line(event)}: nested more than {DEPTH_LIMIT} levels deep")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open({} if mapping else [], event.anchor))

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._refuse_as_key(event)
        if event.anchor not in self._anchors:
            raise YamlError(f"{_line(event)}: found undefined alias {event.anchor}")
        known = self._anchors[event.anchor]
        if known is None:
            raise YamlError("an alias refers to a node that contains it")
        value, weight, height = known
        if len(self._open) + height > DEPTH_LIMIT:
            raise YamlError(f"{_line(event)}: nested more than {DEPTH_LIMIT} levels deep")
        self._finish(None, value, weight, height)

    def _refuse_as_key(self, event: yaml.NodeEvent) -> None:
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise YamlError(f"{_line(event)}: keys must be strings")

    def _finish(self, anchor: str | None, value: Any, weight: int, height: int) -> None:
        """Put a finished value where it belongs."""
        if anchor:
            self._anchors[anchor] = value, weight, height
        if not self._open:
            self._result = value
            return
        frame = self._open[-1]
        frame.weight += weight
        frame.height = max(frame.height, height + 1)
        if frame.weight > EXPANDED_NODES_LIMIT:
            raise YamlError("too many nodes, aliases written out")
        if isinstance(frame.value, list):
            frame.value.append(value)
        else:
            assert frame.key is not None
            frame.value[frame.key], frame.key = value, None


def _scalar(event: yaml.ScalarEvent) -> Any:
    """The value of a scalar: JSON's grammar decides what is plain; what is quoted is a text."""
    tag, text = event.tag, event.value
    if tag is None:
        return _plain(text) if event.implicit[0] else text
    if tag in ("!", _TAG + "str"):
        return text
    value = _plain(text)
    if type(value) not in _TYPES.get(tag, ()):
        raise YamlError(f'{_line(event)}: no constructor for the tag {tag} of "{text[:40]}"')
    return float(value) if tag == _TAG + "float" else value


def _plain(text: str) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _NUMBER.fullmatch(text):
        return text
    if len(text) <= _LONGEST_INTEGER and _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**64:
        return int(text)
    number = float(text)  # as for JSON: what does not fit 64 bits is a floating-point number
    if math.isinf(number):
        raise YamlError(f"{text[:40]} is too large a number")
    return number


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"
