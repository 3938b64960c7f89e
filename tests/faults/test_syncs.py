"""The judge of the traces: it must see a missing sync."""

from __future__ import annotations

import pytest

from tests.faults.syncs import judge, parse

REQUEST, WRITTEN, SYNCED, ANSWER = "request", "log write", "synced", "answer"


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ([REQUEST, WRITTEN, WRITTEN, SYNCED, ANSWER], (1, 0)),
        ([REQUEST, WRITTEN, ANSWER, SYNCED], (0, 1)),
        ([REQUEST, WRITTEN, SYNCED, WRITTEN, ANSWER], (0, 1)),
        ([SYNCED, REQUEST, WRITTEN, ANSWER], (0, 1)),
        ([REQUEST, REQUEST, WRITTEN, SYNCED, ANSWER, ANSWER], (1, 0)),
        ([REQUEST, ANSWER], (0, 0)),
        ([REQUEST, WRITTEN, SYNCED, ANSWER, REQUEST, WRITTEN, ANSWER], (1, 1)),
    ],
)
def test_an_answer_is_proven_only_by_a_sync_after_its_own_write(calls: list[str], verdict: tuple[int, int]) -> None:
    """(proven, unproven)"""
    assert judge(calls) == verdict


def test_a_trace_is_read_as_it_happened() -> None:
    """A sync counts where it returns, whatever other threads do meanwhile; other files do not count."""
    trace = """\
11 1.0 read(9<TCP:[127.0.0.1:6443->127.0.0.1:5000]>, "x"..., 4096) = 300
12 1.1 pwrite64(5</d/store.db-wal>, "x"..., 4096, 32) = 4096
12 1.2 fdatasync(5</d/store.db-wal> <unfinished ...>
11 1.3 write(3<pipe:[77]>, "x", 1) = 1
12 1.4 <... fdatasync resumed>) = 0
12 1.5 fdatasync(6</d/other>) = 0
11 1.6 write(9<TCP:[127.0.0.1:6443->127.0.0.1:5000]>, "x"..., 200) = 200
12 1.7 fdatasync(5</d/store.db-wal>) = -1 EIO (Input/output error)
"""
    assert parse(trace.splitlines(), 6443) == ["request", "log write", "synced", "answer"]
