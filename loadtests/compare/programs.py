"""Our own generators and backends in C, compiled at the start of a run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from loadtests.compare.variants import Variant

SOURCES = Path(__file__).parent / "generators"
_HTTP2 = ("h2.c", "h2_say.c", "hpack.c", "huffman.c")
_PROGRAMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "traffic": (("traffic.c",), ("-pthread",)),
    "h2sink": (("h2sink.c", *_HTTP2), ()),
    "h2source": (("h2source.c", *_HTTP2), ()),
    "h2source-tls": (("h2source.c", *_HTTP2), ("-DWITH_TLS", "-lssl", "-lcrypto")),
}
"""By the name of the binary: its sources and further words for the compiler."""


def needed(variant: Variant) -> list[str]:
    """The programs that a variant is driven with."""
    if not variant.http:
        return ["traffic"]
    names = ["h2sink"] if variant.backend == "h2c" else []
    if variant.client == "http2":
        names.append("h2source-tls" if variant.tls else "h2source")
    return names


def compile_program(name: str, folder: Path) -> Path:
    """Build one into `folder`. Raises RuntimeError with the compiler's words, or without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError(f"{name} needs a C compiler: install gcc")
    sources, words = _PROGRAMS[name]
    command = [compiler, "-O2", "-o", str(folder / name), *(str(SOURCES / source) for source in sources), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        hint = " (TLS needs OpenSSL's headers: install libssl-dev)" if "-lssl" in words else ""
        raise RuntimeError(f"{name} does not compile{hint}: {done.stderr[-500:]}")
    return folder / name
