"""The access log: whole lines, bounded, reopened; and metrics with bounded series."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.log_line import connection_line, json_text
from proxy.telemetry.metrics import ROUTES_LIMIT, Metrics


def wait_for(path: Path, text: str, deadline_s: float = 30.0) -> None:
    end = time.monotonic() + deadline_s
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_lines_are_written_and_the_rotated_file_is_left_alone(tmp_path: Path) -> None:
    path, rotated = tmp_path / "log", tmp_path / "log.1"
    log = AccessLog(str(path))
    log.write(b"one\n")
    wait_for(path, "one\n")
    path.rename(rotated)
    log.reopen()
    log.write(b"two\n")
    wait_for(path, "two\n")
    log.write(b"three\n")
    log.close()
    assert (rotated.read_text(), path.read_text()) == ("one\n", "two\nthree\n")


def test_a_full_queue_counts_what_it_loses(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"), limit=3)
    for _ in range(10):
        log.write(b"x\n")
    log.close()
    assert log.dropped + len((tmp_path / "log").read_text().splitlines()) == 10
    assert log.dropped >= 1


def test_lines_that_come_while_others_are_written_do_not_wait_for_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = AccessLog(str(path))
    end = time.monotonic() + 5
    while not path.stat().st_size:
        assert time.monotonic() < end
        log.write(b"busy\n")
        time.sleep(0)
    log.write(b"last\n")
    wait_for(path, "last\n")
    log.close()


def test_what_makes_a_line_is_written_in_its_turn_with_the_time_it_happened(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = AccessLog(str(path))
    before_s, ended_s = time.time(), time.monotonic()
    for number in range(200):
        log.write(
            (ended_s + number, b"GET", b"/a?%d" % number, 200, 40, 90, 0.0015, 0.001, b"HTTP/2", b'"host":"a"}\n')
        )
    log.write(b'{"path":"last"}\n')
    log.close()
    *lines, last = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["path"] for line in lines] == [f"/a?{number}" for number in range(200)] and last == {"path": "last"}
    assert lines[7].keys() >= {
        "method",
        "reason",
        "request_bytes",
        "response_bytes",
        "upstream_ms",
        "termination",
        "host",
    }
    assert (lines[7]["status"], lines[7]["duration_ms"]) == (200, 1.5)
    stamps = [datetime.fromisoformat(line["time"]).timestamp() for line in lines]
    assert all(abs(stamp - before_s - number) < 1 for number, stamp in enumerate(stamps))


def test_off_is_off_and_an_unusable_file_is_an_error(tmp_path: Path) -> None:
    log = AccessLog("off")
    assert not log.enabled
    log.close()
    with pytest.raises(OSError):
        AccessLog(str(tmp_path / "no" / "log"))


@pytest.mark.parametrize("value", [b"plain", b'quo"te', b"back\\slash", b"\x00\x1f\x7f", "é".encode(), b"\xff\xfe"])
def test_any_bytes_make_a_json_string(value: bytes) -> None:
    assert json.loads(json_text(value)) == value.decode("utf-8", "replace")


def test_a_connection_has_a_line_with_the_same_fields() -> None:
    line = connection_line(
        protocol="TLS",
        client="192.0.2.1:5",
        listener="ns/g/l",
        route="ns/r",
        rule="0",
        endpoint="192.0.2.2:443",
        reason="ok",
        termination="complete",
        request_bytes=1,
        response_bytes=2,
        duration_s=0.5,
        host="a.example",
    )
    assert json.loads(line).items() >= {"protocol": "TLS", "host": "a.example", "duration_ms": 500.0}.items()


def test_series_are_bounded_and_collectable() -> None:
    metrics = Metrics()
    for n in range(ROUTES_LIMIT + 50):
        metrics.route(f"ns/r{n}").by_class[2] += 1
    metrics.upstream_failed("connect_failed")
    families = {family.name: family for family in metrics.collect()}
    assert len(families["gatehouse_http_requests"].samples) <= ROUTES_LIMIT + 1
    assert sum(sample.value for sample in families["gatehouse_http_requests"].samples) == ROUTES_LIMIT + 50
    assert families["gatehouse_upstream_errors"].samples[0].labels == {"reason": "connect_failed"}
