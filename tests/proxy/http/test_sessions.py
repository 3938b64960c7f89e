"""Sessions: the paths of their cookies."""

from __future__ import annotations

from typing import Literal

import pytest

from proxy.http.sessions import cookie_path
from proxy.snapshot.routes import HttpMatch


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("prefix", "/", b"/"),
        ("prefix", "/cart", b"/cart"),
        ("exact", "/a/b", b"/a/b"),
        ("regex", "/p1/p2/.*/p3", b"/p1/p2"),
        ("regex", "/p1/p2x*", b"/p1"),
        ("regex", "/plain", b"/plain"),
        ("regex", ".*", b"/"),
        ("exact", "/a/b;c", b"/a"),
        ("exact", "/;c", b"/"),
    ],
)
def test_a_cookie_is_for_the_path_that_was_matched(
    kind: Literal["exact", "prefix", "regex"], path: str, expected: bytes
) -> None:
    assert cookie_path(HttpMatch(kind, path)) == expected
