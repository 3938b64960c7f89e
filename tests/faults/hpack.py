"""Random header blocks through our HPACK and the `hpack` package, with tables that change in between."""

from __future__ import annotations

import sys
from itertools import islice
from random import Random

from tests.proxy.protocols.h2.header_blocks import differences


def run(blocks: int, seed: int | None) -> list[str]:
    """Prints how many blocks there were and how many differences; the promises that did not hold."""
    seed = Random().randrange(1 << 32) if seed is None else seed
    different = list(islice(differences(seed, blocks), 10))
    print(f"{blocks:,} header blocks through both decoders, seed {seed}: {len(different)} differences", flush=True)
    for block, mine, theirs in different:
        print(f"  {block.hex()}: ours {mine}, the referee's {theirs}", file=sys.stderr)
    return [f"{len(different)} header blocks are understood differently"] if different else []
