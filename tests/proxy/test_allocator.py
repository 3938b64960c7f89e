"""The allocator's settings, judged by the page faults of large blocks in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from proxy.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(77)
def grow() -> None:  # as a memory BIO does under a large body
    block = bytearray()
    while len(block) < 1 << 20:
        block += bytes(16384)
for _ in range(20):
    grow()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    grow()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, timeout=30)
    if done.returncode == 77:
        pytest.skip("this C library has no mallopt")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_large_blocks_stop_costing_page_faults() -> None:
    assert faults("keep") < 1000 < faults("no")
