"""Cookies: values by name, whatever stands beside them; a bound on how many are looked at."""

from __future__ import annotations

import pytest

from proxy.protocols.cookies import VALUES_LIMIT, cookie_values, set_cookie


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"Cookie: s=1"], [b"1"]),
        ([b"cookie: a=b; s=1; c=d"], [b"1"]),
        ([b"Cookie: xs=0;s=1 ;ss=2"], [b"1"]),
        ([b"Cookie: s=1; s=2", b"Cookie: s=3"], [b"1", b"2", b"3"]),
        ([b'Cookie: s="1"'], [b"1"]),
        ([b"Cookie: s", b"Cookie: =1", b"Cookie: "], [b""]),
        ([], []),
    ],
)
def test_values_of_a_name(lines: list[bytes], expected: list[bytes]) -> None:
    assert cookie_values(lines, b"s") == expected


def test_a_heap_of_cookies_is_not_looked_through() -> None:
    assert len(cookie_values([b"Cookie: " + b"; ".join([b"s=1"] * 1000)], b"s")) == VALUES_LIMIT


def test_a_cookie_is_kept_from_scripts_and_other_sites() -> None:
    assert set_cookie(b"s", b"v", path=b"/a", secure=True, max_age_s=60) == (
        b"Set-Cookie: s=v; Path=/a; Max-Age=60; HttpOnly; Secure; SameSite=Strict"
    )
    assert set_cookie(b"s", b"v", path=b"", secure=False, max_age_s=None) == (
        b"Set-Cookie: s=v; HttpOnly; SameSite=Strict"
    )
