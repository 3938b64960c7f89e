"""One variant from start to end: backend and proxies start, rounds are interleaved, logs are counted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from loadtests.compare.backends import start_backend
from loadtests.compare.measure import Sample, rotated
from loadtests.compare.peers.peer import Peer
from loadtests.compare.process import Pinned
from loadtests.compare.work import Setting, port_for, run_once

WARM_UP_S = 1.0
WARM_UP_TRIES = 20


@dataclass(slots=True)
class _Entry:
    """A proxy that takes part. answers: what it gave so far, warm-up included."""

    peer: Peer
    process: Pinned
    port: int
    answers: int = 0


@dataclass(slots=True)
class Session:
    """What a variant is measured with."""

    setting: Setting
    entries: dict[str, _Entry] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def measure(self, peers: Sequence[Peer], rounds: int) -> list[dict[str, Sample]]:
        """The samples by proxy, for each round; afterwards `notes` tells who lost log lines. Raises RuntimeError on
        wrong answers."""
        with ExitStack() as stack:
            stack.callback(start_backend(self.setting).stop)
            for peer in peers:
                self._start(peer, stack)
            for name in self.entries:
                self._warm_up(name)
            measured = [self._round(turn) for turn in range(rounds)]
        if self.setting.variant.http and self.setting.variant.access_log:
            for entry in self.entries.values():
                self._count_lines(entry)
        return measured

    def _start(self, peer: Peer, stack: ExitStack) -> None:
        port = port_for(self.setting.variant)
        process = peer.start(self.setting, port)
        stack.callback(process.stop)
        if self.setting.variant.client != "udp":
            process.wait_for_port(port)
        self.entries[peer.name] = _Entry(peer, process, port)

    def _warm_up(self, name: str) -> None:
        """A short run that does not count. A UDP proxy has no port to wait for: it is tried until datagrams return."""
        for _ in range(WARM_UP_TRIES):
            if self._run(name, WARM_UP_S).units:
                return
        log = self.entries[name].process.log.read_text()[-2000:]
        raise RuntimeError(f"nothing comes back through {name}:\n{log}")

    def _round(self, turn: int) -> dict[str, Sample]:
        samples = {name: self._run(name, self.setting.duration_s) for name in rotated(list(self.entries), turn)}
        print(f"{self.setting.variant.name}: round {turn + 1} done", file=sys.stderr)
        return {name: samples[name] for name in self.entries}

    def _run(self, name: str, seconds: float) -> Sample:
        entry = self.entries[name]
        try:
            brought = run_once(self.setting, entry.process, entry.port, seconds)
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}") from error
        entry.answers += brought.answers
        return brought.sample

    def _count_lines(self, entry: _Entry) -> None:
        """A line for every answer: who writes none, or loses some, has not done the same work."""
        log = entry.peer.access_log(self.setting)
        lines = log.read_bytes().count(b"\n") if log.exists() else 0
        if lines < entry.answers:
            self.notes.append(
                f"{entry.peer.name} wrote {lines} lines of log for {entry.answers} answers: not the same work"
            )
