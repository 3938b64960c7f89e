"""Names of endpoints: who is interested in a name comes in, its addresses go out, again whenever they change.

/etc/hosts and localhost answer first, then DNS, asked again as the records age. What was last good stays when an answer
fails. It refuses to know clusters, weights and connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.resolver

from proxy.snapshot.report import NameReport, Report
from proxy.upstreams.hosts_file import LOOPBACK, is_localhost, parse_hosts

log = logging.getLogger(__name__)

HOSTS_FILE = Path("/etc/hosts")
SOONEST_S = 2.0
LATEST_S = 300.0
RETRY_FIRST_S = 1.0
RETRY_LATEST_S = 30.0
QUERY_LIMIT_S = 5.0
QUERIES_AT_ONCE = 64
ADDRESSES_LIMIT = 64

Lookup = Callable[[str], Awaitable[tuple[Sequence[str], float]]]
"""A name -> its addresses and for how many seconds they hold. Raises OSError with a text for people."""


class Resolver:
    """All names that the proxy has to know, each with one task that keeps it fresh."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, report: Callable[[Report], None], lookup: Lookup | None = None
    ) -> None:
        self._loop = loop
        self._report = report
        self._lookup = lookup or SystemLookup(loop)
        self._names: dict[str, _Name] = {}
        self._gate = asyncio.Semaphore(QUERIES_AT_ONCE)
        self.serial = 0

    def watch(self, host: str, changed: Callable[[], None]) -> None:
        """Keep `host` resolved, and call `changed` after every change of its addresses and after its first answer."""
        name = self._names.get(host)
        if name is None:
            name = self._names[host] = _Name()
            name.task = self._loop.create_task(self._keep(host, name))
        name.watchers.append(changed)

    def unwatch(self, host: str, changed: Callable[[], None]) -> None:
        """The opposite of one `watch`; a name that nobody watches is forgotten."""
        name = self._names[host]
        name.watchers.remove(changed)
        if not name.watchers:
            del self._names[host]
            name.stop()

    def addresses(self, host: str) -> tuple[str, ...]:
        """The last good addresses, sorted; empty before the first answer."""
        name = self._names.get(host)
        return name.addresses if name else ()

    def answered(self, host: str) -> bool:
        """Whether there has been an answer, good or bad."""
        name = self._names.get(host)
        return name is None or name.answered

    def repeat(self, host: str) -> None:
        """Report again what is known of `host`: somebody new asks."""
        name = self._names.get(host)
        if name and name.answered:
            self._report(NameReport(self.serial, host, name.addresses, name.error))

    def close(self) -> None:
        """Forget everything."""
        for name in self._names.values():
            name.stop()
        self._names.clear()

    async def _keep(self, host: str, name: _Name) -> None:
        retry_s = RETRY_FIRST_S
        while True:
            try:
                async with self._gate:
                    found, ttl_s = await self._lookup(host)
            except Exception as error:
                if not isinstance(error, OSError):  # a fault of ours: without an answer requests would wait for ever
                    log.exception("looking up %s", host)
                pause_s, retry_s = retry_s, min(RETRY_LATEST_S, retry_s * 2)
                self._answer(host, name, name.addresses, str(error))
            else:
                pause_s, retry_s = min(LATEST_S, max(SOONEST_S, ttl_s)), RETRY_FIRST_S
                self._answer(host, name, tuple(sorted(set(found)))[:ADDRESSES_LIMIT], "")
            await asyncio.sleep(pause_s)

    def _answer(self, host: str, name: _Name, addresses: tuple[str, ...], error: str) -> None:
        first = not name.answered
        changed = addresses != name.addresses
        news = first or changed or error != name.error
        name.answered, name.addresses, name.error = True, addresses, error
        if first or changed:
            for watcher in tuple(name.watchers):
                watcher()
        if news:
            self._report(NameReport(self.serial, host, addresses, error))


class _Name:
    """One name: what is known of it and who wants to know."""

    __slots__ = ("addresses", "answered", "error", "task", "watchers")

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ()
        self.answered = False
        self.error = ""
        self.task: asyncio.Task[None] | None = None
        self.watchers: list[Callable[[], None]] = []

    def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()


class SystemLookup:
    """How this machine resolves names: localhost, /etc/hosts, then the servers of /etc/resolv.conf.

    That file is read again after a question that no server has answered: the machine may have come to another network.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        hosts_file: Path = HOSTS_FILE,
        resolver: dns.asyncresolver.Resolver | None = None,
    ) -> None:
        """resolver: asks other servers than those of /etc/resolv.conf."""
        self._loop = loop
        self._hosts_file = hosts_file
        self._given = resolver
        self._configured: dns.asyncresolver.Resolver | None = None

    async def __call__(self, host: str) -> tuple[Sequence[str], float]:
        """Addresses of both families and their time to live. Raises OSError."""
        if is_localhost(host):
            return LOOPBACK, LATEST_S
        known = (await self._loop.run_in_executor(None, self._read_hosts)).get(host.lower().rstrip("."))
        if known:
            return known, SOONEST_S
        return await self._ask(host)

    def _read_hosts(self) -> dict[str, tuple[str, ...]]:
        try:
            return parse_hosts(self._hosts_file.read_text(errors="replace"))
        except OSError:
            return {}  # no such file is an empty one

    async def _ask(self, host: str) -> tuple[Sequence[str], float]:
        resolver = self._given or self._configured
        if resolver is None:
            try:
                resolver = await self._loop.run_in_executor(None, dns.asyncresolver.Resolver)
            except dns.exception.DNSException as error:
                raise OSError(f"no DNS server is configured: {error}") from error
            self._configured = resolver
        answers = await asyncio.gather(
            *(resolver.resolve(host, kind, lifetime=QUERY_LIMIT_S, search=True) for kind in ("A", "AAAA")),
            return_exceptions=True,
        )
        found: list[str] = []
        ttls: list[float] = []
        failures: list[BaseException] = []
        for answer in answers:
            if isinstance(answer, dns.resolver.Answer):
                found += [record.to_text() for record in answer]
                ttls.append(float(answer.rrset.ttl if answer.rrset else 0))
            elif not isinstance(answer, dns.resolver.NoAnswer):
                failures.append(answer)
        if not found:
            if any(isinstance(failure, dns.exception.Timeout | dns.resolver.NoNameservers) for failure in failures):
                self._configured = None
            raise OSError(_told(host, failures))
        return found, min(ttls)


def _told(host: str, failures: Sequence[BaseException]) -> str:
    for failure in failures:
        match failure:
            case dns.resolver.NXDOMAIN():
                return f"{host} does not exist (NXDOMAIN)"
            case dns.exception.Timeout():
                return f"DNS did not answer for {host} within {QUERY_LIMIT_S:g} s"
            case dns.exception.DNSException() | OSError():
                return f"DNS failed for {host}: {failure}"
            case _:
                raise failure
    return f"{host} has no addresses"
