"""The command: parse, run the spells, print."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import ssl
import sys
from dataclasses import dataclass
from functools import partial
from statistics import median

from loadtests.profile.drive import Driver, Spell
from loadtests.profile.end import MakeBackend, MakeClient, WrongAnswerError
from loadtests.profile.gateway import gateway
from loadtests.profile.http1 import Http1Backend, Http1Client
from loadtests.profile.http2 import Http2Backend, Http2Client
from loadtests.profile.memory import MemoryLoop
from loadtests.profile.tls import TlsClient
from proxy.snapshot.clusters import Protocol

GC_THRESHOLDS = (5_000, 20, 50)
"""As the appliance sets them."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is between the two ends."""

    client: MakeClient
    backend: MakeBackend
    speaks: Protocol
    tls: bool = False
    grpc: bool = False


MODES = ("http1", "https", "http2", "http2-http1", "http2-tls", "grpc", "grpc-stream")


def work(mode: str, *, unique: bool, streams: int) -> Work:
    """The ends of a mode. http2: to a backend that speaks it too; http2-http1 and http2-tls: to HTTP/1.1."""
    http1 = partial(Http1Client, unique=unique)
    http2 = partial(Http2Client, streams=streams, unique=unique)
    match mode:
        case "http1":
            return Work(http1, Http1Backend, "http")
        case "https":
            return Work(lambda: TlsClient(http1(), "http/1.1"), Http1Backend, "http", tls=True)
        case "http2":
            return Work(lambda: http2("get"), Http2Backend, "http2")
        case "http2-http1":
            return Work(lambda: http2("get"), Http1Backend, "http")
        case "http2-tls":
            return Work(lambda: TlsClient(http2("get", scheme="https"), "h2"), Http1Backend, "http", tls=True)
        case "grpc":
            return Work(lambda: http2("unary"), Http2Backend, "http2", grpc=True)
        case "grpc-stream":
            return Work(lambda: http2("stream"), Http2Backend, "http2", grpc=True)
    raise ValueError(mode)


def main(arguments: list[str] | None = None) -> int:
    """0 when every answer was right, 2 when one was not."""
    options = _parse(arguments)
    loop = MemoryLoop()
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            spells, profiler = runner.run(_measure(loop, _work(options), options))
    except (WrongAnswerError, RuntimeError, ssl.SSLError) as error:
        print(f"profile: {error}", file=sys.stderr)
        return 2
    figures = sorted(spell.loop_us for spell in spells)
    others = median(spell.others_us for spell in spells)
    streams = "" if options.mode in ("http1", "https") else f" of {options.streams} streams"
    unit = "message" if options.mode == "grpc-stream" else "request"
    print(
        f"{options.mode}, {options.headers} headers, {options.connections} connections{streams}: "
        f"{median(figures):.2f} us/{unit} ({figures[0]:.2f}-{figures[-1]:.2f}), other threads {others:.2f}"
    )
    if options.functions:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(options.functions)
    return 0


def _work(options: argparse.Namespace) -> Work:
    return work(options.mode, unique=options.headers == "unique", streams=options.streams)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.profile", description=sys.modules[__package__].__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--headers", choices=["unique", "same"], default="unique", help="default: unique")
    parser.add_argument("--connections", type=int, help="clients; default: 64, with HTTP/2 16")
    parser.add_argument(
        "--streams", type=int, default=16, help="requests under way on an HTTP/2 connection; default: 16"
    )
    parser.add_argument("--answers", type=int, default=20_000, help="in each of the spells; default: 20000")
    parser.add_argument("--spells", type=int, default=5, help="after one that does not count; default: 5")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="and in one more: the N costliest")
    options = parser.parse_args(arguments)
    if options.connections is None:
        options.connections = 64 if options.mode in ("http1", "https") else 16
    return options


async def _measure(
    loop: MemoryLoop, work: Work, options: argparse.Namespace
) -> tuple[list[Spell], cProfile.Profile | None]:
    async with gateway(loop, work.speaks, tls=work.tls, grpc=work.grpc):
        driver = Driver(loop, work.client, work.backend, options.connections)
        await driver.run(options.answers)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        spells = [await driver.run(options.answers) for _ in range(options.spells)]
        profiler = cProfile.Profile() if options.functions else None
        if profiler is not None:
            await driver.run(options.answers, profiler)
        return spells, profiler


if __name__ == "__main__":
    sys.exit(main())
