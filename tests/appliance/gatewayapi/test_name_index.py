"""The index of hostnames answers as asking everybody would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.gatewayapi.hostnames import overlap
from appliance.gatewayapi.name_index import NameIndex

LABELS = st.lists(st.sampled_from(["a", "b", "com"]), min_size=1, max_size=4).map(".".join)
NAMES = st.one_of(st.just(""), LABELS, LABELS.map("*.{}".format))
OWNERS = st.dictionaries(st.integers(0, 5), st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=6)


@given(owners=OWNERS, asked=NAMES, gone=st.sets(st.integers(0, 5)))
def test_whoever_overlaps_is_found_and_nobody_else(
    owners: dict[int, tuple[str, ...]], asked: str, gone: set[int]
) -> None:
    index: NameIndex[int] = NameIndex()
    for owner, names in owners.items():
        index.add(owner, names)
    for owner in gone & owners.keys():
        index.remove(owner, owners.pop(owner))
    expected = {owner for owner, names in owners.items() if any(overlap(name, asked) for name in names)}
    assert set(index.overlapping([asked])) == expected
    assert bool(index) == bool(owners)
