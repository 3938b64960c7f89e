"""What counts as a complaint of the appliance."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.appliance import grave

LOG = """2026-11-29T02:13:27.877Z INFO ready: API on https://127.0.0.1:6443
2026-11-29T02:13:28.000Z WARNING cannot write the status of web: ERROR in its name
2026-11-29T02:13:29.000Z ERROR a task ended
Traceback (most recent call last):
  File "x.py", line 1, in f
KeyError: 'a'
"""


def test_errors_and_exceptions_are_complaints(tmp_path: Path) -> None:
    log = tmp_path / "appliance.log"
    log.write_text(LOG)
    assert grave(log) == ["2026-11-29T02:13:29.000Z ERROR a task ended", "Traceback (most recent call last):"]
