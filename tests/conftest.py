"""What every test may rely on: `needs(program)` is settled here, and how Hypothesis draws its examples."""

from __future__ import annotations

import os
import resource
import shutil
import socket
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run of the same code, so that a check of a commit gives the same answer twice, and no
# limit on how long one may take: a busy machine is no failure. `--hypothesis-profile explore` draws new ones.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False, print_blob=True)
settings.load_profile("steady")

# Set where everything is meant to be there (.ci/run): then a missing program fails the tests that need it.
STRICT_VARIABLE = "CHECK_NOTHING_MISSING"


def pytest_sessionstart() -> None:
    """As many descriptors as the machine lets an ordinary user have: tests of volume open hundreds on both sides."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what cannot run here."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if reason := _missing(program):
                if os.environ.get(STRICT_VARIABLE) and program != "IPv6":  # which nobody can install
                    pytest.fail(f"{reason}, and {STRICT_VARIABLE} is set", pytrace=False)
                pytest.skip(reason)


def _missing(program: str) -> str:
    if program == "root":
        return "" if os.geteuid() == 0 else "needs root"
    if program == "IPv6":
        return "" if _has_ipv6() else "this machine has no IPv6"
    return "" if shutil.which(program) else f"needs {program}, which is not on PATH"


@cache
def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
