"""ext_authz messages: what is told, what is understood, and what is refused rather than half understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.protocols.ext_authz import CheckedRequest, Verdict, check_request, check_response
from proxy.protocols.protobuf import ProtobufError, data, fields, number, varint


def header(key: bytes, value: bytes, *, append: bool = False) -> bytes:
    return data(1, data(1, key) + data(2, value)) + (data(2, number(1, 1)) if append else b"")


def inner(message: bytes, *path: int) -> bytes:
    """The message inside a message, by field numbers."""
    for step in path:
        found = dict(fields(message))[step]
        assert isinstance(found, bytes)
        message = found
    return message


def test_a_request_is_told_as_the_protocol_names_its_parts() -> None:
    message = check_request(
        CheckedRequest(
            b"GET",
            b"/a?q",
            b"a.example",
            b"https",
            b"HTTP/1.1",
            ("192.0.2.1", 4711),
            [b"Cookie: a", b"X-A: 1", b"x-a: 2", b"X-Odd: \xff"],
            b"hi",
            2,
        )
    )
    http = list(fields(inner(message, 1, 4, 2)))
    assert [value for field, value in http if field == 3] == [
        data(1, b"cookie") + data(2, b"a"),
        data(1, b"x-a") + data(2, b"1,2"),
        data(1, b"x-odd") + data(2, "\ufffd".encode()),
    ]
    assert {field: value for field, value in http if field != 3} == {
        2: b"GET", 4: b"/a?q", 5: b"a.example", 6: b"https", 9: 2, 10: b"HTTP/1.1", 11: b"hi",
    }  # fmt: skip
    assert dict(fields(inner(message, 1, 1, 1, 1))) == {2: b"192.0.2.1", 3: 4711}


def test_a_body_that_is_no_text_is_told_as_bytes_and_an_unknown_size_as_minus_one() -> None:
    request = CheckedRequest(b"POST", b"/", b"h", b"http", b"HTTP/2", ("::1", 1), body=b"\xff\x00")
    http = dict(fields(inner(check_request(request), 1, 4, 2)))
    assert (http[12], http[9]) == (b"\xff\x00", 2**64 - 1)
    assert 11 not in http


def test_a_permission_edits_the_request() -> None:
    allowed = data(2, header(b"X-User", b"alice")) + data(2, header(b"X-Tag", b"t", append=True))
    allowed += data(5, b"Authorization") + data(6, header(b"Set-Cookie", b"c=1"))
    assert check_response(data(3, allowed)) == Verdict(
        True, 200, (b"x-user", b"authorization"), (b"X-User: alice", b"X-Tag: t"), (b"Set-Cookie: c=1",)
    )
    assert check_response(b"") == Verdict(True)


def test_a_denial_is_for_the_client() -> None:
    denied = data(1, number(1, 401)) + data(2, header(b"WWW-Authenticate", b"Basic")) + data(3, b"no")
    assert check_response(data(1, number(1, 16)) + data(2, denied)) == Verdict(
        False, 401, (), (b"WWW-Authenticate: Basic",), (), b"no"
    )
    assert check_response(data(1, number(1, 7))).status == 403
    assert check_response(data(1, number(1, 7)) + data(2, data(1, number(1, 200)))).status == 403
    assert not check_response(data(1, number(1, 7)) + data(3, b"")).permitted


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a",
        b"\x0a\x05ab",
        b"\xff" * 11,
        b"\x0b",
        b"\x00\x01",
        number(1, 1),
        data(3, data(2, header(b"X-A\r\nEvil", b"1"))),
        data(3, data(2, header(b"X-A", b"1\r\nEvil: 2"))),
        data(3, data(2, header(b"", b"1"))),
        data(3, data(2, header(b":path", b"/"))),
    ],
)
def test_what_is_no_answer_is_refused(message: bytes) -> None:
    with pytest.raises(ProtobufError):
        check_response(message)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_or_understood_and_nothing_else(message: bytes) -> None:
    try:
        verdict = check_response(message)
    except ProtobufError:
        return
    assert all(b"\r" not in line and b"\n" not in line for line in verdict.appends + verdict.answer_appends)


@given(st.integers(0, 2**64 - 1))
def test_numbers_come_back(value: int) -> None:
    assert list(fields(varint(1 << 3) + varint(value))) == [(1, value)]
