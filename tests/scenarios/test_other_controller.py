"""Two controllers, one status: what another one writes about the same routes stays, and ours keeps quiet about it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scenarios.appliance import Appliance, free_port
from tests.scenarios.objects import apply, wait_for_condition
from tests.scenarios.waiting import wait_for

Json = dict[str, Any]
WRITES = 1000
OURS, THEIRS = "gatehouse.dev/gateway-controller", "example.com/other-controller"
GROUP = "/apis/gateway.networking.k8s.io/v1"
KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
GATEWAY, SERVICES = f"{GROUP}/namespaces/default/gateways/shared", "/api/v1/namespaces/default/services"
ATTACHED = {"http": 2, "tls": 1, "tcp": 1, "udp": 1}
ROUTES = [f"{GROUP}/namespaces/default/{kind.lower()}s/shared" for kind in KINDS]
HEAD = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: shared, namespace: default}}
spec:
  gatewayClassName: gatehouse
  listeners:
  - {{name: http, port: {0}, protocol: HTTP}}
  - {{name: tls, port: {1}, protocol: TLS, tls: {{mode: Passthrough}}}}
  - {{name: tcp, port: {2}, protocol: TCP}}
  - {{name: udp, port: {3}, protocol: UDP}}
"""
ROUTE = """---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: default}}
spec:
  parentRefs: [{{name: shared}}]
  {more}
  rules: [{{backendRefs: [{{name: nobody, port: 80}}]}}]
"""


def route(kind: str, name: str = "shared") -> str:
    """To a Service that does not exist, so that there is something to say about it."""
    hostnames = "" if kind in ("TCPRoute", "UDPRoute") else f"hostnames: [{name}.{kind.lower()}.example.com]"
    return ROUTE.format(kind=kind, name=name, more=hostnames)


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    with Appliance(tmp_path / "data") as running:
        apply(running, HEAD.format(*(free_port() for _ in range(4))) + "".join(map(route, KINDS)))
        for path in ROUTES:
            wait_for_condition(running, path, "ResolvedRefs", "False", "BackendNotFound")
        wait_until_settled(running)
        yield running


def wait_until_settled(appliance: Appliance) -> None:
    """Our controller has said all that there is to say of the Gateway, its class and its Service, too.

    These are written beside the routes and may come after them: a write that is refused, for the version before has not
    come back to the controller yet, is made again a tenth of a second later.
    """
    wait_for_condition(appliance, f"{GROUP}/gatewayclasses/gatehouse", "Accepted")
    for kind in ("Accepted", "Programmed"):
        wait_for_condition(appliance, GATEWAY, kind)

    def listeners() -> bool:
        said = appliance.request("GET", GATEWAY)["status"]["listeners"]
        states = {(one["name"], c["type"]): c["status"] for one in said for c in one["conditions"]}
        assert all(states[name, "Programmed"] == "True" for name in ATTACHED), states
        assert {one["name"]: one["attachedRoutes"] for one in said} == ATTACHED, said
        return True

    def service() -> bool:
        found = [s for s in appliance.request("GET", SERVICES)["items"] if s["metadata"]["name"] == "shared-gatehouse"]
        return bool(found and found[0]["status"]["loadBalancer"].get("ingress"))

    wait_for("every listener programmed, with its routes", listeners)
    wait_for("the Gateway's Service with its addresses", service)


@pytest.fixture
def client(appliance: Appliance) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(appliance.ca))
    token = {"Authorization": f"Bearer {appliance.token}"}
    with httpx.Client(base_url=appliance.url, verify=context, headers=token, timeout=30, trust_env=False) as opened:
        yield opened


