from __future__ import annotations

from appliance.manifests.folders import Stamp
from appliance.manifests.settling import GONE_S, SETTLE_S, Settling


def stamp(size: int) -> Stamp:
    return Stamp(1, 2, size, 3, 4)


def known(**files: int) -> Settling:
    settling = Settling()
    for path, size in files.items():
        settling.done(path, stamp(size))
    return settling


def test_at_the_start_everything_is_read_at_once() -> None:
    settling = Settling()
    due = settling.observe({"a": stamp(1), "b": stamp(2)}, (), 0.0, at_once=True)
    assert (due.read, due.removed, due.wait_s) == (("a", "b"), (), None)


def test_a_file_that_changed_is_read_once_it_stays_the_same() -> None:
    settling = known(a=1)
    assert settling.observe({"a": stamp(2)}, (), 0.0).wait_s == SETTLE_S
    assert settling.observe({"a": stamp(3)}, (), SETTLE_S).read == ()  # it grew meanwhile: the wait begins anew
    assert settling.observe({"a": stamp(3)}, (), SETTLE_S * 2).read == ("a",)


def test_a_file_that_is_known_costs_nothing() -> None:
    due = known(a=1).observe({"a": stamp(1)}, (), 5.0)
    assert (due.read, due.removed, due.wait_s) == ((), (), None)


def test_a_missing_file_is_removed_after_a_while() -> None:
    settling = known(a=1)
    assert settling.observe({}, (), 0.0).removed == ()
    assert settling.observe({}, (), GONE_S / 2).removed == ()
    assert settling.observe({}, (), GONE_S).removed == ("a",)


def test_a_file_that_an_editor_replaces_is_never_removed() -> None:
    settling = known(a=1)
    settling.observe({}, (), 0.0)
    settling.observe({"a": stamp(2)}, (), GONE_S / 2)
    due = settling.observe({"a": stamp(2)}, (), GONE_S)
    assert (due.read, due.removed) == (("a",), ())


def test_a_file_in_a_folder_that_cannot_be_seen_is_kept() -> None:
    settling = known(a=1, b=1)
    settling.observe({}, ("a",), 0.0)
    assert settling.observe({}, ("a",), GONE_S).removed == ("b",)


def test_a_file_that_changed_while_it_was_read_waits_again() -> None:
    settling = known(a=1)
    settling.observe({"a": stamp(2)}, (), 0.0)
    assert settling.observe({"a": stamp(2)}, (), SETTLE_S).read == ("a",)
    settling.postpone("a")
    assert settling.observe({"a": stamp(2)}, (), SETTLE_S).read == ()


def test_a_file_that_came_and_went_is_forgotten() -> None:
    settling = Settling()
    assert settling.observe({"a": stamp(1)}, (), 0.0).wait_s == SETTLE_S
    assert settling.observe({}, (), SETTLE_S).wait_s is None
    assert not settling._pending
    assert settling.observe({"a": stamp(1)}, (), 10.0).read == ()
