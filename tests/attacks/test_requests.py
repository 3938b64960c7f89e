"""Requests that try to be two things at once: each is refused, or reaches the backend as exactly one clean request.

A case names the bytes that a client sends and what must come of them: the gateway's status for a refusal, or what the
backend must have understood. `wire.read_requests` decides whether that can be understood in one way only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from proxy.options import ProxyOptions
from tests.attacks.capturing import Stage, stage
from tests.attacks.wire import MARKER, Seen
from tests.proxy.gateway import run

HOST = b"Host: a.example\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Refused:
    """The gateway answers this itself and closes; the backend hears nothing."""

    status: int = 400


@dataclass(frozen=True)
class Forwarded:
    """The backend gets these targets, one clean request each, and the first has this body, host and no such fields."""

    targets: tuple[bytes, ...] = (b"/",)
    body: bytes = b""
    host: bytes = b"a.example"
    without: tuple[bytes, ...] = ()
    trailers: tuple[bytes, ...] = ()


Table = dict[str, tuple[bytes, Refused | Forwarded]]


def get(fields: bytes = b"", target: bytes = b"/", host: bytes = HOST, version: bytes = b"HTTP/1.1") -> bytes:
    """A GET with more header lines, each with its own line end."""
    return b"GET %b %b\r\n%b%b\r\n" % (target, version, host, fields)


def post(fields: bytes, body: bytes = b"") -> bytes:
    """A POST framed by `fields`."""
    return b"POST / HTTP/1.1\r\n%b%b\r\n%b" % (HOST, fields, body)


def length(value: bytes) -> bytes:
    return b"Content-Length: " + value + b"\r\n"


def coding(value: bytes) -> bytes:
    return b"Transfer-Encoding: " + value + b"\r\n"


TWO_FRAMINGS: Table = {
    "CL then TE": (post(length(b"4") + CHUNKED, END + NEXT), Refused()),
    "TE then CL": (post(CHUNKED + length(b"4"), END + NEXT), Refused()),
    "CL 0 and TE": (post(length(b"0") + CHUNKED, END + NEXT), Refused()),
    "TE and CL in HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + length(b"4") + CHUNKED + b"\r\n" + END + NEXT,
        Refused(),
    ),
    "two CLs that differ": (post(length(b"0") + length(b"44"), NEXT), Refused()),
    "two CLs alike": (post(length(b"2") + length(b"2"), b"ok"), Refused()),
    "a list of CLs alike": (post(length(b"2, 2"), b"ok"), Refused()),
    "a list of CLs that differ": (post(length(b"0, 44"), NEXT), Refused()),
    "two TEs": (post(CHUNKED + CHUNKED, END), Refused(501)),
    "TE chunked, then another TE": (post(CHUNKED + coding(b"identity"), END + NEXT), Refused(501)),
    "CL nominated away": (post(b"Connection: content-length\r\n" + length(b"44"), NEXT), Refused()),
    "TE nominated away": (post(b"Connection: Transfer-Encoding\r\n" + CHUNKED, END + NEXT), Refused()),
    "Host nominated away": (get(b"Connection: close, hOST\r\n"), Refused()),
}
LENGTHS: Table = {
    "plus": (post(length(b"+2"), b"ok"), Refused()),
    "minus": (post(length(b"-2"), b"ok"), Refused()),
    "hexadecimal": (post(length(b"0x2"), b"ok"), Refused()),
    "with a point": (post(length(b"2.0"), b"ok"), Refused()),
    "with an exponent": (post(length(b"2e0"), b"ok"), Refused()),
    "with an underscore": (post(length(b"1_0"), b"0123456789"), Refused()),
    "empty": (post(length(b""), b""), Refused()),
    "with a blank inside": (post(length(b"1 0"), b"0123456789"), Refused()),
    "with a vertical tab": (post(length(b"\x0b2"), b"ok"), Refused()),
    "with a no-break space": (post(length(b"\xa02"), b"ok"), Refused()),
    "in other digits": (post(length(b"\xef\xbc\x92"), b"ok"), Refused()),
    "beyond 64 bits": (post(length(b"18446744073709551618"), b"ok"), Refused()),
    "beyond 32 bits with the client gone": (post(length(b"4294967298"), b"ok"), Refused(0)),
    "leading zeros": (post(length(b"0002"), b"ok"), Forwarded(body=b"ok")),
    "after a tab": (post(b"Content-Length:\t2\r\n", b"ok"), Forwarded(body=b"ok")),
    "before blanks": (post(b"Content-Length: 2 \t\r\n", b"ok"), Forwarded(body=b"ok")),
    "without a blank": (post(b"Content-Length:2\r\n", b"ok"), Forwarded(body=b"ok")),
    "name with an underscore": (post(b"Content_Length: 44\r\n", NEXT), Forwarded((b"/", b"/smuggled"))),
    "name with a blank after": (post(b"Content-Length : 44\r\n", NEXT), Refused()),
    "name with a tab after": (post(b"Content-Length\t: 44\r\n", NEXT), Refused()),
    "name with a blank before": (post(b" Content-Length: 44\r\n", NEXT), Refused()),
    "name with a NUL after": (post(b"Content-Length\0: 44\r\n", NEXT), Refused()),
    "name with a no-break space": (post(b"Content-Length\xa0: 44\r\n", NEXT), Refused()),
}
CODINGS: Table = {
    "capital letters": (post(coding(b"CHUNKED"), b"2\r\nok\r\n" + END), Forwarded(body=b"ok")),
    "after a tab": (post(b"Transfer-Encoding:\tchunked\r\n", END), Forwarded()),
    "before blanks": (post(b"Transfer-Encoding: chunked \t \r\n", END), Forwarded()),
    "after two blanks": (post(b"Transfer-Encoding:  chunked\r\n", END), Forwarded()),
    "without a blank": (post(b"Transfer-Encoding:chunked\r\n", END), Forwarded()),
    "identity": (post(coding(b"identity"), NEXT), Refused(501)),
    "gzip, chunked": (post(coding(b"gzip, chunked"), END + NEXT), Refused(501)),
    "chunked, identity": (post(coding(b"chunked, identity"), END + NEXT), Refused(501)),
    "chunked twice": (post(coding(b"chunked, chunked"), END + NEXT), Refused(501)),
    "chunked with a parameter": (post(coding(b"chunked;q=1"), END + NEXT), Refused(501)),
    "quoted": (post(coding(b'"chunked"'), END + NEXT), Refused(501)),
    "a comma before": (post(coding(b",chunked"), END + NEXT), Refused(501)),
    "a comma after": (post(coding(b"chunked,"), END + NEXT), Refused(501)),
    "x-chunked": (post(coding(b"xchunked"), END + NEXT), Refused(501)),
    "empty": (post(coding(b""), END + NEXT), Refused(501)),
    "a vertical tab": (post(coding(b"\x0bchunked"), END + NEXT), Refused()),
    "a form feed after": (post(coding(b"chunked\x0c"), END + NEXT), Refused()),
    "a NUL after": (post(coding(b"chunked\0"), END + NEXT), Refused()),
    "folded": (post(b"Transfer-Encoding:\r\n chunked\r\n", END + NEXT), Refused()),
    "folded with a tab": (post(b"Transfer-Encoding:\r\n\tchunked\r\n", END + NEXT), Refused()),
    "name with a blank after": (post(b"Transfer-Encoding : chunked\r\n", END + NEXT), Refused()),
    "name with a blank before": (post(b"X: y\r\n Transfer-Encoding: chunked\r\n", END + NEXT), Refused()),
    "name with an underscore": (post(b"Transfer_Encoding: chunked\r\n" + length(b"2"), b"ok"), Forwarded(body=b"ok")),
    "hidden behind a bare LF": (post(b"X: y\nTransfer-Encoding: chunked\r\n", END + NEXT), Refused()),
    "hidden behind a bare CR": (post(b"X: y\rTransfer-Encoding: chunked\r\n", END + NEXT), Refused()),
    "hidden behind a NUL": (post(b"X: y\0Transfer-Encoding: chunked\r\n", END + NEXT), Refused()),
    "in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n" + END + NEXT, Refused()),
    "of a GET": (get(CHUNKED) + b"2\r\nok\r\n" + END, Forwarded(body=b"ok")),
}


def chunked(body: bytes) -> bytes:
    return post(CHUNKED, body)


CHUNKS: Table = {
    "extensions go": (chunked(b'2;a=b;c="d"\r\nok\r\n' + END), Forwarded(body=b"ok")),
    "extension with a bare LF": (chunked(b"2;a\nok\r\n" + END + NEXT), Refused()),
    "extension with a bare CR": (chunked(b"2;a\rb\r\nok\r\n" + END + NEXT), Refused()),
    "extension with a NUL": (chunked(b"2;a\0\r\nok\r\n" + END), Refused()),
    "extension without an end": (chunked(b"2;" + b"a" * 20000), Refused()),
    "extensions without number": (chunked(b"1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n" * 2000 + END), Refused()),
    "size with a blank before": (chunked(b" 2\r\nok\r\n" + END), Refused()),
    "size with a blank after": (chunked(b"2 \r\nok\r\n" + END), Refused()),
    "size in hex notation": (chunked(b"0x2\r\nok\r\n" + END), Refused()),
    "size with a plus": (chunked(b"+2\r\nok\r\n" + END), Refused()),
    "size with a minus": (chunked(b"-1\r\nok\r\n" + END), Refused()),
    "size with an underscore": (chunked(b"1_0\r\n0123456789abcdef\r\n" + END), Refused()),
    "size with leading zeros": (chunked(b"00000002\r\nok\r\n" + END), Forwarded(body=b"ok")),
    "size beyond 64 bits": (chunked(b"10000000000000002\r\nok\r\n" + END), Refused()),
    "no size at all": (chunked(b"\r\nok\r\n" + END), Refused()),
    "size ends in a bare LF": (chunked(b"2\nok\n0\n\n" + NEXT), Refused()),
    "size ends in a bare CR": (chunked(b"2\rok\r0\r\r" + NEXT), Refused()),
    "chunk longer than it says": (chunked(b"2\r\nokay\r\n" + END), Refused()),
    "chunk ends in other bytes": (chunked(b"2\r\nokXX" + END), Refused()),
    "chunk ends in a bare LF": (chunked(b"2\r\nok\n" + END), Refused()),
    "last chunk of many zeros": (chunked(b"0" * 15 + b"\r\n\r\n"), Forwarded()),
    "trailer that is allowed": (chunked(b"0\r\nX-Sum: 1\r\n\r\n"), Forwarded(trailers=(b"x-sum",))),
    "trailers that frame and route go": (
        chunked(b"0\r\nContent-Length: 44\r\nHost: b\r\nTransfer-Encoding: chunked\r\nX-Sum: 1\r\n\r\n"),
        Forwarded(trailers=(b"x-sum",)),
    ),
    "trailers that authenticate go": (
        chunked(b"0\r\nAuthorization: x\r\nX-Forwarded-For: 1.2.3.4\r\nCookie: a=b\r\n\r\n"),
        Forwarded(),
    ),
    "trailers in disguise go": (chunked(b"0\r\nX_Forwarded_For: 1.2.3.4\r\nContent_Length: 9\r\n\r\n"), Forwarded()),
    "trailer that is folded": (chunked(b"0\r\nX: y\r\n z\r\n\r\n"), Refused()),
    "trailer without a colon": (chunked(b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n"), Refused()),
    "trailer with a bare LF": (chunked(b"0\r\nX: y\n\r\n\r\n"), Refused()),
    "trailers without end": (chunked(b"0\r\n" + b"X: y\r\n" * 1000), Refused()),
}
HOSTS: Table = {
    "none": (get(host=b""), Refused()),
    "two": (get(b"Host: b.example\r\n"), Refused()),
    "two alike": (get(HOST), Refused()),
    "empty": (get(host=b"Host: \r\n"), Refused()),
    "with a blank": (get(host=b"Host: a.example b\r\n"), Refused()),
    "with user information": (get(host=b"Host: user@a.example\r\n"), Refused()),
    "with a path": (get(host=b"Host: a.example/b\r\n"), Refused()),
    "with a query": (get(host=b"Host: a.example?b\r\n"), Refused()),
    "with a fragment": (get(host=b"Host: a.example#b\r\n"), Refused()),
    "with a backslash": (get(host=b"Host: a.example\\b\r\n"), Refused()),
    "two ports": (get(host=b"Host: a.example:80:81\r\n"), Refused()),
    "port of letters": (get(host=b"Host: a.example:http\r\n"), Refused()),
    "port too large": (get(host=b"Host: a.example:65536\r\n"), Refused()),
    "brackets that do not close": (get(host=b"Host: [::1\r\n"), Refused()),
    "not ASCII": (get(host="Host: ä.example\r\n".encode()), Refused()),
    "folded": (get(host=b"Host:\r\n a.example\r\n"), Refused()),
    "blank before the colon": (get(host=b"Host : a.example\r\n"), Refused()),
    "after a tab": (get(host=b"Host:\ta.example\r\n"), Forwarded()),
    "with blanks around": (get(host=b"Host:   a.example \t\r\n"), Forwarded()),
    "capital letters, port and dot": (get(host=b"Host: A.Example.:80\r\n"), Forwarded(host=b"A.Example.:80")),
    "an IPv6 address": (get(host=b"Host: [::1]:80\r\n"), Forwarded(host=b"[::1]:80")),
    "of the target wins": (get(target=b"http://b.example/x"), Forwarded((b"/x",), host=b"b.example")),
    "of the target, none in the head": (get(target=b"http://b.example/", host=b""), Refused()),
    "of the target, a bad one in the head": (get(target=b"http://b.example/", host=b"Host: a b\r\n"), Refused()),
    "of the target with user information": (get(target=b"http://a.example@b.example/"), Refused()),
    "of the target is empty": (get(target=b"http:///x"), Refused()),
    "in disguise goes": (get(b"X_Forwarded_Host: b\r\nx-forwarded_for: 1.2.3.4\r\n"), Forwarded()),
    "missing in HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", Forwarded(host=b"")),
}
TARGETS: Table = {
    "fragment": (get(target=b"/a#b"), Refused()),
    "control character": (get(target=b"/a\x01b"), Refused()),
    "blank": (get(target=b"/a b"), Refused()),
    "tab": (get(target=b"/a\tb"), Refused()),
    "not ASCII": (get(target="/ä".encode()), Refused()),
    "no slash": (get(target=b"a"), Refused()),
    "empty": (b"GET  HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "escaped NUL": (get(target=b"/a%00"), Refused()),
    "broken escape": (get(target=b"/a%zz"), Refused()),
    "half an escape": (get(target=b"/a%2"), Refused()),
    "escaped line end is data": (get(target=b"/a%0d%0aX:y"), Forwarded((b"/a%0d%0aX:y",))),
    "escaped slash is data": (get(target=b"/a%2fb"), Forwarded((b"/a%2fb",))),
    "escaped escape is data": (get(target=b"/a%252e%252e/b"), Forwarded((b"/a%252e%252e/b",))),
    "dot segments": (get(target=b"/a/../b/./c"), Forwarded((b"/b/c",))),
    "escaped dot segments": (get(target=b"/a/%2e%2E/b"), Forwarded((b"/b",))),
    "half escaped dot segments": (get(target=b"/a/.%2e/b"), Forwarded((b"/b",))),
    "above the root": (get(target=b"/../../etc/passwd"), Forwarded((b"/etc/passwd",))),
    "dots at the end": (get(target=b"/a/b/.."), Forwarded((b"/a/",))),
    "dots after two slashes": (get(target=b"/a//../b"), Forwarded((b"/b",))),
    "dots in the query stay": (get(target=b"/a?/../b"), Forwarded((b"/a?/../b",))),
    "two slashes": (get(target=b"/a//b"), Forwarded((b"/a//b",))),
    "a semicolon": (get(target=b"/a/..;/b"), Forwarded((b"/a/..;/b",))),
    "a backslash": (get(target=b"/a\\..\\b"), Forwarded((b"/a\\..\\b",))),
    "too long": (get(target=b"/" + b"a" * 17000), Refused(414)),
    "too long before its end": (b"GET /" + b"a" * 70000, Refused(414)),
    "asterisk of OPTIONS": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", Forwarded((b"*",))),
    "asterisk of GET": (get(target=b"*"), Refused()),
    "another scheme": (get(target=b"ftp://a.example/"), Refused()),
    "an absolute one without a path": (get(target=b"http://a.example?x"), Forwarded((b"/?x",))),
    "an absolute one with a fragment": (get(target=b"http://a.example/#x"), Refused()),
    "CONNECT": (b"CONNECT a.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", Refused(405)),
    "CONNECT with a path": (b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n", Refused(405)),
    "TRACE": (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", Refused(405)),
}
START: Table = {
    "HTTP/0.9": (b"GET /\r\n\r\n", Refused()),
    "HTTP/0.9 in name": (get(version=b"HTTP/0.9"), Refused(505)),
    "HTTP/1.2": (get(version=b"HTTP/1.2"), Refused(505)),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), Refused(505)),
    "HTTP/11": (get(version=b"HTTP/11"), Refused()),
    "HTTP/1.1 and more": (get(version=b"HTTP/1.1 x"), Refused()),
    "HTTP/1.10": (get(version=b"HTTP/1.10"), Refused()),
    "small letters": (get(version=b"http/1.1"), Refused()),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused(0)),  # it gets frames, no HTTP/1.1
    "a broken preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", Refused(0)),
    "a preface of HTTP/2.1": (b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", Refused(505)),
    "another protocol": (b"INVITE sip:a@b SIP/2.0\r\n\r\n", Refused(0)),
    "two blanks": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "a tab": (b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "a blank before": (b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "a blank after": (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", Refused()),
    "a bare LF": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", Refused()),
    "only bare LFs": (b"GET / HTTP/1.1\nHost: a.example\n\n", Refused(0)),
    "a bare CR": (b"GET / HTTP/1.1\rHost: a.example\r\n\r\n", Refused()),
    "a NUL": (b"GET\0 / HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "a method with a colon": (b"GET: / HTTP/1.1\r\n" + HOST + b"\r\n", Refused()),
    "a method of its own": (b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n", Forwarded()),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", Forwarded()),
    "a TLS ClientHello": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160), Refused()),
    "one empty line before": (b"\r\n" + get(), Forwarded()),
    "empty lines before": (b"\r\n\r\n\r\n" + get(), Forwarded()),
    "line noise": (b"\xff\xfe\x00" * 50 + b"\r\n\r\n", Refused()),
    "nothing but line ends": (b"\r\n\r\n\r\n\r\n", Refused(0)),
}
FIELDS: Table = {
    "no colon": (get(b"Nonsense\r\n"), Refused()),
    "no name": (get(b": x\r\n"), Refused()),
    "a name with a blank": (get(b"A b: c\r\n"), Refused()),
    "a name with a bracket": (get(b"A(b): c\r\n"), Refused()),
    "a name that is not ASCII": (get("Ä: c\r\n".encode()), Refused()),
    "folded": (get(b"A: b\r\n c\r\n"), Refused()),
    "a value with a DEL": (get(b"A: b\x7f\r\n"), Refused()),
    "a value with a bell": (get(b"A: \x07\r\n"), Refused()),
    "a request in a value": (get(b"A: b\r\n\tGET /smuggled HTTP/1.1\r\n"), Refused()),
    "a hundred and one": (get(b"A: b\r\n" * 100), Refused(431)),
    "three hundred": (get(b"A: b\r\n" * 300), Refused(431)),
    "too large": (get(b"A: " + b"b" * 66000 + b"\r\n"), Refused(431)),
    "too large before its end": (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 70000, Refused(431)),
    "X-Forwarded-For nominated away": (
        get(b"Connection: close, X-Forwarded-For, Via\r\nX-Forwarded-For: 1.2.3.4\r\n"),
        Forwarded(),
    ),
    "nominated ones go": (
        get(b"Connection: close, x-secret\r\nX-Secret: 1\r\nTE: gzip\r\nKeep-Alive: 5\r\n"),
        Forwarded(without=(b"x-secret", b"te", b"keep-alive", b"connection")),
    ),
    "Upgrade to h2c goes": (
        get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
        Forwarded(without=(b"upgrade", b"http2-settings", b"connection")),
    ),
    "Upgrade to h2c in capitals goes": (
        get(b"Connection: upgrade\r\nUpgrade: H2C\r\n"),
        Forwarded(without=(b"upgrade", b"connection")),
    ),
    "Upgrade to h2c with a version goes": (
        get(b"Connection: upgrade\r\nUpgrade: h2c/1, h2\r\n"),
        Forwarded(without=(b"upgrade", b"connection")),
    ),
    "Upgrade to TLS or HTTP goes": (
        get(b"Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/2.0\r\n"),
        Forwarded(without=(b"upgrade", b"connection")),
    ),
    "Upgrade without Connection goes": (get(b"Upgrade: websocket\r\n"), Forwarded(without=(b"upgrade",))),
    "Upgrade with a body goes": (
        post(b"Connection: upgrade\r\nUpgrade: websocket\r\n" + length(b"2"), b"ok"),
        Forwarded(body=b"ok", without=(b"upgrade",)),
    ),
    "Upgrade, more": (
        get(b"Connection: upgrade\r\nUpgrade: websocket\r\n") + NEXT,
        Forwarded((b"/",)),
    ),
    "an expectation of its own": (post(b"Expect: 200-ok\r\n" + length(b"2"), b"ok"), Refused(417)),
    "two expectations": (post(b"Expect: 100-continue, x\r\n" + length(b"2"), b"ok"), Refused(417)),
    "Expect without a body": (get(b"Expect: 100-continue\r\n"), Forwarded()),
    "Expect in HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + b"Expect: 100-continue\r\n" + length(b"2") + b"\r\nok",
        Forwarded(body=b"ok", without=(b"expect",)),
    ),
}
PIPELINES: Table = {
    "two": (get() + get(target=b"/2"), Forwarded((b"/", b"/2"))),
    "a body, then another": (post(length(b"2"), b"ok") + get(target=b"/2"), Forwarded((b"/", b"/2"), b"ok")),
    "a body that looks like a request": (post(length(b"%d" % len(NEXT)), NEXT), Forwarded(body=NEXT)),
    "a chunk that looks like a request": (
        chunked(b"%x\r\n%b\r\n" % (len(NEXT), NEXT) + END),
        Forwarded(body=NEXT),
    ),
    "a chunk that looks like the end": (chunked(b"5\r\n0\r\n\r\n\r\n" + END), Forwarded(body=END)),
    "after close, more": (get(b"Connection: close\r\n") + NEXT, Forwarded((b"/",))),
    "after HTTP/1.0, more": (b"GET / HTTP/1.0\r\n" + HOST + b"\r\n" + NEXT, Forwarded((b"/",))),
    "after a refusal, more": (get(target=b"/a#") + NEXT, Refused()),
    "a body that ends too early": (post(length(b"20"), b"ok"), Refused(0)),
    "chunks that end too early": (chunked(b"5\r\nok"), Refused(0)),
    "a head that ends too early": (b"GET / HTTP/1.1\r\n" + HOST, Refused(0)),
}
TABLES: dict[str, Table] = {
    "two framings": TWO_FRAMINGS,
    "Content-Length": LENGTHS,
    "Transfer-Encoding": CODINGS,
    "chunks": CHUNKS,
    "Host": HOSTS,
    "target": TARGETS,
    "start": START,
    "fields": FIELDS,
    "pipelines": PIPELINES,
}
CASES = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}


def statuses(answer: bytes) -> list[int]:
    """The final statuses in what a client received."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 ([2-5]\d\d)", answer)]


