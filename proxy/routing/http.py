"""HTTP rules, compiled: a path and a head come in, the rule that takes the request goes out.

Rules keep the order of the snapshot, which is the API's precedence. Exact paths are one look-up, prefixes one look-up
per segment, whatever the number of rules; only regular expressions are tried one after the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from proxy.memo import Memo
from proxy.protocols.h1_request import RequestHead
from proxy.protocols.paths import canonical_escapes
from proxy.routing.conditions import Conditions, Test, conditions, whole_value
from proxy.routing.spans import Span, span
from proxy.snapshot.routes import HttpAction, HttpRule, VirtualHost

P = TypeVar("P")

_PATHS_LIMIT = 2048
_REMEMBERED_PATH_LIMIT_BYTES = 256
_SPLICE_LIMIT = 100


class CompiledRule(Generic[P]):
    """A rule with what its action was planned to be. path: canonical, of a PathPrefix without a final slash.

    prefix: the same for a PathPrefix, else None; test: what a regular expression asks of a path.
    """

    __slots__ = ("__weakref__", "conditions", "path", "plan", "prefix", "rule", "test")

    def __init__(self, rule: HttpRule, plan: P) -> None:
        kind, path = rule.match.path_kind, canonical_escapes(rule.match.path.encode())
        self.rule = rule
        self.plan = plan
        self.conditions: Conditions | None = conditions(rule.match)
        self.path = path.rstrip(b"/") if kind == "prefix" else path
        self.prefix = self.path if kind == "prefix" else None
        self.test: Test | None = whole_value(rule.match.path) if kind == "regex" else None


Rules = list[CompiledRule[P]] | None
"""Rules in order; None before anybody asked for them."""

Ranked = tuple[float, CompiledRule[P]]
"""A rule and its place in the order of its host: only less or more matters, so that a rule may come between two."""


class CompiledHost(Generic[P]):
    """The rules of one VirtualHost, by the kind of their path. Lists hold ranked rules, most important first.

    depth: no prefix has more segments; after a change it may be more than any has.
    """

    __slots__ = ("__weakref__", "depth", "exact", "host", "prefixes", "ranked", "regexes")

    def __init__(self, host: VirtualHost, ranked: Sequence[Ranked[P]], before: CompiledHost[P] | None = None) -> None:
        """before: a host whose shelves to begin with, for `spliced`."""
        self.host = host
        self.ranked = ranked
        self.exact: dict[bytes, list[Ranked[P]]] = before.exact.copy() if before else {}
        self.prefixes: dict[bytes, list[Ranked[P]]] = before.prefixes.copy() if before else {}
        self.regexes: list[Ranked[P]] = before.regexes if before else []
        self.depth: int = before.depth if before else 0
        if before is None:
            for each in ranked:
                self._shelf(each[1]).append(each)
                self._deepen(each[1])

    def spliced(self, host: VirtualHost, changed: Span, rules: Sequence[CompiledRule[P]]) -> CompiledHost[P] | None:
        """This host with a stretch of its rules replaced, at the price of the stretch; None: better compile it anew."""
        ranks = self._ranks(changed, len(rules))
        if ranks is None or len(rules) + changed.old_end - changed.start > _SPLICE_LIMIT:
            return None
        gone, come = self.ranked[changed.start : changed.old_end], list(zip(ranks, rules, strict=True))
        ranked = [*self.ranked[: changed.start], *come, *self.ranked[changed.old_end :]]
        new = CompiledHost(host, ranked, self)
        for each in gone:
            new._reshelve(each[1], [other for other in new._shelf(each[1]) if other[0] != each[0]])
        for each in come:
            new._reshelve(each[1], sorted([*new._shelf(each[1]), each], key=_rank))
            new._deepen(each[1])
        return new

    def candidates(self, exact: bytes | None, prefix: bytes, path: bytes | None) -> list[CompiledRule[P]]:
        """Rules in order: those of an exact path, of a prefix and those around it, and regexes matching `path`."""
        found = list(self.exact.get(exact, ())) if exact is not None else []
        while prefix:
            found += self.prefixes.get(prefix, ())
            prefix = prefix[: prefix.rfind(b"/")]
        found += self.prefixes.get(b"", ())
        if path is not None:
            found += [each for each in self.regexes if each[1].test is not None and each[1].test(path)]
        found.sort(key=_rank)
        return [rule for _, rule in found]

    def _ranks(self, changed: Span, wanted: int) -> list[float] | None:
        """Ranks for the rules of a stretch: the old ones where as many come as go, else spread over the room."""
        gone = self.ranked[changed.start : changed.old_end]
        if len(gone) == wanted:
            return [rank for rank, _ in gone]
        low = self.ranked[changed.start - 1][0] if changed.start else -1.0
        high = self.ranked[changed.old_end][0] if changed.old_end < len(self.ranked) else low + wanted + 1
        ranks = [low + (high - low) * (at + 1) / (wanted + 1) for at in range(wanted)]
        ordered = [low, *ranks, high]
        return ranks if all(one < other for one, other in itertools.pairwise(ordered)) else None

    def _shelf(self, rule: CompiledRule[P]) -> list[Ranked[P]]:
        if rule.test is not None:
            return self.regexes
        return (self.exact if rule.prefix is None else self.prefixes).setdefault(rule.path, [])

    def _reshelve(self, rule: CompiledRule[P], shelf: list[Ranked[P]]) -> None:
        """Put a new list where the rule's was; the old one belongs to the host before too."""
        if rule.test is not None:
            self.regexes = shelf
            return
        shelves = self.exact if rule.prefix is None else self.prefixes
        if shelf:
            shelves[rule.path] = shelf
        else:
            del shelves[rule.path]

    def _deepen(self, rule: CompiledRule[P]) -> None:
        if rule.prefix is not None:
            self.depth = max(self.depth, rule.prefix.count(b"/"))


