"""Which of HTTPRoutes and GRPCRoutes have a hostname: in any order of changes as decided from nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.gatewayapi.hostnames import overlap
from appliance.gatewayapi.resources import Key, Resource
from appliance.gatewayapi.routes.exclusion import Exclusion

LISTENERS = ("one", "two")
HOSTNAMES = st.sampled_from(["", "a.com", "*.a.com", "b.a.com", "c.com"])
SERVED = st.dictionaries(st.sampled_from(LISTENERS), st.lists(HOSTNAMES, min_size=1, max_size=2).map(tuple))
CHANGES = st.lists(
    st.tuples(st.sampled_from(["HTTPRoute", "GRPCRoute"]), st.integers(0, 4), st.integers(0, 3), SERVED), max_size=25
)


def route(kind: str, number: int, age: int) -> Resource:
    metadata = {"name": str(number), "namespace": "n", "creationTimestamp": f"2026-01-0{age + 1}T00:00:00Z"}
    return Resource(Key(kind, "n", str(number)), {"metadata": metadata})


def decided(present: dict[Key, tuple[Resource, dict[str, tuple[str, ...]]]]) -> dict[Key, dict[str, Key]]:
    """The rule of the specification, word for word: oldest first, a route yields to one of the other kind before it."""
    losers: dict[Key, dict[str, Key]] = {}
    for listener in LISTENERS:
        accepted: list[Key] = []
        for key in sorted(present, key=lambda key: (present[key][0].age, key)):
            hostnames = present[key][1].get(listener, ())
            rivals = [
                other
                for other in accepted
                if other.kind != key.kind
                and any(overlap(mine, theirs) for mine in hostnames for theirs in present[other][1][listener])
            ]
            if rivals:
                losers.setdefault(key, {})[listener] = rivals[0]
            elif hostnames:
                accepted.append(key)
    return losers


@given(CHANGES)
def test_changes_lead_where_deciding_from_nothing_leads(
    changes: list[tuple[str, int, int, dict[str, tuple[str, ...]]]],
) -> None:
    exclusion = Exclusion()
    present: dict[Key, tuple[Resource, dict[str, tuple[str, ...]]]] = {}
    before: dict[Key, dict[str, Key]] = {}
    for kind, number, age, served in changes:
        changed_route = route(kind, number, age)
        if served:
            present[changed_route.key] = (changed_route, served)
        else:
            present.pop(changed_route.key, None)
        exclusion.put(changed_route, served.items())
        changed = exclusion.settle()
        now = {key: dict(found) for key in present if (found := exclusion.winners(key))}
        assert now == decided(present)
        assert {key for key in present if now.get(key) != before.get(key)} <= changed
        before = now
