"""Session tokens: read back by their maker and their rule alone, and silent about addresses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.balancing.session_tokens import SessionTokens

TOKENS = SessionTokens(b"k" * 32)
MARK = TOKENS.mark("service/a/b:80", "10.0.0.1:8080")


def test_a_token_is_read_back_until_its_life_is_over() -> None:
    token = TOKENS.token(b"rule", MARK, 1000)
    assert TOKENS.read(b"rule", token, 5000, None) == (MARK, 1000)
    assert TOKENS.read(b"rule", token, 1059, 60.0) == (MARK, 1000)
    assert TOKENS.read(b"rule", token, 1060, 60.0) is None


def test_a_token_is_worth_nothing_to_another_rule_or_appliance() -> None:
    token = TOKENS.token(b"rule", MARK, 1000)
    assert TOKENS.read(b"other", token, 1000, None) is None
    assert SessionTokens(b"x" * 32).read(b"rule", token, 1000, None) is None


def test_a_token_holds_no_address() -> None:
    token = TOKENS.token(b"rule", MARK, 1000)
    assert len(token) == 40 and token.replace(b"-", b"").replace(b"_", b"").isalnum()
    assert SessionTokens(b"x" * 32).mark("service/a/b:80", "10.0.0.1:8080") != MARK


def test_marks_tell_endpoints_apart() -> None:
    marks = {TOKENS.mark(cluster, label) for cluster in ("a", "ab") for label in ("b:1", ":1", "1")}
    assert len(marks) == 6


@given(st.integers(0, 39), st.binary(min_size=1, max_size=1))
def test_no_changed_token_is_taken(at: int, byte: bytes) -> None:
    token = TOKENS.token(b"rule", MARK, 1000)
    changed = token[:at] + byte + token[at + 1 :]
    assert (TOKENS.read(b"rule", changed, 1000, None) is not None) == (changed == token)


@given(st.binary(max_size=60))
def test_rubbish_is_no_token(rubbish: bytes) -> None:
    assert TOKENS.read(b"rule", rubbish, 1000, None) is None