class HostRules(Generic[P]):
    """The compiled hosts of a listener that cover one hostname, most specific first, seen as one list of rules.

    Which rules a path meets depends only on whether it is one of the exact paths and on its longest prefix among the
    rules, so what is remembered is bounded by the configuration; only with regexes is it remembered by path.
    """

    __slots__ = ("_by_exact", "_by_path", "_by_prefix", "_depth", "_hosts")

    def __init__(self, hosts: Sequence[CompiledHost[P]]) -> None:
        self._hosts = hosts
        self._depth = max((host.depth for host in hosts), default=0)
        self._by_exact: dict[bytes, Rules[P]] = {}
        self._by_prefix: dict[bytes, Rules[P]] = {b"": None}
        for host in hosts:  # in C: there may be thousands of paths
            self._by_exact.update(dict.fromkeys(host.exact))
            self._by_prefix.update(dict.fromkeys(host.prefixes))
        regexes = any(host.regexes for host in hosts)
        self._by_path: Memo[bytes, list[CompiledRule[P]]] | None = Memo(_PATHS_LIMIT) if regexes else None

    def find(self, request: RequestHead) -> CompiledRule[P] | None:
        """The rule that takes the request, or None."""
        for rule in self.candidates(request.path):
            conditions = rule.conditions
            if conditions is None or conditions.hold(request):
                return rule
        return None

    def candidates(self, path: bytes) -> list[CompiledRule[P]]:
        """The rules that `path` meets, in order, up to the first that asks for nothing else."""
        if path in self._by_exact or self._by_path is not None:
            rules = self._by_exact.get(path)
            if rules is None:
                rules = self._lookup(path)
        else:
            prefix = self._longest_prefix(path)
            rules = self._by_prefix[prefix]
            if rules is None:
                rules = self._by_prefix[prefix] = self._ranked(None, prefix, None)
        return rules

    def _longest_prefix(self, path: bytes) -> bytes:
        """The longest prefix of the rules that covers `path`, looking no deeper than the deepest of them."""
        end = 0
        for _ in range(self._depth):
            end = path.find(b"/", end + 1)
            if end < 0:
                end = len(path)
                break
        prefix, known = path[:end], self._by_prefix
        while prefix not in known:
            prefix = prefix[: prefix.rfind(b"/")]
        return prefix

    def _lookup(self, path: bytes) -> list[CompiledRule[P]]:
        """The rules of an exact path that was not asked for before, or of any path where there are regexes."""
        exact = path if path in self._by_exact else None
        if self._by_path is None:
            rules = self._by_exact[path] = self._ranked(exact, self._longest_prefix(path), None)
            return rules
        known = self._by_path.recall(path)
        if known is None:
            known = self._ranked(exact, self._longest_prefix(path), path)
            if len(path) <= _REMEMBERED_PATH_LIMIT_BYTES:
                self._by_path.remember(path, known)
        return known

    def _ranked(self, exact: bytes | None, prefix: bytes, path: bytes | None) -> list[CompiledRule[P]]:
        """In order, up to the first rule that asks nothing but its path."""
        rules = [rule for host in self._hosts for rule in host.candidates(exact, prefix, path)]
        for at, rule in enumerate(rules):
            if rule.conditions is None:
                return rules[: at + 1]
        return rules


class HostCompiler(Generic[P]):
    """Compiles VirtualHosts; what is the same object as in the snapshot in force is not compiled again.

    `plan` turns an action into what is run; called once per action object; its answer must refer
    to the action. Everything compiled is held weakly here: what no site uses any more is forgotten by itself, and as
    each compiled thing refers to what it was made from, no identity is reused while it is known.
    """

    def __init__(self, plan: Callable[[HttpAction], P]) -> None:
        self._plan = plan
        self._hosts: WeakValueDictionary[int, CompiledHost[P]] = WeakValueDictionary()
        self._rules: WeakValueDictionary[int, CompiledRule[P]] = WeakValueDictionary()
        self._plans: WeakValueDictionary[int, P] = WeakValueDictionary()

    def compile(self, host: VirtualHost, before: CompiledHost[P] | None = None) -> CompiledHost[P]:
        """The compiled form of `host`. before: of what stood in its place; only where they differ is work done."""
        compiled = self._hosts.get(id(host))
        if compiled is None:
            compiled = self._spliced(host, before) if before else None
            if compiled is None:
                compiled = CompiledHost(host, [(float(at), self._rule(rule)) for at, rule in enumerate(host.rules)])
            self._hosts[id(host)] = compiled
        return compiled

    def known(self, host: VirtualHost) -> CompiledHost[P] | None:
        """The compiled form of `host`, while a site still has it."""
        return self._hosts.get(id(host))

    def _spliced(self, host: VirtualHost, before: CompiledHost[P]) -> CompiledHost[P] | None:
        changed = span(before.host.rules, host.rules)
        return before.spliced(host, changed, [self._rule(rule) for rule in host.rules[changed.start : changed.new_end]])

    def _rule(self, rule: HttpRule) -> CompiledRule[P]:
        compiled = self._rules.get(id(rule))
        if compiled is None:
            compiled = CompiledRule(rule, self._planned(rule.action))
            self._rules[id(rule)] = compiled
        return compiled

    def _planned(self, action: HttpAction) -> P:
        plan = self._plans.get(id(action))
        if plan is None:
            plan = self._plan(action)
            self._plans[id(action)] = plan
        return plan


def _rank(ranked: Ranked[P]) -> float:
    return ranked[0]
