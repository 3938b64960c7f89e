"""The command."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults import change, hpack, kill, syncs


def main() -> int:
    """0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=sys.modules["tests.faults"].__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    killing = commands.add_parser("kill", help=kill.__doc__)
    killing.add_argument("--rounds", type=int, default=20)
    killing.add_argument("--writes", type=int, default=1000, help="a round ends at a random one of these")
    killing.add_argument("--seed", type=int, default=None)
    changing = commands.add_parser("change", help=change.__doc__)
    changing.add_argument("--changes", type=int, default=200)
    changing.add_argument("--unrelated", type=int, default=5000, help="routes that are there and never change")
    changing.add_argument("--connections", type=int, default=64)
    comparing = commands.add_parser("hpack", help=hpack.__doc__)
    comparing.add_argument("--blocks", type=int, default=70_000)
    comparing.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        if options.command == "kill":
            broken = kill.run(Path(folder), options.rounds, options.writes, options.seed)
            broken += syncs.run(Path(folder))
        elif options.command == "hpack":
            broken = hpack.run(options.blocks, options.seed)
        else:
            broken = change.run(Path(folder), options.changes, options.unrelated, options.connections)
    for promise in broken:
        print(f"BROKEN: {promise}")
    print("all promises held" if not broken else f"{len(broken)} promises broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
