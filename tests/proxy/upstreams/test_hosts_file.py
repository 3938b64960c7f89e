"""Names that need no DNS."""

from __future__ import annotations

import pytest

from proxy.upstreams.hosts_file import is_localhost, parse_hosts


def test_a_hosts_file() -> None:
    text = "# comment\n127.0.0.1 localhost\n192.0.2.1\tDB.test db # it\n2001:db8::1 db\nno db\n\n192.0.2.1 db"
    assert parse_hosts(text) == {
        "localhost": ("127.0.0.1",),
        "db.test": ("192.0.2.1",),
        "db": ("192.0.2.1", "2001:db8::1"),
    }


@pytest.mark.parametrize(("name", "local"), [("localhost", True), ("A.LocalHost.", True), ("notlocalhost", False)])
def test_localhost(name: str, local: bool) -> None:
    assert is_localhost(name) is local
