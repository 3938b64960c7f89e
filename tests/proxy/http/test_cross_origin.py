"""CORS through a port: who answers a preflight, and what an answer says to whom (GEP-1767)."""

from __future__ import annotations

from proxy.snapshot.filters import Cors, RequestRedirect
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, WeightedBackend
from tests.proxy.http.stage import Stage, answering, forward, staged

CORS = Cors(("https://a.com",), ("GET", "PUT"), ("X-A",), ("X-B",), credentials=True, max_age_s=60)
OK = (
    b"HTTP/1.1 200 OK\r\nDate: x\r\naccess-control-allow-origin: *\r\nAccess-Control-Max-Age: 1\r\n"
    b"Content-Length: 2\r\n\r\nhi"
)
RULES = [forward(filters=(CORS,))]


def request(method: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((method + b" /a HTTP/1.1", b"Host: a", *fields)) + b"\r\n\r\n"


def test_a_preflight_is_answered_here() -> None:
    seen: list[bytes] = []

    async def test(stage: Stage) -> None:
        answer = await stage.say(
            request(b"OPTIONS", b"Origin: https://a.com", b"Access-Control-Request-Method: GET", b"X: 1")
        )
        assert answer.startswith(b"HTTP/1.1 204 No Content\r\n") and answer.endswith(b"\r\n\r\n")
        assert answer.count(b"Access-Control-Allow-Origin: https://a.com\r\n") == 1
        assert b"Access-Control-Allow-Methods: GET, PUT\r\n" in answer
        assert b"Access-Control-Allow-Credentials: true\r\n" in answer and b"Content-Length" not in answer

    staged(test, answering(OK, seen=seen), RULES)
    assert seen == []


def test_a_preflight_of_another_origin_is_refused_without_a_word_of_cors() -> None:
    async def test(stage: Stage) -> None:
        answer = await stage.say(request(b"OPTIONS", b"Origin: https://b.com", b"Access-Control-Request-Method: GET"))
        assert answer.startswith(b"HTTP/1.1 403 ") and b"access-control" not in answer.lower()

    staged(test, answering(OK), RULES)


def test_an_options_request_that_is_no_preflight_reaches_the_backend() -> None:
    seen: list[bytes] = []

    async def test(stage: Stage) -> None:
        assert b" 200 OK" in await stage.say(request(b"OPTIONS", b"Origin: https://a.com"))

    staged(test, answering(OK, seen=seen), RULES)
    assert len(seen) == 1


def test_an_answer_says_what_the_rule_says_and_nothing_of_the_backends() -> None:
    async def test(stage: Stage) -> None:
        answer = await stage.say(request(b"GET", b"origin: https://a.com"))
        assert answer.lower().count(b"access-control-allow-origin") == 1
        assert b"Access-Control-Allow-Origin: https://a.com\r\n" in answer
        assert b"Access-Control-Expose-Headers: X-B\r\n" in answer and b"Max-Age" not in answer
        for origin in (b"Origin: https://b.com", b"X: 1"):
            other = await stage.say(request(b"GET", origin))
            assert b"access-control" not in other.lower() and b"Vary: Origin\r\n" in other

    staged(test, answering(OK), RULES)


def test_a_failure_of_ours_can_be_read_by_scripts_too() -> None:
    async def test(stage: Stage) -> None:
        answer = await stage.say(request(b"GET", b"Origin: https://a.com"))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Access-Control-Allow-Origin: https://a.com\r\n" in answer

    async def no_endpoints(stage: Stage) -> None:
        stage.registry.upstreams["c"].peers.clear()
        await test(stage)

    staged(no_endpoints, answering(OK), RULES)


def test_a_backends_own_filter_answers_for_that_backend() -> None:
    backends = (WeightedBackend(1, "c"), WeightedBackend(1, "c", (CORS,)))
    rule = HttpRule(HttpMatch(), HttpAction("ns/r", "0", backends=backends))
    seen: list[bytes] = []
    preflight = request(b"OPTIONS", b"Origin: https://a.com", b"Access-Control-Request-Method: GET")

    async def test(stage: Stage) -> None:
        statuses = [(await stage.say(preflight))[9:12] for _ in range(4)]
        assert sorted(statuses) == [b"200", b"200", b"204", b"204"]

    staged(test, answering(OK, seen=seen), [rule])
    assert len(seen) == 2


def test_a_redirect_of_a_backend_can_be_read_across_origins() -> None:
    """As one of a rule can; neither filter makes the other void."""
    backends = (WeightedBackend(1, "c", (CORS, RequestRedirect(302, hostname="b"))),)
    rule = HttpRule(HttpMatch(), HttpAction("ns/r", "0", backends=backends))

    async def test(stage: Stage) -> None:
        preflight = request(b"OPTIONS", b"Origin: https://a.com", b"Access-Control-Request-Method: GET")
        assert (await stage.say(preflight)).startswith(b"HTTP/1.1 204 ")
        answer = await stage.say(request(b"GET", b"Origin: https://a.com"))
        assert answer.startswith(b"HTTP/1.1 302 ") and b"Location: http://b" in answer
        assert b"Access-Control-Allow-Origin: https://a.com\r\n" in answer

    staged(test, answering(OK), [rule])
