"""The compiled listeners of a bind: a Host line comes in, the listener and rules that own it go out.

A site never changes; the next one is made from it and shares whatever its snapshot does, what was looked up included.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.http.plan import Plan
from proxy.memo import Memo
from proxy.protocols.authority import host_name
from proxy.protocols.h1_lines import line_value
from proxy.protocols.h1_request import RequestHead
from proxy.routing.hostnames import HostnameTable
from proxy.routing.http import CompiledHost, CompiledRule, HostCompiler, HostRules
from proxy.routing.spans import span
from proxy.snapshot.listeners import HttpListener, HttpsListener
from proxy.telemetry.log_line import json_text
from proxy.telemetry.metrics import Metrics

_HOSTS_LIMIT = 4096
_WILDCARDS_LIMIT = 16
"""More changed wildcards than these are not looked for: everything is forgotten."""


class SiteListener:
    """One listener, compiled. Its rules for a host are seen through all its hostnames that cover it.

    changed: the hostnames that are not as they were in the site before. certificate: shown to backends.
    """

    __slots__ = ("_hosts", "_listener", "_rules", "certificate", "changed", "name")

    def __init__(
        self, listener: HttpListener | HttpsListener, compiler: HostCompiler[Plan], before: SiteListener | None = None
    ) -> None:
        old = before._listener.hosts if before else ()
        changed = span(old, listener.hosts)
        gone = {host.hostname: compiler.known(host) for host in old[changed.start : changed.old_end]}
        come = listener.hosts[changed.start : changed.new_end]
        compiled = [(host.hostname, compiler.compile(host, gone.get(host.hostname))) for host in come]
        self.name = listener.name
        self.certificate = listener.backend_certificate
        self.changed: frozenset[str] = frozenset(gone).union(hostname for hostname, _ in compiled)
        self._listener: HttpListener | HttpsListener = listener
        self._hosts: HostnameTable[CompiledHost[Plan]]
        if before is None:
            self._hosts = HostnameTable(compiled)
            self._rules: dict[tuple[int, ...], HostRules[Plan]] = {}
        else:
            self._hosts = before._hosts.changed(gone, compiled)
            stale = {id(host) for host in gone.values()}
            kept = before._rules.copy().items()
            self._rules = {key: rules for key, rules in kept if stale.isdisjoint(key)}

    def rules(self, host: bytes) -> HostRules[Plan]:
        """The rules for `host`; the same object for every host that the same hostnames cover."""
        hosts: list[CompiledHost[Plan]] = self._hosts.matches(host)
        key = tuple(map(id, hosts))
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = HostRules(hosts)
        return found


class HostEntry:
    """What a site decided about one Host line. listener, rules: None when no listener covers the host.

    listener: its name; certificate: what it shows to backends; authority: the value as sent; name: lower case without
    port; log: its members of a log line.
    """

    __slots__ = ("authority", "certificate", "listener", "log", "name", "rules")

    def __init__(self, host_line: bytes, listeners: HostnameTable[SiteListener]) -> None:
        self.authority = line_value(host_line)
        self.name = host_name(self.authority) or b""
        owner = listeners.best(self.name)
        self.listener = owner.name if owner else None
        self.certificate = owner.certificate if owner else None
        self.rules = owner.rules(self.name) if owner else None
        self.log = b'"host":%b,"listener":%b' % (json_text(self.authority), json_text((self.listener or "").encode()))

    def find(self, request: RequestHead, tls_listener: str | None) -> CompiledRule[Plan] | None:
        """The rule that takes a request, if one does.

        tls_listener: the listener that the server name of its connection chose, which answers for no other; None
        without TLS.
        """
        if self.rules is None or (tls_listener is not None and self.belongs_elsewhere(tls_listener)):
            return None
        return self.rules.find(request)

    def belongs_elsewhere(self, tls_listener: str | None) -> bool:
        """Whether requests for this host are misdirected on a connection of that listener (RFC 9110, 15.5.20)."""
        return tls_listener is not None and tls_listener != self.listener


class Site:
    """Every HTTP listener of a bind, compiled from one snapshot; live connections look here at every request."""

    __slots__ = ("_listeners", "compiled", "entries", "names", "owners")

    def __init__(
        self,
        listeners: Sequence[HttpListener | HttpsListener],
        compiler: HostCompiler[Plan],
        before: Site | None = None,
    ) -> None:
        """before: the site that this one follows. Raises re2.error for a regular expression that is none."""
        old = {one.name: one for one in before.compiled} if before else {}
        self.compiled: tuple[SiteListener, ...] = tuple(
            SiteListener(each, compiler, old.get(each.name)) for each in listeners
        )
        self.owners = tuple((each.name, each.hostname, each.backend_certificate) for each in listeners)
        self.names = frozenset(listener.name for listener in listeners)
        self._listeners = HostnameTable(zip((each.hostname for each in listeners), self.compiled, strict=True))
        same = before if before is not None and before.owners == self.owners else None
        self.entries: Memo[bytes, HostEntry] = self._still_true(same.entries) if same else Memo(_HOSTS_LIMIT)

    def entry(self, host_line: bytes) -> HostEntry:
        """What owns a judged Host line."""
        found = self.entries.recall(host_line)
        if found is None:
            found = HostEntry(host_line, self._listeners)
            self.entries.remember(host_line, found)
        return found

    def _still_true(self, entries: Memo[bytes, HostEntry]) -> Memo[bytes, HostEntry]:
        """What was decided for hosts whose rules have not changed."""
        changed = frozenset[str]().union(*(listener.changed for listener in self.compiled))
        if not changed:
            return entries
        names = frozenset(hostname.encode() for hostname in changed)
        suffixes = tuple(hostname[1:].encode() for hostname in changed if hostname.startswith("*."))
        if "" in changed or len(suffixes) > _WILDCARDS_LIMIT:
            return Memo(_HOSTS_LIMIT)
        return entries.only(lambda entry: entry.name not in names and not entry.name.endswith(suffixes))


class SiteCompiler:
    """Compiles the sites of one bind, each from the one before. One call at a time, from any thread."""

    def __init__(self, hosts: HostCompiler[Plan]) -> None:
        """hosts: may be shared with other binds."""
        self._hosts = hosts
        self._last: Site | None = None

    def compile(self, listeners: Sequence[HttpListener | HttpsListener]) -> Site:
        """The next site. Raises re2.error for a regular expression that is none; the last site is then still that."""
        self._last = Site(listeners, self._hosts, self._last)
        return self._last


def host_compiler(metrics: Metrics) -> HostCompiler[Plan]:
    """What compiles hosts for the sites of a proxy."""
    return HostCompiler(lambda action: Plan(action, metrics))
