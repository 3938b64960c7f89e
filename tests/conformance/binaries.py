"""The programs that a run needs, built from the module in `suite` with the suite's own versions of everything.

A cache folder comes in; paths of programs go out. Go decides what is still up to date.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests import golang

MODULE = Path(__file__).parent / "suite"
CACHE_VARIABLE = "CONFORMANCE_CACHE"
_CONFORMANCE = "sigs.k8s.io/gateway-api/conformance"


@dataclass(frozen=True, slots=True)
class Binaries:
    """suite: the suite's test binary. echo, dns: what Pods run. catalogue: prints what tests there are."""

    suite: Path
    echo: Path
    dns: Path
    catalogue: Path


def build(folder: Path) -> Binaries:
    """Build what is missing or old into a folder outside the repository. Raises golang.UnbuiltError."""
    return Binaries(
        suite=golang.build_test(MODULE, _CONFORMANCE, folder / "suite.test"),
        echo=golang.build(MODULE, f"{_CONFORMANCE}/echo-basic", folder / "echo-basic"),
        dns=golang.build(MODULE, "./dns", folder / "dns"),
        catalogue=golang.build(MODULE, "./catalogue", folder / "catalogue"),
    )
