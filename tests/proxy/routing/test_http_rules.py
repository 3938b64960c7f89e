"""Rules: precedence as given, whole segments, fall-through, and compiling only what changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protocols.h1_request import RequestHead
from proxy.protocols.paths import judged_path
from proxy.routing.hostnames import HostnameTable
from proxy.routing.http import HostCompiler, HostRules
from proxy.routing.splits import Split
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, ValueMatch, VirtualHost


class Planned:
    def __init__(self, action: HttpAction) -> None:
        self.action = action


def rule(name: str, match: HttpMatch) -> HttpRule:
    return HttpRule(match, HttpAction(route=name, rule="0"))


def request(target: str, method: str = "GET", *fields: str) -> RequestHead:
    judged = judged_path(target.partition("?")[0].encode())
    assert judged is not None
    lines = [b"", b"Host: a", *(field.encode() for field in fields)]
    return RequestHead(method.encode(), target.encode(), judged[0], lines, None)


def found(hosts: Sequence[VirtualHost], asked: RequestHead) -> str | None:
    compiler = HostCompiler(Planned)
    rules = HostRules([compiler.compile(host) for host in hosts])
    answers = {taken.plan.action.route if (taken := rules.find(asked)) else None for _ in range(2)}
    assert len(answers) == 1
    return answers.pop()


HOST = VirtualHost(
    "a",
    (
        rule("exact", HttpMatch("exact", "/a/b")),
        rule("regex", HttpMatch("regex", "/a/[0-9]+")),
        rule("post", HttpMatch(path="/a/b", method="POST")),
        rule("prefix-ab", HttpMatch(path="/a/b/")),
        rule(
            "header", HttpMatch(path="/a", headers=(ValueMatch("exact", "x-v", "1"), ValueMatch("regex", "x-w", "b+")))
        ),
        rule("query", HttpMatch(path="/a", query=(ValueMatch("exact", "q", "x y"),))),
        rule("prefix-a", HttpMatch(path="/a")),
    ),
)
FALLBACK = VirtualHost("", (rule("any", HttpMatch()),))


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (request("/a/b"), "exact"),
        (request("/a/b/"), "prefix-ab"),
        (request("/a/b/c"), "prefix-ab"),
        (request("/a/b/c", "POST"), "post"),
        (request("/a/bc"), "prefix-a"),
        (request("/a/17"), "regex"),
        (request("/a/17x"), "prefix-a"),
        (request("/a/x", "GET", "X-V: 1", "x-w: bbb"), "header"),
        (request("/a/x", "GET", "X-V: 1", "x-w: bbbc"), "prefix-a"),
        (request("/a?q=x+y&q=z"), "query"),
        (request("/a?q=z&q=x+y"), "prefix-a"),
        (request("/ab"), "any"),
        (request("/"), "any"),
        (request("/a%2Fb"), "any"),
    ],
)
def test_the_first_rule_in_order_whose_whole_match_holds_takes_the_request(asked: RequestHead, taken: str) -> None:
    assert found([HOST, FALLBACK], asked) == taken


def test_without_a_match_nothing_takes_it() -> None:
    assert found([HOST], request("/zzz")) is None


SEGMENTS = st.lists(st.sampled_from("abc"), max_size=4).map(lambda parts: "/" + "/".join(parts))


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(["exact", "prefix"]), SEGMENTS), max_size=8),
    st.lists(SEGMENTS, min_size=1, max_size=6),
)
def test_the_look_up_is_the_linear_scan(matches: list[tuple[str, str]], paths: list[str]) -> None:
    rules = tuple(
        rule(str(at), HttpMatch("exact" if kind == "exact" else "prefix", path))
        for at, (kind, path) in enumerate(matches)
    )
    compiler = HostCompiler(Planned)
    compiled = HostRules([compiler.compile(VirtualHost("", rules))])

    def holds(kind: str, path: str, asked: str) -> bool:
        return asked == path if kind == "exact" else (asked + "/").startswith(path.rstrip("/") + "/")

    for asked in paths:
        expected = next((str(at) for at, (kind, path) in enumerate(matches) if holds(kind, path, asked)), None)
        taken = compiled.find(request(asked))
        assert (taken.plan.action.route if taken else None) == expected


def test_only_what_changed_is_compiled_again() -> None:
    planned: list[str] = []

    def plan(action: HttpAction) -> Planned:
        planned.append(action.route)
        return Planned(action)

    compiler = HostCompiler(plan)
    rules = tuple(rule(f"r{n}", HttpMatch(path=f"/{n}")) for n in range(50))
    first = compiler.compile(VirtualHost("a", rules))
    edited = (*rules[:7], rule("new", HttpMatch(path="/7")), *rules[8:])
    second = compiler.compile(VirtualHost("a", edited))
    assert first is not second
    assert planned == [*(f"r{n}" for n in range(50)), "new"]
    host = VirtualHost("b", rules[:1])
    kept = compiler.compile(host)
    assert compiler.compile(host) is kept


MATCHES = st.builds(
    HttpMatch,
    st.sampled_from(["exact", "prefix", "regex"]),
    SEGMENTS.filter(lambda path: path.isascii()),
    st.sampled_from([None, "GET", "POST"]),
)
EDITS = st.tuples(st.integers(0, 8), st.integers(0, 3), st.lists(MATCHES, max_size=3))


@settings(max_examples=200)
@given(st.lists(MATCHES, max_size=6), st.lists(EDITS, max_size=8), st.lists(SEGMENTS, min_size=1, max_size=6))
def test_a_host_made_from_the_one_before_answers_as_one_made_anew(
    matches: list[HttpMatch], edits: list[tuple[int, int, list[HttpMatch]]], paths: list[str]
) -> None:
    compiler = HostCompiler(Planned)
    rules = tuple(rule(f"first-{at}", match) for at, match in enumerate(matches))
    compiled = compiler.compile(VirtualHost("", rules))
    for number, (start, length, come) in enumerate(edits):
        new = tuple(rule(f"{number}-{at}", match) for at, match in enumerate(come))
        rules = (*rules[:start], *new, *rules[start + length :])
        host = VirtualHost("", rules)
        compiled = compiler.compile(host, compiled)
        anew = HostRules([HostCompiler(Planned).compile(host)])
        for asked in paths:
            mine, theirs = HostRules([compiled]).find(request(asked)), anew.find(request(asked))
            assert (mine and mine.rule) is (theirs and theirs.rule)


def test_one_edit_among_many_rules_shares_every_other_shelf() -> None:
    compiler = HostCompiler(Planned)
    rules = tuple(rule(f"r{n}", HttpMatch(path=f"/{n}")) for n in range(50))
    first = compiler.compile(VirtualHost("a", rules))
    edited = (*rules[:7], rule("new", HttpMatch(path="/new")), *rules[8:])
    second = compiler.compile(VirtualHost("a", edited), first)
    assert second.prefixes.keys() ^ first.prefixes.keys() == {b"/7", b"/new"}
    assert all(second.prefixes[path] is shelf for path, shelf in first.prefixes.items() if path != b"/7")


def test_there_is_always_room_between_two_rules() -> None:
    compiler = HostCompiler(Planned)
    rules = [rule("first", HttpMatch()), rule("last", HttpMatch())]
    compiled = compiler.compile(VirtualHost("", tuple(rules)))
    for number in range(200):  # each goes between the first and the one before
        rules.insert(1, rule(str(number), HttpMatch(path=f"/{number}")))
        compiled = compiler.compile(VirtualHost("", tuple(rules)), compiled)
        assert [each.rule for _, each in compiled.ranked] == rules
        ranks = [rank for rank, _ in compiled.ranked]
        assert ranks == sorted(set(ranks))


def test_hostnames_match_most_specific_first() -> None:
    table = HostnameTable([("*.example.com", 1), ("*.a.example.com", 2), ("x.a.example.com", 3), ("", 4)])
    assert table.matches(b"x.a.example.com") == [3, 2, 1, 4]
    assert table.matches(b"b.c.example.com") == [1, 4]
    assert table.matches(b"example.com") == [4]
    assert HostnameTable([("a", 1)]).best(b"b") is None


def test_a_changed_table_is_the_table_of_what_is_left() -> None:
    table = HostnameTable([("*.a", 1), ("x.a", 2), ("", 3)])
    changed = table.changed(["x.a", ""], [("y.a", 4), ("*.b", 5)])
    assert [changed.matches(name) for name in (b"x.a", b"y.a", b"z.b", b"c")] == [[1], [4, 1], [5], []]
    assert [table.matches(name) for name in (b"x.a", b"y.a", b"z.b", b"c")] == [[2, 1, 3], [1, 3], [3], [3]]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any))
def test_a_split_gives_each_its_weight_in_every_round(weights: list[int]) -> None:
    split = Split(list(zip(weights, range(len(weights)), strict=True)))
    chosen = [split.choose() for _ in range(sum(weights))]
    assert [chosen.count(at) for at in range(len(weights))] == weights
