"""What a match asks of a request beside its path: method, headers, query (Gateway API HTTPRouteMatch)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import re2

from proxy.protocols.h1_request import RequestHead
from proxy.snapshot.routes import REGEX_MEMORY_BYTES, HttpMatch, ValueMatch

Test = Callable[[bytes], bool]


class Conditions:
    """All of a match but its path. Headers of one name are compared joined by commas, query names by first value."""

    __slots__ = ("_headers", "_method", "_query")

    def __init__(self, match: HttpMatch) -> None:
        self._method = match.method.encode() if match.method else None
        self._headers = [(each.name.lower().encode(), _test(each)) for each in match.headers]
        self._query = [(each.name.encode(), _test(each)) for each in match.query]

    def hold(self, request: RequestHead) -> bool:
        """Whether every condition holds."""
        if self._method is not None and request.method != self._method:
            return False
        if self._headers:
            fields = request.fields()
            if not all((value := fields.get(name)) is not None and test(value) for name, test in self._headers):
                return False
        if self._query:
            parameters = query_parameters(request.query())
            return all((value := parameters.get(name)) is not None and test(value) for name, test in self._query)
        return True


def conditions(match: HttpMatch) -> Conditions | None:
    """The conditions of a match, or None when its path alone decides."""
    return Conditions(match) if match.method or match.headers or match.query else None


def query_parameters(query: bytes) -> dict[bytes, bytes]:
    """Name to first value, both percent-decoded; plus signs are blanks."""
    found: dict[bytes, bytes] = {}
    for part in query.split(b"&"):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        found.setdefault(unquote_to_bytes(name), unquote_to_bytes(value))
    return found


def whole_value(pattern: str) -> Test:
    """A test that an RE2 pattern covers a whole value; bytes outside UTF-8 match nothing. Raises re2.error.

    Time is linear in the value, and memory bounded, whatever the pattern.
    """
    options = re2.Options()
    options.max_mem = REGEX_MEMORY_BYTES
    options.log_errors = False
    matcher = re2.compile(pattern, options)

    def test(value: bytes) -> bool:
        try:
            return matcher.fullmatch(value.decode()) is not None
        except UnicodeDecodeError:
            return False

    return test


def _test(match: ValueMatch) -> Test:
    return match.value.encode().__eq__ if match.kind == "exact" else whole_value(match.value)
