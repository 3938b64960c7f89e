"""Label selectors: the text of a query parameter or a LabelSelector object comes in, a test of labels comes out.

Grammar and error texts: kubernetes.io, "Labels and Selectors".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.objects.names import label_value_errors, qualified_name_errors
from store.objects.selector_error import SelectorError

SPECIAL = "=!(),><"
OPERATORS = {"in", "notin", "=", "==", "!=", "gt", "lt", ">", "<"}
BINARY = "in, notin, =, ==, !=, gt, lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector. operator: exists, !, =, !=, in, notin, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """The terms of a label selector; none for "". Raises SelectorError."""
    return _LabelParser(_tokens(text)).parse()


def labels_of(selector: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """The terms of a LabelSelector object (matchLabels and matchExpressions)."""
    terms = [Requirement(key, "in", frozenset({value})) for key, value in (selector.get("matchLabels") or {}).items()]
    names = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    for expression in selector.get("matchExpressions") or ():
        values = frozenset(expression.get("values") or ())
        terms.append(Requirement(expression["key"], names[expression["operator"]], values))
    return tuple(terms)


def _tokens(text: str) -> list[str]:
    """Identifiers and symbols, then "" for the end."""
    tokens = []
    position = 0
    while position < len(text):
        char = text[position]
        if char in " \t\r\n":
            position += 1
            continue
        start = position
        if char in SPECIAL:
            position += 1
            while position < len(text) and text[start : position + 1] in ("==", "!="):
                position += 1
        else:
            while position < len(text) and text[position] not in SPECIAL + " \t\r\n":
                position += 1
        tokens.append(text[start:position])
    return [*tokens, ""]


def _is_identifier(token: str) -> bool:
    return bool(token) and token[0] not in SPECIAL


class _LabelParser:
    """Recursive descent, one token of look-ahead; a text of an error quotes the token that was not expected."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._position = 0

    @property
    def _ahead(self) -> str:
        return self._tokens[self._position]

    def _next(self) -> str:
        token = self._ahead
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def parse(self) -> tuple[Requirement, ...]:
        terms: list[Requirement] = []
        while self._ahead:
            if not _is_identifier(self._ahead) and self._ahead != "!":
                raise SelectorError(f"found '{self._ahead}', expected: !, identifier, or 'end of string'")
            try:
                terms.append(self._term())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            separator = self._next()
            if not separator:
                break
            if separator != ",":
                raise SelectorError(f"found '{separator}', expected: ',' or 'end of string'")
            if not _is_identifier(self._ahead) and self._ahead != "!":
                raise SelectorError(f"found '{self._ahead}', expected: identifier after ','")
        return tuple(terms)

    def _term(self) -> Requirement:
        absent = self._ahead == "!"
        if absent:
            self._next()
        key = self._next()
        if not _is_identifier(key):
            raise SelectorError(f"found '{key}', expected: identifier")
        if errors := qualified_name_errors(key):
            raise SelectorError(f'<nil>: Invalid value: "{key}": {"; ".join(errors)}')
        if self._ahead in ("", ","):
            return Requirement(key, "!" if absent else "exists")
        if absent:
            return Requirement(key, "!")
        return self._comparison(key)

    def _comparison(self, key: str) -> Requirement:
        operator = self._next()
        if operator not in OPERATORS:
            raise SelectorError(f"found '{operator}', expected: {BINARY}")
        operator = {">": "gt", "<": "lt"}.get(operator, operator)
        values = self._values() if operator in ("in", "notin") else frozenset({self._value()})
        if operator in ("gt", "lt"):
            for value in values:
                if not re.fullmatch(r"[+-]?\d+", value):
                    message = "for 'Gt', 'Lt' operators, the value must be an integer"
                    raise SelectorError(f'values[0]: Invalid value: "{value}": {message}')
        for index, value in enumerate(sorted(values)):
            if errors := label_value_errors(value):
                raise SelectorError(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(errors)}')
        return Requirement(key, operator, values)

    def _value(self) -> str:
        if self._ahead in ("", ","):
            return ""
        token = self._next()
        if not _is_identifier(token):
            raise SelectorError(f"found '{token}', expected: identifier")
        return token

    def _values(self) -> frozenset[str]:
        if (token := self._next()) != "(":
            raise SelectorError(f"found '{token}' expected: '('")
        values: set[str] = set()
        if not _is_identifier(self._ahead) and self._ahead not in (",", ")"):
            raise SelectorError(f"found '{self._ahead}', expected: ',', ')' or identifier")
        while True:
            values.add(self._next() if _is_identifier(self._ahead) else "")
            token = self._next()
            if token == ")":
                return frozenset(values)
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or ')'")


class Labels:
    """The terms of a label selector as one test whose cost follows the labels of an object, not the number of terms."""

    def __init__(self, terms: Iterable[Requirement]) -> None:
        self._required: dict[str, frozenset[str] | None] = {}
        self._forbidden: dict[str, frozenset[str]] = {}
        self._absent: set[str] = set()
        self._bounds: dict[str, tuple[int | None, int | None]] = {}
        for term in terms:
            self._take(term)

    def _take(self, term: Requirement) -> None:
        key = term.key
        match term.operator:
            case "=" | "==" | "in":
                known = self._required.get(key)
                self._required[key] = term.values if known is None else known & term.values
            case "!=" | "notin":
                self._forbidden[key] = self._forbidden.get(key, frozenset()) | term.values
            case "exists":
                self._required.setdefault(key, None)
            case "!":
                self._absent.add(key)
            case "gt" | "lt":
                least, most = self._bounds.get(key, (None, None))
                (bound,) = map(int, term.values)
                if term.operator == "gt":
                    least = bound if least is None else max(least, bound)
                else:
                    most = bound if most is None else min(most, bound)
                self._bounds[key] = least, most

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy every term."""
        for key, allowed in self._required.items():
            value = labels.get(key)
            if value is None or (allowed is not None and value not in allowed):
                return False
        for key, value in labels.items():
            if key in self._absent or value in self._forbidden.get(key, ()):
                return False
        return all(_within(labels.get(key), *bounds) for key, bounds in self._bounds.items())


def _within(value: str | None, least: int | None, most: int | None) -> bool:
    """Whether a label is an integer between two bounds, which do not belong to the range."""
    if value is None or not re.fullmatch(r"[+-]?\d+", value):
        return False
    return (least is None or int(value) > least) and (most is None or int(value) < most)
