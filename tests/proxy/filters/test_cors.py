"""CORS: which origins may, and what each is told (GEP-1767; conformance.md rule 32)."""

from __future__ import annotations

import pytest

from proxy.filters.cors import compile_cors
from proxy.snapshot.filters import Cors


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("https://www.foo.com", "https://www.foo.com", True),
        ("https://www.foo.com", "https://www.foo.com:443", True),
        ("https://www.foo.com:443", "https://www.foo.com", True),
        ("https://www.foo.com", "https://WWW.foo.com", True),
        ("https://www.foo.com", "https://www.foo.com:8443", False),
        ("https://www.foo.com", "http://www.foo.com", False),
        ("https://www.foo.com", "https://www.foo.com.evil.com", False),
        ("https://*.bar.com", "https://www.bar.com", True),
        ("https://*.bar.com", "https://xpto.www.bar.com", True),
        ("https://*.bar.com", "https://bar.com", False),
        ("https://*.bar.com", "https://.bar.com", False),
        ("https://*.bar.com", "https://foobar.com", False),
        ("https://*.bar.com", "https://www.bar.com:8443", False),
        ("https://*:8443", "https://any.thing:8443", True),
        ("https://*", "https://any.thing", True),
        ("https://*", "http://any.thing", False),
        ("http://*.bar.com", "http://evil.com/.bar.com", False),
        ("http://*.bar.com", "http://evil.com#.bar.com", False),
        ("http://*.bar.com", "http://user@www.bar.com", False),
        ("*", "null", True),
        ("*", "", False),
        ("https://www.foo.com", "null", False),
        ("https://*.bar.com", "https://" + "a" * 600 + ".bar.com", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(allowed: str, origin: str, expected: bool) -> None:
    assert compile_cors(Cors(origins=(allowed,))).allows(origin.encode()) is expected


def test_a_preflight_gets_the_lists_of_the_rule() -> None:
    cors = compile_cors(Cors(("https://a.com",), ("GET", "PUT"), ("X-A", "X-B"), ("X-C",), True, 3600))
    assert cors.preflight(b"https://a.com", b"GET", b"x-a") == (
        b"Access-Control-Allow-Origin: https://a.com",
        b"Access-Control-Allow-Credentials: true",
        b"Access-Control-Allow-Methods: GET, PUT",
        b"Access-Control-Allow-Headers: X-A, X-B",
        b"Access-Control-Expose-Headers: X-C",
        b"Access-Control-Max-Age: 3600",
        b"Vary: Origin",
    )
    assert cors.preflight(b"https://b.com", b"GET", b"") is None


def test_wildcards_are_said_as_they_are_without_credentials() -> None:
    cors = compile_cors(Cors(("*",), ("*",), ("*",), ("*",)))
    assert cors.preflight(b"https://a.com", b"PUT", b"x-a, x-b") == (
        b"Access-Control-Allow-Origin: *",
        b"Access-Control-Allow-Methods: *",
        b"Access-Control-Allow-Headers: *",
        b"Access-Control-Expose-Headers: *",
        b"Access-Control-Max-Age: 5",
    )


def test_wildcards_are_what_was_asked_for_with_credentials() -> None:
    cors = compile_cors(Cors(("*",), ("*",), ("*",), ("*",), credentials=True))
    lines = cors.preflight(b"https://a.com", b"PUT", b"x-a, x-b")
    assert lines is not None
    assert lines[:4] == (
        b"Access-Control-Allow-Origin: https://a.com",
        b"Access-Control-Allow-Credentials: true",
        b"Access-Control-Allow-Methods: PUT",
        b"Access-Control-Allow-Headers: x-a, x-b",
    )
    assert not any(b"Expose" in line or b"*" in line for line in lines)
    assert not any(b"Allow-Headers" in line for line in cors.preflight(b"https://a.com", b"PUT", b"") or ())


def test_what_the_backend_says_is_dropped_whoever_asks() -> None:
    cors = compile_cors(Cors(("https://a.com",), expose=("X-C",), credentials=True))
    answer = [b"HTTP/1.1 200 OK", b"access-control-allow-origin: *", b"Access-Control-Max-Age: 1", b"X: 1"]
    for origin, appended in (
        (
            b"https://a.com",
            (
                b"Access-Control-Allow-Origin: https://a.com",
                b"Access-Control-Allow-Credentials: true",
                b"Access-Control-Expose-Headers: X-C",
                b"Vary: Origin",
            ),
        ),
        (b"https://b.com", (b"Vary: Origin",)),
        (b"", (b"Vary: Origin",)),
    ):
        edit = cors.edit(origin)
        assert edit.without_dropped(answer) == [b"HTTP/1.1 200 OK", b"X: 1"]
        assert edit.appends == appended


def test_origins_without_end_are_not_remembered_without_end() -> None:
    cors = compile_cors(Cors(("*",), credentials=True))
    for number in range(3000):
        cors.edit(b"https://h%d" % number)
    assert len(cors._edits) <= 512
    assert cors.edit(b"https://" + b"a" * 60000).appends[0].endswith(b"aaa")
    assert all(len(origin) <= 512 for origin in cors._edits.young)
