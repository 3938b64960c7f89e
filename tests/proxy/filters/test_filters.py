"""Filters: header edits compose, redirects and rewrites follow the API's tables."""

from __future__ import annotations

import pytest

from proxy.filters.path_modifier import modified_path
from proxy.filters.redirect import compile_redirect
from proxy.filters.request_headers import compile_request_headers
from proxy.filters.url_rewrite import compile_url_rewrite
from proxy.snapshot.filters import PathModifier, RequestHeaderModifier, RequestRedirect, URLRewrite


def test_set_add_and_remove_apply_in_this_order() -> None:
    edit = compile_request_headers(
        RequestHeaderModifier(set=(("X-S", "1"), ("X-R", "2")), add=(("X-A", "3"),), remove=("x-r", "x-old"))
    )
    head = [b"GET / HTTP/1.1", b"x-s: 0", b"X-A: 0", b"X-Old: 0", b"Host: a"]
    assert edit.without_dropped(head) == [b"GET / HTTP/1.1", b"X-A: 0", b"Host: a"]
    assert edit.appends == (b"X-S: 1", b"X-A: 3")


def test_a_later_edit_sees_what_an_earlier_one_added() -> None:
    first = compile_request_headers(RequestHeaderModifier(set=(("X-S", "1"), ("X-T", "1"))))
    both = first.then(compile_request_headers(RequestHeaderModifier(set=(("x-s", "2"),))))
    assert both.appends == (b"X-T: 1", b"x-s: 2")


def test_framing_fields_and_line_ends_cannot_be_edited_in() -> None:
    edit = compile_request_headers(
        RequestHeaderModifier(set=(("Content-Length", "5"), ("X-S", "a\r\nEvil: 1")), remove=("Transfer-Encoding",))
    )
    assert edit.appends == (b"X-S: a  Evil: 1",)
    assert edit.drops == {b"x-s"}


@pytest.mark.parametrize(
    ("path", "prefix", "value", "expected"),
    [
        ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
        ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
        ("/foo", "/foo", "/xyz", "/xyz"),
        ("/foo/", "/foo", "/xyz", "/xyz/"),
        ("/foo/bar", "/foo", "", "/bar"),
        ("/foo/", "/foo", "", "/"),
        ("/foo", "/foo", "", "/"),
        ("/foo/", "/foo", "/", "/"),
        ("/foo", "/foo", "/", "/"),
        ("/foo/bar", "", "/xyz", "/xyz/foo/bar"),
    ],
)
def test_prefixes_are_replaced_as_in_the_apis_table(path: str, prefix: str, value: str, expected: str) -> None:
    assert modified_path(PathModifier("prefix", value), path.encode(), prefix.encode()) == expected.encode()


@pytest.mark.parametrize(
    ("redirect", "scheme", "port", "expected"),
    [
        (RequestRedirect(), "http", 80, "http://h/a/b?q"),
        (RequestRedirect(), "http", 8080, "http://h:8080/a/b?q"),
        (RequestRedirect(scheme="https"), "http", 8080, "https://h/a/b?q"),
        (RequestRedirect(scheme="http"), "https", 8443, "http://h/a/b?q"),
        (RequestRedirect(port=8443, scheme="https"), "http", 80, "https://h:8443/a/b?q"),
        (RequestRedirect(port=80), "http", 8080, "http://h/a/b?q"),
        (RequestRedirect(port=443, scheme="http"), "http", 80, "http://h:443/a/b?q"),
        (RequestRedirect(hostname="x"), "https", 443, "https://x/a/b?q"),
        (RequestRedirect(path=PathModifier("full", "/z")), "http", 80, "http://h/z?q"),
        (RequestRedirect(path=PathModifier("prefix", "/z")), "http", 80, "http://h/z/b?q"),
    ],
)
def test_a_location_keeps_what_the_redirect_does_not_name(
    redirect: RequestRedirect, scheme: str, port: int, expected: str
) -> None:
    location = compile_redirect(redirect).location(
        scheme=scheme, host=b"h", listener_port=port, path=b"/a/b", query=b"q", prefix=b"/a"
    )
    assert location == expected.encode()


def test_a_rewrite_changes_host_and_path_apart() -> None:
    rewrite = compile_url_rewrite(URLRewrite(hostname="h", path=None))
    assert (rewrite.host, rewrite.path(b"/a", b"/a")) == (b"h", None)
    assert compile_url_rewrite(URLRewrite(path=PathModifier("full", "/a b"))).path(b"/x", None) == b"/a%20b"
