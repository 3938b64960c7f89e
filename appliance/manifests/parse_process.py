"""Reading of large files in a process of its own, so that the interpreter lock stays free for traffic.

Bytes come in; what `reader.read` says goes out. A helper lives for one file, with bounded memory and time; small files
are read where they are.
"""

from __future__ import annotations

import asyncio
import pickle
import resource
import subprocess
import sys

from appliance.manifests.reader import Problem, Reading, read, unreadable

INLINE_LIMIT_BYTES = 64 * 1024
TIME_LIMIT_S = 20
MEMORY_LIMIT_BYTES = 1024**3


async def parse(data: bytes) -> Reading:
    """`read(data)`, without holding the event loop or the interpreter lock for long."""
    if len(data) <= INLINE_LIMIT_BYTES:
        return read(data)
    return await asyncio.to_thread(_parse_elsewhere, data)


def _parse_elsewhere(data: bytes) -> Reading:
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        return _given_up(f"reading it took more than {TIME_LIMIT_S} s")
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return _given_up(f"its reader ended early: {last[0][:200]}")
    reading = pickle.loads(done.stdout)  # from our own process, that ran our own code
    assert isinstance(reading, Reading)
    return reading


def _given_up(why: str) -> Reading:
    return unreadable(Problem(f"not readable: {why}", "Split the file into smaller ones."))


def main() -> None:
    """The helper: a file on standard input, a pickled Reading on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    reading = read(sys.stdin.buffer.read())
    sys.stdout.buffer.write(pickle.dumps(reading, protocol=pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    main()
