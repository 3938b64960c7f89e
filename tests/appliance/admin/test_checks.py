from __future__ import annotations

from appliance.admin.checks import Check, report

WELL = Check("store", lambda: "")
ILL = Check("snapshot", lambda: "not yet")


def test_all_well_is_ok() -> None:
    assert report("readyz", [WELL], verbose=False) == (True, "ok")


def test_verbose_lists_every_check() -> None:
    assert report("readyz", [WELL], verbose=True) == (True, "[+]store ok\nreadyz check passed\n")


def test_a_failed_check_is_listed_with_its_reason() -> None:
    healthy, text = report("readyz", [WELL, ILL], verbose=False)
    assert not healthy
    assert text == "[+]store ok\n[-]snapshot failed: not yet\nreadyz check failed\n"
