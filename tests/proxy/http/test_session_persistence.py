"""Sessions through a port (GEP-1619): a client stays where it began, whatever weights say, while that serves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest

from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, SessionPersistence, WeightedBackend
from tests.proxy.http.stage import TOKENS, FakePeer, FakeUpstream, Handler, Stage, read_head, staged

COOKIE = SessionPersistence("cookie", "stay")
HEADER = SessionPersistence("header", "X-Stay")


def naming(name: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))

    return handler


def rule(
    path: str, *weights: int, session: SessionPersistence | None = COOKIE, own: SessionPersistence | None = None
) -> HttpRule:
    """One backend "c0", "c1", ... for each weight."""
    backends = tuple(WeightedBackend(weight, f"c{at}", session=own) for at, weight in enumerate(weights))
    return HttpRule(HttpMatch(path=path), HttpAction("ns/r", path, backends=backends, session=session))


async def peers(stage: Stage, clusters: int, each: int) -> None:
    for cluster in range(clusters):
        addresses = [await stage.backend(naming(b"%d.%d" % (cluster, number))) for number in range(each)]
        stage.registry.upstreams[f"c{cluster}"] = FakeUpstream([FakePeer(address) for address in addresses])


async def ask(stage: Stage, path: str = "/", *fields: bytes) -> tuple[bytes, bytes]:
    """(who answered, the head of the answer)"""
    answer = await stage.say(b"\r\n".join((b"GET %b HTTP/1.1" % path.encode(), b"Host: a", *fields)) + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    return body, head


def token(head: bytes) -> bytes:
    found = re.search(rb"(?:Set-Cookie: [^=]+=|X-Stay: )([-\w]+)", head)
    assert found is not None, head
    return found[1]


def on_stage(test: Callable[[Stage], Awaitable[None]], rules: list[HttpRule], clusters: int, each: int) -> None:
    async def run(stage: Stage) -> None:
        await peers(stage, clusters, each)
        await test(stage)

    staged(run, None, rules)


def test_a_cookie_keeps_a_client_at_its_backend_whatever_the_weights() -> None:
    async def test(stage: Stage) -> None:
        first, head = await ask(stage)
        assert re.search(rb"\r\nSet-Cookie: stay=[-\w]{40}; Path=/; HttpOnly; SameSite=Strict(\r\n|$)", head)
        cookie = b"Cookie: other=1; stay=" + token(head)
        for _ in range(6):
            again, head = await ask(stage, "/", cookie)
            assert again == first and b"Set-Cookie" not in head
        stage.update([rule("/", *((0, 1) if first.startswith(b"0") else (1, 0)))])
        assert (await ask(stage, "/", cookie))[0] == first
        assert (await ask(stage))[0] != first

    on_stage(test, [rule("/", 1, 1)], 2, 1)


def test_a_header_does_the_same() -> None:
    async def test(stage: Stage) -> None:
        first, head = await ask(stage)
        line = b"X-Stay: " + token(head)
        assert {(await ask(stage, "/", line))[0] for _ in range(4)} == {first}
        assert b"X-Stay" not in (await ask(stage, "/", line))[1]

    on_stage(test, [rule("/", 1, 1, session=HEADER)], 2, 1)


def test_a_session_whose_endpoint_is_gone_begins_anew() -> None:
    async def test(stage: Stage) -> None:
        first, head = await ask(stage)
        cookie = b"Cookie: stay=" + token(head)
        stage.registry.upstreams["c0"].peers.pop(0)
        second, head = await ask(stage, "/", cookie)
        assert second != first
        assert (await ask(stage, "/", b"Cookie: stay=" + token(head)))[0] == second

    on_stage(test, [rule("/", 1)], 1, 2)


def test_an_endpoint_that_cannot_be_reached_is_left_and_the_new_one_named() -> None:
    async def test(stage: Stage) -> None:
        gone = FakePeer(("127.0.0.1", 1))
        stage.registry.upstreams["c0"].peers.insert(0, gone)
        cookie = b"Cookie: stay=" + TOKENS.token(b"http/ns/r//", gone.mark, 0)
        body, head = await ask(stage, "/", cookie)
        assert body == b"0.0"
        assert (await ask(stage, "/", b"Cookie: stay=" + token(head)))[0] == b"0.0"

    on_stage(test, [rule("/", 1)], 1, 1)


def test_rules_share_no_sessions_though_their_cookies_have_one_name() -> None:
    async def test(stage: Stage) -> None:
        _, head = await ask(stage, "/a")
        assert b"; Path=/a;" in head
        _, head = await ask(stage, "/b", b"Cookie: stay=" + token(head))
        assert b"; Path=/b;" in head

    on_stage(test, [rule("/a", 1), rule("/b", 1)], 1, 2)


@pytest.mark.parametrize("life_s", [3600.0, 1.0])
def test_a_permanent_cookie_says_its_life_and_an_old_token_is_worth_nothing(life_s: float) -> None:
    session = SessionPersistence("cookie", "stay", life_s, permanent=True)

    async def test(stage: Stage) -> None:
        _, head = await ask(stage)
        assert b"; Max-Age=%d; " % life_s in head
        old = TOKENS.token(b"http/ns/r//", stage.registry.upstreams["c0"].peers[0].mark, 1000)
        assert b"Set-Cookie" in (await ask(stage, "/", b"Cookie: stay=" + old))[1]

    on_stage(test, [rule("/", 1, session=session)], 1, 1)


def test_a_session_of_a_backend_leaves_the_path_to_the_client() -> None:
    async def test(stage: Stage) -> None:
        first, head = await ask(stage, "/a/b")
        assert b"Path=" not in head
        cookie = b"Cookie: stay=" + token(head)
        assert {(await ask(stage, "/a/b", cookie))[0] for _ in range(4)} == {first}

    on_stage(test, [rule("/a", 1, 1, session=None, own=COOKIE)], 2, 1)


@pytest.mark.parametrize("rubbish", [b"x", b"A" * 40, b"A" * 8000, b"; stay=" * 100, b"\xff\xfe", b'"'])
def test_rubbish_is_no_session(rubbish: bytes) -> None:
    async def test(stage: Stage) -> None:
        body, head = await ask(stage, "/", b"Cookie: stay=" + rubbish)
        assert body == b"0.0" and b"Set-Cookie: stay=" in head

    on_stage(test, [rule("/", 1)], 1, 1)
