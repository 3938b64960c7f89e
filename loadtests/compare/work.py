"""The work of a run: how it is generated, and what a round of it yields."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtests.compare.certificate import Certificate
from loadtests.compare.measure import Sample
from loadtests.compare.process import Pinned, free_port
from loadtests.compare.programs import SOURCES
from loadtests.compare.variants import Mode, Traffic, Variant

PROXY_CORE, OTHER_CORE = 0, 1
PAGE = "ok-" + "0123456789" * 10


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is made of. programs: the folder of our own binaries; certificate: where TLS is part of the work."""

    mode: Mode
    variant: Variant
    run: Path
    programs: Path
    backend_port: int
    duration_s: float = 4.0
    connections: int = 64
    streams: int = 16
    certificate: Certificate | None = None

    @property
    def host(self) -> str:
        """The name of the site; wrk sends as server name only what it can also connect to."""
        return "localhost" if self.variant.tls and self.variant.client == "http1" else "bench.local"

    @property
    def prefix(self) -> str:
        """The path prefix of the one route."""
        return "/bench.Echo/" if self.variant.grpc else "/api/"

    def with_certificate(self, certificate: Certificate) -> Setting:
        """The same with TLS."""
        return replace(self, certificate=certificate)

    def described(self, rounds: int) -> dict[str, Any]:
        """What is printed with the result."""
        variant = self.variant
        described: dict[str, Any] = {"rounds": rounds}
        described["gigabytes" if variant.traffic == "bytes" else "seconds"] = self.duration_s
        described["connections"] = {"tcp": 8, "udp": 32}.get(variant.client, self.connections)
        if variant.client == "http2":
            described["streams"] = self.streams
        if variant.http:
            described |= {"headers": variant.headers, "access_log": variant.access_log}
        return described


@dataclass(frozen=True, slots=True)
class Yield:
    """What one run of a generator brought. answers: HTTP requests answered, each of which makes a line in a log."""

    sample: Sample
    answers: int


def _generate(command: list[str | Path]) -> dict[str, Any]:
    done = subprocess.run(
        ["taskset", "-c", str(OTHER_CORE), *map(str, command)], capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {done.stdout[-500:]} {done.stderr[-500:]}")
    result: dict[str, Any] = json.loads(lines[-1])
    if bad := {k: result[k] for k in ("wrong", "errors") if result.get(k)}:
        raise RuntimeError(f"answers that are not as expected: {bad}")
    return result


def _wrk(setting: Setting, port: int, seconds: float) -> dict[str, Any]:
    url = f"https://{setting.host}:{port}/" if setting.variant.tls else f"http://127.0.0.1:{port}/"
    options = ["-t1", f"-c{setting.connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    return _generate(["wrk", *options, "-s", SOURCES / "http1.lua", url, "--", setting.host])


def _h2source(setting: Setting, port: int, seconds: float) -> dict[str, Any]:
    variant = setting.variant
    binary = setting.programs / ("h2source-tls" if variant.tls else "h2source")
    load = [str(setting.connections), str(setting.streams), str(seconds)]
    return _generate([binary, str(port), variant.traffic, variant.headers, *load, *(["tls"] if variant.tls else [])])


def _tcp(setting: Setting, port: int, seconds: float) -> dict[str, Any]:
    megabytes = round(1000 * seconds)
    return _generate([setting.programs / "traffic", "tcp-source", str(port), str(megabytes), "8"])


def _udp(setting: Setting, port: int, seconds: float) -> dict[str, Any]:
    return _generate([setting.programs / "traffic", "udp-source", str(port), str(seconds), "32", "8", "100"])


RUN: dict[str, Callable[[Setting, int, float], dict[str, Any]]] = {
    "http1": _wrk,
    "http2": _h2source,
    "tcp": _tcp,
    "udp": _udp,
}


def carried(traffic: Traffic, result: dict[str, Any]) -> float:
    """Units carried: requests, messages, gigabytes (10^9 bytes), or datagrams (a reply is two through the proxy)."""
    match traffic:
        case "get" | "unary":
            return float(result["requests"])
        case "stream":
            return float(result["messages"])
        case "bytes":
            return float(result["bytes"]) / 1e9
        case "datagrams":
            return 2.0 * float(result["replies"])


def run_once(setting: Setting, proxy: Pinned, port: int, seconds: float) -> Yield:
    """Drive one proxy for about `seconds` and say what it cost. Raises RuntimeError on any wrong answer."""
    user_s, system_s = proxy.cpu_s()
    result = RUN[setting.variant.client](setting, port, seconds)
    user_after_s, system_after_s = proxy.cpu_s()
    spent_s = user_after_s - user_s, system_after_s - system_s
    sample = Sample(carried(setting.variant.traffic, result), sum(spent_s), float(result["seconds"]), spent_s[0])
    return Yield(sample, int(result.get("requests", 0)))


def port_for(variant: Variant) -> int:
    """A free port of the variant's transport."""
    return free_port(socket.SOCK_DGRAM if variant.client == "udp" else socket.SOCK_STREAM)
