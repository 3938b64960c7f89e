"""ExternalAuth: what the authority is told, and what its answer does (GEP-1494)."""

from __future__ import annotations

import pytest

from proxy.filters.external_auth import compile_external_auth, is_for_the_client, is_permission
from proxy.snapshot.filters import ExternalAuth

REQUEST = [
    b"Host: a",
    b"Authorization: Basic x",
    b"Cookie: c=1",
    b"X-Team: t",
    b"X-User: mallory",
    b"Content-Length: 9",
    b"Transfer-Encoding: chunked",
]
HEAD = [b"GET / HTTP/1.1", *REQUEST]


def test_http_sends_the_authorization_and_what_is_named() -> None:
    plain = compile_external_auth(ExternalAuth("http", "c"))
    assert plain.sent(REQUEST) == [b"Authorization: Basic x"]
    more = compile_external_auth(ExternalAuth("http", "c", request_headers=("cookie", "host", "content-length")))
    assert more.sent(REQUEST) == [b"Authorization: Basic x", b"Cookie: c=1"]


def test_grpc_sends_everything_or_only_what_is_named() -> None:
    everything = compile_external_auth(ExternalAuth("grpc", "c"))
    assert everything.sent(REQUEST) == REQUEST[1:5]
    named = compile_external_auth(ExternalAuth("grpc", "c", request_headers=("x-team",)))
    assert named.sent(REQUEST) == [b"X-Team: t"]


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("", b"/a?q", b"/a?q"),
        ("/check", b"/a?q", b"/check/a?q"),
        ("/check", b"*", b"/check"),
        ("", b"*", b"/"),
        ("/a b\r\nx: y", b"/a", b"/a%20b%0D%0Ax:%20y/a"),
        ("/\u00fc", b"/a", b"/%C3%BC/a"),
    ],
)
def test_a_path_stands_before_the_requests_own(path: str, target: bytes, expected: bytes) -> None:
    assert compile_external_auth(ExternalAuth("http", "c", path)).target(target) == expected


def test_a_permission_sets_the_fields_that_are_named_and_nobody_else_can() -> None:
    authority = compile_external_auth(ExternalAuth("http", "c", response_headers=("x-user", "x-role", "host")))
    edit = authority.permission([b"X-User: alice", b"X-Other: 1", b"Host: evil", b"Content-Length: 0"])
    assert edit.appends == (b"X-User: alice",)
    assert edit.without_dropped([*HEAD, b"x-role: admin"]) == [line for line in HEAD if b"X-User" not in line]


def test_a_permission_without_names_sets_every_field_of_its_own() -> None:
    edit = compile_external_auth(ExternalAuth("http", "c")).permission(
        [b"X-User: alice", b"Date: d", b"Server: s", b"Content-Length: 0", b"Connection: close", b"Content-Type: t"]
    )
    assert edit.appends == (b"X-User: alice",)
    assert edit.drops == {b"x-user"}


def test_only_200_permits_and_only_what_helps_a_client_reaches_it() -> None:
    assert [status for status in range(100, 600) if is_permission(status)] == [200]
    assert [is_for_the_client(status) for status in (200, 204, 302, 401, 403, 500, 503)] == [
        False, False, True, True, True, False, False,
    ]  # fmt: skip
