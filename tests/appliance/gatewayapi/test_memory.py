"""A translator that remembers answers as one that does not, whatever happened before."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.gatewayapi.drafts import Drafts
from appliance.gatewayapi.programmed import Reports, programmed
from appliance.gatewayapi.resources import SERVICE_NAME_LABEL, Key, Objects, Resource
from appliance.gatewayapi.surroundings import Surroundings
from appliance.gatewayapi.translate import Memo, routes_concerned, translate
from proxy.snapshot.encoding import encode
from tests.appliance.gatewayapi.chance import Chance, resource


def shown(drafts: Drafts) -> dict[str, Any]:
    return {str(key): status.body for key, status in programmed(drafts, Reports()).items()}


@pytest.mark.parametrize("seed", range(20))
def test_memory_changes_no_answer(seed: int) -> None:
    chance = Chance(seed)
    spec = {"controllerName": "gatehouse.dev/gateway-controller"}
    objects = Objects([resource("GatewayClass", "", "gatehouse", spec)])
    surroundings = Surroundings(addresses=("192.0.2.1",))
    for _ in range(60):
        chance.change(objects)
    memo = Memo()
    wanted: dict[Key, Any] = {}
    for step in range(60):
        for _ in range(chance.pick(1, 1, 3)):
            chance.change(objects)
        remembered = translate(objects, surroundings, memo)
        fresh = translate(objects, surroundings, Memo())
        assert encode(remembered.snapshot) == encode(fresh.snapshot), f"step {step}"
        assert shown(remembered.drafts) == shown(fresh.drafts), f"step {step}"
        now = {**remembered.drafts.finished, **remembered.drafts.waiting}
        differing = {key for key in now.keys() | wanted.keys() if now.get(key) is not wanted.get(key)}
        assert differing <= remembered.drafts.changed, f"step {step}"
        wanted = now


def test_a_memory_that_was_emptied_answers_as_a_new_one_and_counts_on() -> None:
    chance = Chance(3)
    spec = {"controllerName": "gatehouse.dev/gateway-controller"}
    objects = Objects([resource("GatewayClass", "", "gatehouse", spec)])
    for _ in range(200):
        chance.change(objects)
    memo = Memo()
    before = translate(objects, Surroundings(), memo).snapshot
    assert before.clusters
    for _ in range(60):
        chance.change(objects)
    memo = memo.emptied()
    remembered, fresh = (translate(objects, Surroundings(), each) for each in (memo, Memo()))
    assert remembered.snapshot.serial == before.serial + 1
    assert encode(remembered.snapshot) == encode(fresh.snapshot)
    assert shown(remembered.drafts) == shown(fresh.drafts)


def test_one_edit_keeps_everything_else() -> None:
    chance = Chance(0)
    objects = Objects(
        [resource("GatewayClass", "", "gatehouse", {"controllerName": "gatehouse.dev/gateway-controller"})]
    )
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    objects.put(resource("Gateway", "one", "a", {"gatewayClassName": "gatehouse", "listeners": [listener]}))
    for index in range(20):
        objects.put(_route(index, "/"))
    memo = Memo()
    before = translate(objects, Surroundings(), memo).snapshot
    objects.put(_route(7, "/changed"))
    after = translate(objects, Surroundings(), memo).snapshot
    assert after.serial == before.serial + 1
    old, new = before.binds[0].listeners[0].hosts, after.binds[0].listeners[0].hosts  # type: ignore[union-attr]
    changed = [host.hostname for host, was in zip(new, old, strict=True) if host is not was]
    assert changed == ["h7.example.com"]
    assert after.clusters is before.clusters
    objects.put(chance.make_referencegrant(Key("ReferenceGrant", "two", "a")))
    assert translate(objects, Surroundings(), memo).snapshot is after


def test_one_edit_concerns_one_route_and_changes_one_status() -> None:
    objects = Objects(
        [resource("GatewayClass", "", "gatehouse", {"controllerName": "gatehouse.dev/gateway-controller"})]
    )
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    objects.put(resource("Gateway", "one", "a", {"gatewayClassName": "gatehouse", "listeners": [listener]}))
    for index in range(20):
        objects.put(_route(index, "/", backend=f"s{index}"))
        objects.put(resource("Service", "one", f"s{index}", {"ports": [{"port": 80}]}))
    memo = Memo()
    assert routes_concerned(objects, memo) is None
    before = translate(objects, Surroundings(), memo)
    assert routes_concerned(objects, memo) is None  # nothing that is filed: the surroundings, then
    objects.put(_route(7, "/changed", backend="s7", generation=2))
    assert routes_concerned(objects, memo) == 1
    after = translate(objects, Surroundings(), memo)
    assert after.drafts.changed == {Key("HTTPRoute", "one", "r7")}
    slice_ = {"ports": [{"port": 8080}], "endpoints": [{"addresses": ["10.0.0.9"]}]}
    objects.put(resource("EndpointSlice", "one", "s3-1", {}, labels={SERVICE_NAME_LABEL: "s3"}, **slice_))
    moved = translate(objects, Surroundings(), memo)
    assert not moved.drafts.changed
    assert moved.snapshot.binds is after.snapshot.binds or moved.snapshot.binds[0] is after.snapshot.binds[0]
    old, new = before.snapshot.clusters, moved.snapshot.clusters
    assert [name for name in new if new[name] is not old[name]] == ["service/one/s3:80"]
    objects.put(resource("Secret", "one", "s", {}))
    assert routes_concerned(objects, memo) is None


def test_backends_without_names_wait_for_nothing_and_are_looked_at_once() -> None:
    objects = Objects()
    plain, named = Key("Backend", "one", "plain"), Key("Backend", "one", "named")
    for index in range(5):
        objects.put(resource("Backend", "one", f"b{index}", {"endpoints": [{"ip": "10.0.0.1", "port": 1}]}))
    objects.put(resource("Backend", *plain[1:], {"endpoints": [{"ip": "10.0.0.1", "port": 1}]}))
    objects.put(resource("Backend", *named[1:], {"endpoints": [{"hostname": "db.test", "port": 1}]}))
    memo = Memo()
    drafts = translate(objects, Surroundings(), memo).drafts
    assert plain in drafts.finished
    assert list(drafts.waiting) == [named]
    objects.put(resource("Backend", *named[1:], {"endpoints": [{"ip": "10.0.0.1", "port": 1}]}))
    drafts = translate(objects, Surroundings(), memo).drafts
    assert drafts.changed == {named}
    assert not drafts.waiting


def _route(index: int, path: str, backend: str = "", generation: int = 1) -> Resource:
    spec = {
        "parentRefs": [{"name": "a"}],
        "hostnames": [f"h{index}.example.com"],
        "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": path}}]}],
    }
    if backend:
        spec["rules"][0]["backendRefs"] = [{"name": backend, "port": 80}]  # type: ignore[index]
    route = resource("HTTPRoute", "one", f"r{index}", spec)
    return Resource(route.key, {**route.body, "metadata": {**route.body["metadata"], "generation": generation}})


def test_a_journal_that_was_cut_makes_the_translator_look_at_everything() -> None:
    objects = Objects()
    start = objects.position
    for index in range(100_001):
        objects.put(resource("Namespace", "", f"n{index % 3}", {}))
    assert objects.topics_since(start) is None
    assert objects.topics_since(objects.position) == frozenset()


def test_a_change_concerns_its_own_routes_and_listeners() -> None:
    objects = Objects(
        [resource("GatewayClass", "", "gatehouse", {"controllerName": "gatehouse.dev/gateway-controller"})]
    )
    listener = {"name": "web", "port": 80, "protocol": "HTTP", "hostname": "gateway.example.com"}
    spec = {"gatewayClassName": "gatehouse", "listeners": [listener]}
    objects.put(resource("Gateway", "one", "a", {**spec, "allowedListeners": {"namespaces": {"from": "Same"}}}))
    for index in range(20):
        added = {"name": "web", "port": 80, "protocol": "HTTP", "hostname": f"h{index}.example.com"}
        objects.put(resource("ListenerSet", "one", f"s{index}", {"parentRef": {"name": "a"}, "listeners": [added]}))
        parents = [{"kind": "ListenerSet", "name": f"s{index}"}]
        objects.put(resource("HTTPRoute", "one", f"r{index}", {"parentRefs": parents, "rules": [{}]}))
    memo = Memo()
    before = translate(objects, Surroundings(), memo)
    assert [record.route.name for record in memo.table.users(Key("ListenerSet", "one", "s3"))] == ["r3"]
    assert not list(memo.table.users(Key("Gateway", "one", "a")))
    exact = {"matches": [{"path": {"type": "Exact", "value": "/changed"}}]}
    objects.put(
        resource("HTTPRoute", "one", "r3", {"parentRefs": [{"kind": "ListenerSet", "name": "s3"}], "rules": [exact]})
    )
    after = translate(objects, Surroundings(), memo)
    old, new = before.snapshot.binds[0].listeners, after.snapshot.binds[0].listeners
    assert [one.name for one, was in zip(new, old, strict=True) if one is not was] == ["one/a/web@one/s3"]
    assert memo.planned is not None
    (plan,) = memo.planned[0].plans
    added = {"name": "web", "port": 80, "protocol": "HTTP", "hostname": "changed.example.com"}
    objects.put(resource("ListenerSet", "one", "s4", {"parentRef": {"name": "a"}, "listeners": [added]}))
    translate(objects, Surroundings(), memo)
    (replanned,) = memo.planned[0].plans
    pairs = list(zip(plan.sets, replanned.sets, strict=True))
    assert [new.resource.name for old, new in pairs if new is not old] == ["s4"]
    objects.remove(Key("HTTPRoute", "one", "r3"))
    gone = translate(objects, Surroundings(), memo)
    assert gone.drafts.changed == {Key("HTTPRoute", "one", "r3"), Key("ListenerSet", "one", "s3")}


def test_a_grant_that_goes_takes_its_backends_along() -> None:
    objects = Objects(
        [resource("GatewayClass", "", "gatehouse", {"controllerName": "gatehouse.dev/gateway-controller"})]
    )
    listeners = [{"name": "tcp", "port": 80, "protocol": "TCP"}]
    objects.put(resource("Gateway", "one", "a", {"gatewayClassName": "gatehouse", "listeners": listeners}))
    objects.put(resource("Service", "two", "s", {"ports": [{"port": 80}]}))
    rules = [{"backendRefs": [{"name": "s", "namespace": "two", "port": 80}]}]
    objects.put(resource("TCPRoute", "one", "r", {"parentRefs": [{"name": "a"}], "rules": rules}))
    source = {"group": "gateway.networking.k8s.io", "kind": "TCPRoute", "namespace": "one"}
    grant = {"from": [source], "to": [{"group": "", "kind": "Service"}]}
    memo = Memo()
    for granted in (True, False, True):
        if granted:
            objects.put(resource("ReferenceGrant", "two", "g", grant))
        else:
            objects.remove(Key("ReferenceGrant", "two", "g"))
        translation = translate(objects, Surroundings(), memo)
        (parent,) = translation.drafts.finished[Key("TCPRoute", "one", "r")].body["parents"]
        reasons = {condition["type"]: condition["reason"] for condition in parent["conditions"]}
        assert reasons == {"Accepted": "Accepted", "ResolvedRefs": "ResolvedRefs" if granted else "RefNotPermitted"}
        assert ("service/two/s:80/tcp" in translation.snapshot.clusters) is granted


def test_a_message_names_the_kind_of_the_route_that_it_is_about() -> None:
    """Though two kinds have the same layer, and one backend is looked up for both."""
    objects = Objects(
        [resource("GatewayClass", "", "gatehouse", {"controllerName": "gatehouse.dev/gateway-controller"})]
    )
    listener = {"name": "tls", "port": 443, "protocol": "TLS", "tls": {"mode": "Terminate"}}
    objects.put(resource("Gateway", "one", "a", {"gatewayClassName": "gatehouse", "listeners": [listener]}))
    outside = {"type": "ExternalHostname", "externalHostname": {"hostname": "x.test"}, "port": {"port": 80}}
    objects.put(resource("XBackend", "one", "x", {**outside, "protocol": "HTTP"}))
    rules = [{"backendRefs": [{"group": "gateway.networking.x-k8s.io", "kind": "XBackend", "name": "x"}]}]
    for kind in ("TCPRoute", "TLSRoute"):
        objects.put(resource(kind, "one", "r", {"parentRefs": [{"name": "a"}], "rules": rules}))
    finished = translate(objects, Surroundings(), Memo()).drafts.finished
    for kind in ("TCPRoute", "TLSRoute"):
        (parent,) = finished[Key(kind, "one", "r")].body["parents"]
        (message,) = (each["message"] for each in parent["conditions"] if each["type"] == "ResolvedRefs")
        assert f"which a {kind} does not carry" in message
