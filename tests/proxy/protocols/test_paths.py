"""Paths: what is matched and what travels on."""

from __future__ import annotations

import pytest

from proxy.protocols.authority import host_name
from proxy.protocols.paths import judged_path


@pytest.mark.parametrize(
    ("sent", "matched", "forwarded"),
    [
        ("/a/b", "/a/b", "/a/b"),
        ("/a/../b", "/b", "/b"),
        ("/a/./b/", "/a/b/", "/a/b/"),
        ("/../../etc", "/etc", "/etc"),
        ("/a/%2e%2E/b", "/b", "/b"),
        ("/a/..", "/", "/"),
        ("/a%2Fb", "/a%2Fb", "/a%2Fb"),
        ("/a%2fb", "/a%2Fb", "/a%2fb"),
        ("/%61dmin", "/admin", "/%61dmin"),
        ("//a///b", "/a/b", "//a///b"),
        ("/a;v=1/b", "/a;v=1/b", "/a;v=1/b"),
        ("/.well-known/x", "/.well-known/x", "/.well-known/x"),
        ("/a/...", "/a/...", "/a/..."),
    ],
)
def test_a_path_is_matched_in_canonical_form_and_sent_as_it_came(sent: str, matched: str, forwarded: str) -> None:
    assert judged_path(sent.encode()) == (matched.encode(), forwarded.encode())


@pytest.mark.parametrize("path", ["/a%00", "/%", "/%2", "/%zz", "/a/..%00"])
def test_broken_escapes_and_nul_are_refused(path: str) -> None:
    assert judged_path(path.encode()) is None


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("A.Example.:80", "a.example"),
        ("[::1]:8080", "[::1]"),
        ("a_b", "a_b"),
        ("a:99999", None),
        ("a b", None),
        ("", None),
        (":80", None),
        ("u@a", None),
        ("a:80:80", None),
        ("[zz]", None),
        ("a:", "a"),
    ],
)
def test_the_name_to_route_by(authority: str, name: str | None) -> None:
    assert host_name(authority.encode()) == (name.encode() if name else None)
