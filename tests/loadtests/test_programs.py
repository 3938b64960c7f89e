"""The generator and the backend in C, against the `h2` package, each other, and what they must find wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from h2.events import ResponseReceived

from loadtests.compare.process import Pinned, free_port
from loadtests.compare.programs import compile_program, needed
from loadtests.compare.variants import VARIANTS
from loadtests.compare.work import OTHER_CORE, PAGE
from tests.loadtests.referees import NARROW, body_of, converse, serving, trailers_of

pytestmark = pytest.mark.needs("cc", "taskset")
ADDED = [("x-added", "added"), ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "http")]
ADDED += [("x-forwarded-host", "bench.local")]
KINDS = ["get", "unary", "stream"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programs")
    for name in ("h2source", "h2sink"):
        compile_program(name, made)
    return made


def source(folder: Path, port: int, *words: str, connections: int = 1) -> subprocess.CompletedProcess[str]:
    command = [str(folder / "h2source"), str(port), *words, str(connections), "4", "0.3"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@contextmanager
def sink(folder: Path, *words: str) -> Iterator[int]:
    port = free_port()
    process = Pinned([folder / "h2sink", str(port), *words], core=OTHER_CORE, log=folder / "sink.log")
    try:
        process.wait_for_port(port)
        yield port
    finally:
        process.stop()


def request(path: str, *fields: tuple[str, str]) -> list[tuple[str, str]]:
    method = "POST" if any(value.startswith("application/grpc") for _, value in fields) else "GET"
    return [(":method", method), (":scheme", "http"), (":authority", "bench.local"), (":path", path), *fields]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", ["same", "unique"])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_generator_holds_to_windows_and_tables(folder: Path, kind: str, headers: str, narrow: bool) -> None:
    with serving(NARROW if narrow else {}) as (port, server):
        done = source(folder, port, kind, headers)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["messages" if kind == "stream" else "requests"] > 10
    assert all(fields[b":authority"] == b"bench.local" for fields in server.requests)
    if headers == "unique" and kind != "stream":
        name = b"x-request-id" if kind == "get" else b"traceparent"
        assert len({fields[name] for fields in server.requests}) == len(server.requests)


def test_the_generator_ends_at_the_first_wrong_answer(folder: Path) -> None:
    with serving(status="503") as (port, _):
        done = source(folder, port, "get", "same")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'status "503"' in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_generator_and_backend_understand_each_other(folder: Path, kind: str) -> None:
    with sink(folder, "any") as port:
        done = source(folder, port, kind, "unique", connections=3)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("kind", "reason"), [("get", 'status "400"'), ("unary", 'grpc-status "3"')])
def test_the_backend_refuses_what_no_proxy_has_touched(folder: Path, kind: str, reason: str) -> None:
    with sink(folder) as port:
        done = source(folder, port, kind, "unique")
    assert done.returncode == 1
    assert reason in done.stderr


def test_the_backend_answers_pages_and_echoes_within_narrow_windows(folder: Path) -> None:
    call = request("/bench.Echo/Unary", ("content-type", "application/grpc"), *ADDED)
    asked = [(request("/api/x?y", *ADDED), b""), (call, bytes(range(250)) * 8), (request("/api/z", *ADDED), b"")]
    with sink(folder) as port:
        page, echo, last = (events for _, events in sorted(converse(port, asked, window=33).items()))
    assert body_of(page) == PAGE.encode() + b" /api/x?y\n"
    assert body_of(last) == PAGE.encode() + b" /api/z\n"
    assert body_of(echo) == bytes(range(250)) * 8
    assert trailers_of(echo) == {b"grpc-status": b"0", b"grpc-message": b""}
    answered = next(event for event in page if isinstance(event, ResponseReceived))
    assert (b"content-length", b"%d" % len(body_of(page))) in (answered.headers or ())


def test_every_variant_names_programs_that_there_are(tmp_path: Path) -> None:
    for name in {name for variants in VARIANTS.values() for variant in variants for name in needed(variant)}:
        if name != "h2source-tls":
            assert compile_program(name, tmp_path).exists()