def check(expected: Refused | Forwarded, answer: bytes, staged: Stage) -> None:
    """Hold what client and backend got to what was expected."""
    if isinstance(expected, Refused):
        assert statuses(answer) == ([expected.status] if expected.status else [])
        assert all(MARKER not in data for data in staged.capture.received)
        whole = b"".join(bytes(data) for data in staged.capture.received)
        assert whole == b"" or not whole.endswith(b"\r\n\r\n") or expected.status in (0, 400)
        return
    seen = staged.capture.requests()
    assert [request.target for request in seen] == list(expected.targets)
    assert statuses(answer) == [200] * len(seen)
    first: Seen = seen[0]
    assert first.body == expected.body
    assert first.one(b"host") == (expected.host or b"127.0.0.1:%d" % staged.port)
    assert first.one(b"x-forwarded-for") == b"127.0.0.1"
    assert not first.fields.keys() & set(expected.without)
    assert tuple(first.trailers) == expected.trailers


OPTIONS = ProxyOptions(access_log="off", removed_bind_drain_s=0.1)


@pytest.mark.parametrize("split", [0, 1], ids=["whole", "byte by byte"])
def test_every_request_is_refused_or_understood_in_one_way(split: int) -> None:
    """All cases, each through a gateway of its own; whole, then the short ones again in pieces of one byte."""
    failed = {}

    async def attack(wire: bytes, expected: Refused | Forwarded) -> None:
        async with stage(options=OPTIONS) as staged:
            answer = await (staged.trickle(wire) if split else staged.say(wire))
            check(expected, answer, staged)

    for name, (wire, expected) in CASES.items():
        if split and (len(wire) > 600 or name.endswith(", more")):  # what comes after the end may reset the answer
            continue
        try:
            run(lambda wire=wire, expected=expected: attack(wire, expected))  # type: ignore[misc]
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    assert not failed, "\n\n".join(f"{name}\n{what}" for name, what in failed.items())
