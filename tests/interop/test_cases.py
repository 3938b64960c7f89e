"""Every case has a place, and a failure reads as one line."""

from __future__ import annotations

import pytest

from tests.interop.cases import CARRIED, EXCLUDED, reason, unknown

HELP = """  -test_case string
    \tConfigure different test cases. Valid options are:
    \t        empty_unary : empty (zero bytes) request and response;
    \t        per_rpc_creds: large_unary with per rpc token;
    \t        brand_new: nobody has seen it. (default "large_unary")
  -use_tls
    \tConnection uses TLS if true
"""


def test_a_case_is_carried_or_excluded_with_a_reason() -> None:
    assert not CARRIED.keys() & EXCLUDED.keys()
    assert all(EXCLUDED.values())


def test_cases_that_the_client_gains_are_noticed() -> None:
    assert unknown(HELP) == ["brand_new"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "it said nothing"),
        ("worker 1\nworker 2\n", "worker 2"),
        (
            "2026/11/29 02:13:19 FATAL: [interop] EmptyCall failed: code = Unavailable\nlater\n",
            "[interop] EmptyCall failed: code = Unavailable",
        ),
    ],
)
def test_why_a_case_failed(said: str, expected: str) -> None:
    assert reason(said) == expected