def entries(number: int) -> list[Json]:
    """What the other controller says the `number`-th time: about two parents of its own, in its own order."""
    condition = {
        "type": "example.com/Counted",
        "status": "True",
        "reason": "Counted",
        "message": str(number),
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    group = GROUP.split("/")[2]
    return [
        {
            "parentRef": {"group": group, "kind": "Gateway", "name": name},
            "controllerName": THEIRS,
            "conditions": [condition],
        }
        for name in ("theirs", f"theirs-{number % 3}")
    ]


def of(controller: str, obj: Json) -> list[Json]:
    """The entries that a controller wrote."""
    return [entry for entry in obj["status"]["parents"] if entry["controllerName"] == controller]


def write(client: httpx.Client, path: str, number: int) -> None:
    """As controllers do: read, change the own entries, replace if nobody came between, else again."""
    while True:
        obj = client.get(path).raise_for_status().json()
        others = [entry for entry in obj["status"]["parents"] if entry["controllerName"] != THEIRS]
        obj["status"]["parents"] = [*others, *entries(number)]
        answer = client.put(f"{path}/status?fieldManager=other", json=obj)
        if answer.status_code != 409:
            answer.raise_for_status()
            return


def revision(client: httpx.Client) -> int:
    """Of the whole store, now."""
    return int(client.get(f"{GROUP}/gatewayclasses").raise_for_status().json()["metadata"]["resourceVersion"])


def written(client: httpx.Client, since: int) -> list[Json]:
    """What else than routes was written after a revision, for the message of a failure."""
    paths = (f"{GROUP}/gatewayclasses", f"{GROUP}/gateways", SERVICES)
    objects = [obj for path in paths for obj in client.get(path).raise_for_status().json()["items"]]
    return [obj for obj in objects if int(obj["metadata"]["resourceVersion"]) > since]


def history(client: httpx.Client, path: str, since: int, until: int) -> Iterator[Json]:
    """Every version of an object after one revision and up to another, in which it was written."""
    collection, _, name = path.rpartition("/")
    query = {"watch": "true", "resourceVersion": str(since), "fieldSelector": f"metadata.name={name}"}
    with client.stream("GET", collection, params=query) as answer:
        for line in answer.iter_lines():
            obj = json.loads(line)["object"]
            yield obj
            if int(obj["metadata"]["resourceVersion"]) >= until:
                return


def test_nothing_is_lost_while_both_write(appliance: Appliance, client: httpx.Client) -> None:
    """Our controller has news of its own all the while: specs change before every fourth of their writes."""
    begin = revision(client)
    for number in range(WRITES):
        path = ROUTES[number % len(ROUTES)]
        if number % 16 < len(ROUTES):
            weight = {"backendRefs": [{"name": "nobody", "port": 80, "weight": number}]}
            patch = {"spec": {"rules": [weight]}}
            merge = {"Content-Type": "application/merge-patch+json"}
            client.patch(path, json=patch, headers=merge).raise_for_status()
        write(client, path, number)
    for kind, path in enumerate(ROUTES):
        wait_for_condition(appliance, path, "ResolvedRefs", "False", "BackendNotFound")
        last = int(client.get(path).raise_for_status().json()["metadata"]["resourceVersion"])
        told, ours = [-1], 0
        before: list[Json] = []
        for obj in history(client, path, begin, last):
            if theirs := of(THEIRS, obj):
                number = int(theirs[0]["conditions"][0]["message"])
                assert theirs == entries(number)
                told += [number] if number != told[-1] else []
            else:
                assert told == [-1], f"{path} lost the entries of write {told[-1]}"
            assert len(of(OURS, obj)) == 1
            ours += of(OURS, obj) != before
            before = of(OURS, obj)
        assert told[1:] == list(range(kind, WRITES, len(ROUTES)))
        assert ours > WRITES / 32, "our controller hardly wrote, so this showed nothing"


def test_ours_writes_nothing_when_nothing_of_ours_changed(appliance: Appliance, client: httpx.Client) -> None:
    """Not one revision is made but by the other controller; a later route shows that ours had looked at all of it."""
    for path in ROUTES:
        write(client, path, 0)
    begin = revision(client)
    for number in range(WRITES):
        write(client, ROUTES[number % len(ROUTES)], number + 1)
    apply(appliance, route("HTTPRoute", "later"))
    wait_for_condition(appliance, f"{GROUP}/namespaces/default/httproutes/later", "Accepted")
    versions = 0
    for path in ROUTES:
        last = int(client.get(path).raise_for_status().json()["metadata"]["resourceVersion"])
        versions += sum(1 for _ in history(client, path, begin, last))
        assert last <= begin + WRITES, written(client, begin)
    assert versions == WRITES
