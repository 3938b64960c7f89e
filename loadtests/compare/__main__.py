"""The command: parse, measure every variant that is asked for, print."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from loadtests.compare.certificate import make_certificate
from loadtests.compare.measure import ratios
from loadtests.compare.peers.envoy import Envoy
from loadtests.compare.peers.gatehouse import Gatehouse, gatehouse_at
from loadtests.compare.peers.haproxy import HAProxy
from loadtests.compare.peers.nginx import Nginx
from loadtests.compare.peers.peer import Peer
from loadtests.compare.programs import compile_program, needed
from loadtests.compare.report import Result, lines, payload
from loadtests.compare.session import Session
from loadtests.compare.variants import MODES, VARIANTS, Variant
from loadtests.compare.work import Setting, port_for

PROXIES: tuple[Peer, ...] = (Gatehouse(), Nginx(), HAProxy(), Envoy())


def main(arguments: list[str] | None = None) -> int:
    """0 when every proxy carried its work without a wrong answer; 2 when one did not, or could not be started."""
    options = _parse(arguments)
    results: list[Result] = []
    try:
        variants = _variants(options)
        with tempfile.TemporaryDirectory(prefix="compare-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            peers = _peers(options, folder)
            for number, variant in enumerate(variants):
                results.append(_measure(options, variant, peers, folder / str(number)))
                print("\n".join(lines(results[-1])), end="\n\n", flush=True)
    except RuntimeError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(payload(results), indent=1) + "\n")
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    names = [peer.name for peer in PROXIES]
    parser = argparse.ArgumentParser(prog="python -m loadtests.compare", description=sys.modules[__package__].__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--variant", nargs="+", metavar="TEXT", help="only variants whose name begins with TEXT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duration", type=float, default=4.0, help="seconds a proxy is driven per round (tcp: GB)")
    parser.add_argument("--connections", type=int, help="kept-alive connections; default: 64, with HTTP/2 16")
    parser.add_argument("--streams", type=int, default=16, help="requests under way on an HTTP/2 connection")
    parser.add_argument("--only", nargs="*", choices=names, metavar="PROXY", help="beside the subject; default: all")
    parser.add_argument("--subject", default="gatehouse", choices=names, help="whose ratios are shown")
    parser.add_argument(
        "--against", metavar="REVISION", help="Gatehouse as it was at a git revision takes part; alone without --only"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same figures as JSON")
    return parser.parse_args(arguments)


def _variants(options: argparse.Namespace) -> list[Variant]:
    known = VARIANTS[options.mode]
    chosen = [v for v in known if not options.variant or v.name.startswith(tuple(options.variant))]
    if not chosen:
        raise RuntimeError(f"no such variant; there are: {'; '.join(v.name for v in known)}")
    return chosen


def _peers(options: argparse.Namespace, folder: Path) -> list[Peer]:
    only = options.only
    if only is None:
        only = [] if options.against else [peer.name for peer in PROXIES]
    peers = [peer for peer in PROXIES if peer.name == options.subject or peer.name in only]
    if options.against:
        peers.append(gatehouse_at(options.against, folder))
    return peers


def _measure(options: argparse.Namespace, variant: Variant, peers: Sequence[Peer], run: Path) -> Result:
    run.mkdir(mode=0o755)
    for program in needed(variant):
        compile_program(program, run)
    setting = Setting(
        options.mode,
        variant,
        run,
        run,
        port_for(variant),
        options.duration,
        options.connections or (16 if variant.client == "http2" else 64),
        options.streams,
    )
    if variant.tls:
        setting = setting.with_certificate(make_certificate(run, setting.host))
    able = [peer for peer in peers if peer.carries(variant)]
    absent = {peer.name: why for peer in able if (why := peer.missing())}
    taking_part = [peer for peer in able if peer.name not in absent]
    if options.subject not in [peer.name for peer in taking_part]:
        raise RuntimeError(f"{options.subject} cannot take part: {absent.get(options.subject, 'not in this work')}")
    session = Session(setting)
    rounds = session.measure(taking_part, options.rounds)
    versions = {peer.name: peer.version() for peer in taking_part}
    return Result(
        options.mode,
        variant,
        setting.described(options.rounds),
        versions,
        absent,
        rounds,
        options.subject,
        ratios(rounds, options.subject),
        session.notes,
    )


if __name__ == "__main__":
    sys.exit(main())
